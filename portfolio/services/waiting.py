"""How long reconciliations wait for a worker, and how long they take."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from portfolio.models import Reconciliation

LATE_AFTER = timedelta(seconds=60)


def queue() -> tuple[bool, str]:
    """Tell for /statusz how many wait, and the oldest; one that is being worked on waits no more."""
    is_waiting = Q(started_at=None)
    found = (
        Reconciliation.objects.filter(finished_at=None)
        .order_by()
        .aggregate(
            waiting=Count("pk", filter=is_waiting),
            running=Count("pk", filter=~is_waiting),
            oldest=Min("requested_at", filter=is_waiting),
        )
    )
    running = f"; {found['running']} at work" if found["running"] else ""
    if not found["waiting"]:
        return True, f"none waits for a worker{running}"
    age = timezone.now() - found["oldest"]
    words = f"{found['waiting']} waiting, the oldest {age.total_seconds():.1f} s{running}"
    return age < LATE_AFTER, words
