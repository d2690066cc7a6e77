"""How long orders wait to be sent."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from trading.models import Order
from trading.states import State

LATE_AFTER = timedelta(seconds=30)


def queue() -> tuple[bool, str]:
    """Tell for /statusz how many wait for a worker, and the oldest."""
    found = Order.objects.filter(state=State.QUEUED).aggregate(
        count=Count("pk"), oldest=Min("placed_at")
    )
    if not found["oldest"]:
        return True, "none waits to be sent"
    age = timezone.now() - found["oldest"]
    words = f"{found['count']} wait to be sent, the oldest {age.total_seconds():.1f} s"
    return age < LATE_AFTER, words
