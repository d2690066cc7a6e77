"""How far publishing lags behind what happened."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from cqops.platform.events.models import Event

LATE_AFTER = timedelta(seconds=15)


def lag() -> tuple[bool, str]:
    waiting = Event.objects.filter(published_at=None)
    found = waiting.aggregate(
        count=Count("pk", filter=Q(is_dead=False)),
        dead=Count("pk", filter=Q(is_dead=True)),
        oldest=Min("at", filter=Q(is_dead=False)),
    )
    words = f"{found['count']} waiting"
    age = timezone.now() - found["oldest"] if found["oldest"] else timedelta()
    if found["oldest"]:
        words += f", the oldest {age.total_seconds():.1f} s old"
    if found["dead"]:
        words += f"; {found['dead']} dead letters: see manage.py events redrive"
    return age < LATE_AFTER and not found["dead"], words
