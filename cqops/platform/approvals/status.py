"""Whether what was decided is carried out."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from cqops.platform.approvals.models import Request
from cqops.platform.approvals.states import State

LATE_AFTER = timedelta(seconds=30)


def unsettled() -> tuple[bool, str]:
    """Tell for /statusz how many requests are decided and not carried out, and the oldest."""
    left = Request.objects.filter(settled_at=None).exclude(state=State.PENDING)
    found = left.order_by().aggregate(count=Count("pk"), oldest=Min("ended_at"))
    if not found["count"]:
        return True, "everything decided is carried out"
    age = timezone.now() - found["oldest"] if found["oldest"] else timedelta()
    words = f"{found['count']} decided and not carried out, the oldest {age.total_seconds():.1f} s"
    return age < LATE_AFTER, words
