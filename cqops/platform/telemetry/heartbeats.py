"""Processes say that they work; the status page believes nothing older than a few beats."""

from __future__ import annotations

from django.utils import timezone

from cqops.platform.telemetry.models import Heartbeat

STARTED = timezone.now()


def beat(process: str, detail: str = "") -> None:
    """Record that this process has just done its work."""
    Heartbeat.objects.update_or_create(
        process=process,
        defaults={"at": timezone.now(), "detail": detail[:200], "started_at": STARTED},
    )
