"""How long orders wait to be sent."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from trading.models import OrderMove
from trading.states import State

LATE_AFTER = timedelta(seconds=30)


def queue() -> tuple[bool, str]:
    """Tell for /statusz how many wait for a worker, and the oldest.

    An order waits since it first came to the queue: the time a second person took is not the
    worker's, and one that is put back goes on waiting.
    """
    found = OrderMove.objects.filter(order__state=State.QUEUED, there=State.QUEUED).aggregate(
        count=Count("order", distinct=True), oldest=Min("at")
    )
    if not found["oldest"]:
        return True, "none waits to be sent"
    age = timezone.now() - found["oldest"]
    words = f"{found['count']} wait to be sent, the oldest {age.total_seconds():.1f} s"
    return age < LATE_AFTER, words
