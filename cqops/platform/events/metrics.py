"""How far publishing lags, for collectors."""

from __future__ import annotations

from django.db.models import Count, Min, Q
from django.utils import timezone

from cqops.platform.events.models import Event
from cqops.platform.telemetry.metrics import Reading


def outbox() -> list[Reading]:
    found = Event.objects.filter(published_at=None).aggregate(
        waiting=Count("pk", filter=Q(is_dead=False)),
        dead=Count("pk", filter=Q(is_dead=True)),
        oldest=Min("at", filter=Q(is_dead=False)),
    )
    oldest = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    numbers = {
        "cqops_outbox_waiting": ("Events not published yet.", found["waiting"]),
        "cqops_outbox_dead": ("Events given up on.", found["dead"]),
        "cqops_outbox_lag_seconds": ("How old the oldest waiting event is.", age),
    }
    return [Reading(name=name, what=what, value=value) for name, (what, value) in numbers.items()]
