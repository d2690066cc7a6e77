"""What was seen outside, written down by whoever looks, so that no page has to look itself.

A page that asked a venue would hang with it. A process asks, writes what it saw and when, and pages
read that with its age. A change is told once, however many look.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from cqops.platform.telemetry.heartbeats import STARTED
from cqops.platform.telemetry.models import Heartbeat, Sight
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from cqops.platform.telemetry.status import LATE_AFTER

BELIEVED_FOR = timedelta(seconds=20)
# A desk that starts finds yesterday's heartbeats until everybody has beaten once.
GRACE = timedelta(seconds=30)


def saw(name: str, *, is_up: bool, words: str = "", now: datetime) -> bool:
    """Write down what was seen; tell whether that is a change, to one of all who look."""
    values = {"at": now, "words": words[:200]}
    if Sight.objects.filter(name=name, is_up=is_up).update(**values):
        return False
    with transaction.atomic():
        row, is_new = Sight.objects.select_for_update().get_or_create(
            name=name, defaults={**values, "is_up": is_up, "since": now}
        )
        if is_new:
            return not is_up
        if row.is_up == is_up:
            return False
        Sight.objects.filter(name=name).update(**values, is_up=is_up, since=now)
    return True


def seen(names: Iterable[str]) -> dict[str, Sight]:
    return Sight.objects.in_bulk(list(names))


def is_believed(sight: Sight | None, *, now: datetime) -> bool:
    """Tell whether a sight is young enough to say something about now."""
    return sight is not None and now - sight.at < BELIEVED_FOR


def watch_processes(*, now: datetime) -> None:
    """Tell once when a process falls silent, and once when it is heard again."""
    for last in Heartbeat.objects.filter(process__in=settings.STATUS_PROCESSES):
        if last.at < STARTED and now - STARTED < GRACE:
            continue
        is_heard = now - last.at < LATE_AFTER
        if not saw(f"process:{last.process}", is_up=is_heard, now=now):
            continue
        labels = {"process": last.process}
        if is_heard:
            tell("process.heard", f"The process {last.process} is heard again.", labels=labels)
        else:
            words = f"The process {last.process} fell silent."
            tell("process.silent", words, severity=Severity.URGENT, labels=labels)
