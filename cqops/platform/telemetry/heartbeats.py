"""Processes say that they work; the status page believes nothing older than a few beats."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, connections
from django.utils import timezone

from cqops.platform.telemetry import ops
from cqops.platform.telemetry.models import Heartbeat, OpsEvent
from cqops.platform.telemetry.notes import Severity

log = logging.getLogger(__name__)
STARTED = timezone.now()
BEAT_SECONDS = 3.0


def beat(process: str, detail: str = "", *, is_well: bool = True) -> None:
    """Record that this process has just done its work, and whether that work has any effect."""
    if process == ops.me():
        _first.notice(process)
    Heartbeat.objects.update_or_create(
        process=process,
        defaults={
            "at": timezone.now(),
            "detail": detail[:200],
            "is_well": is_well,
            "started_at": STARTED,
        },
    )


class _First:
    """The first beat of a process finds the last one of the process before."""

    def __init__(self) -> None:
        self._is_over = False

    def notice(self, process: str) -> None:
        """Say so when the one before never said that it stops: it was killed, or it broke."""
        if self._is_over:
            return
        before = Heartbeat.objects.filter(process=process).exclude(started_at=STARTED).first()
        if before is not None and not _ended_in_order(before):
            ops.tell(
                "process.restarted",
                f"The process {process} started anew, and the one before did not say that it stops.",
                severity=Severity.ATTENTION,
                labels={"last_heard": before.at.isoformat(timespec="seconds")},
            )
        self._is_over = True


def _ended_in_order(before: Heartbeat) -> bool:
    return OpsEvent.objects.filter(
        kind="process.stopped", process=before.process, at__gte=before.started_at
    ).exists()


_first = _First()


def keep_beating(*processes: str) -> None:
    """Beat from a thread, for servers that have no loop of their own to do it in."""
    threading.Thread(target=_beat_forever, args=(processes,), name="heartbeat", daemon=True).start()


def _beat_forever(processes: tuple[str, ...]) -> None:
    pause = threading.Event()
    is_away = False
    while True:
        is_away = not _beat_once(processes, is_away=is_away)
        pause.wait(BEAT_SECONDS)


def _beat_once(processes: tuple[str, ...], *, is_away: bool = False) -> bool:
    try:
        for process in processes:
            beat(process, "serves")
    except DatabaseError as error:
        if not is_away:
            log.warning("the database is away: %s", error)
        return False
    finally:
        connections.close_all()
    return True
