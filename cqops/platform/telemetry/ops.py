"""The one way to tell what happens to the desk itself: streams, processes, venues, the log.

Whoever tells is never held up and never fails for it. A thread writes, on a connection of its own, so
what is told in a transaction that is taken back was told all the same. While the database is away
the oldest notes wait in a small buffer. Nothing here reaches programs or live pages: what happens to
the desk is no market data.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections
from django.utils import timezone
from django.utils.module_loading import import_string

from cqops.platform.telemetry.folding import Folding
from cqops.platform.telemetry.logs import request_id, trace_id
from cqops.platform.telemetry.models import OpsEvent
from cqops.platform.telemetry.notes import Note, Severity

log = logging.getLogger(__name__)
ROOM = 500
POLL_SECONDS = 1.0
PATIENCE_AT_THE_END = 2.0
FORGET = "SELECT telemetry_forget_ops_events(%s)"
Write = Callable[[Sequence[Note]], None]


def store(notes: Sequence[Note]) -> None:
    OpsEvent.objects.bulk_create(
        OpsEvent(
            **{name: getattr(note, name) for name in note.__slots__ if name != "labels"},
            labels=dict(note.labels),
        )
        for note in notes
    )


class Journal:
    """Takes notes in any thread and writes them in one of its own, started with the first."""

    def __init__(
        self,
        *,
        write: Write = store,
        clock: Callable[[], datetime] = timezone.now,
        room: int = ROOM,
    ) -> None:
        self._write = write
        self._clock = clock
        self._room = room
        self._folding = Folding()
        self._waiting: deque[Note] = deque()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_away = False
        self.dropped = 0

    def take(self, note: Note) -> None:
        with self._lock:
            self._keep(self._folding.take(note))
        self._wake.set()
        self.start()

    def start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ops-events", daemon=True)
                self._thread.start()

    def flush(self, *, is_end: bool = False) -> bool:
        """Write what waits; tell whether nothing is left. The end leaves no repeat uncounted."""
        with self._writing:
            with self._lock:
                self._keep(self._folding.rest() if is_end else self._folding.due(self._clock()))
                batch = list(self._waiting)
                self._waiting.clear()
            if batch and not self._goes_through(batch):
                with self._lock:
                    newer = list(self._waiting)
                    self._waiting.clear()
                    self._keep([*batch, *newer])
                return False
        return True

    def end(self, patience: float = PATIENCE_AT_THE_END) -> None:
        """Write the last notes, and let a database that is away hold up nobody for long."""
        last = threading.Thread(target=self._last, name="ops-events-end", daemon=True)
        last.start()
        last.join(patience)

    def _goes_through(self, batch: Sequence[Note]) -> bool:
        """Write, or say that it has to be tried again; what cannot be written at all is dropped."""
        try:
            self._write(batch)
        except (OperationalError, InterfaceError) as error:
            if not self._is_away:
                log.warning("ops events wait, the database is away: %s", error)
            self._is_away = True
            return False
        except Exception:
            log.exception("%d ops events could not be written and are dropped", len(batch))
        self._is_away = False
        return True

    def _keep(self, notes: Sequence[Note]) -> None:
        free = self._room - len(self._waiting)
        self._waiting.extend(notes[:free])
        for note in notes[free:]:
            self.dropped += 1
            log.warning("an ops event is dropped, too many wait: %s %s", note.kind, note.words)

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            self._flush_and_let_go()

    def _last(self) -> None:
        self._flush_and_let_go(is_end=True)

    def _flush_and_let_go(self, *, is_end: bool = False) -> None:
        try:
            self.flush(is_end=is_end)
        except Exception:  # the thread goes on whatever one pass met
            log.exception("ops events were not written")
        finally:
            connections.close_all()


journal = Journal()
_me = ""


def tell(
    kind: str,
    words: str,
    *,
    severity: Severity = Severity.INFO,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Note that something happened; what it is about belongs in the labels, which keep it apart."""
    try:
        journal.take(_note(kind, words, severity, labels or {}, at=timezone.now()))
    except Exception:  # telling must never break what it tells about
        log.exception("an ops event was not taken: %s", kind)


def _note(
    kind: str, words: str, severity: Severity, labels: Mapping[str, str], *, at: datetime
) -> Note:
    redact: Callable[[object], Any] = import_string(settings.AUDIT_REDACT)
    clean = redact({name: str(value) for name, value in labels.items()})
    return Note(
        at=at,
        since=at,
        process=_me or "command",
        severity=severity.value,
        kind=kind[:64],
        words=_fitted(redact(words), 500),
        labels=tuple(
            sorted((_fitted(name, 40), _fitted(text, 200)) for name, text in clean.items())
        ),
        request_id=request_id.get(),
        trace_id=trace_id.get(),
    )


def _fitted(text: str, size: int) -> str:
    """Leave out what PostgreSQL cannot hold, and what a column cannot."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:size]


def me() -> str:
    """Return which process of the desk this is; nothing in a command or a test."""
    return _me


def started(process: str) -> None:
    """Say which process this is, that it began, and, once it ends in order, that it ended."""
    global _me  # noqa: PLW0603 -- what a process is, is one thing a process
    _me = process
    tell("process.started", f"The process {process} started.")
    atexit.register(stopped)


def stopped(*, because: str = "") -> None:
    """Say that this process ends, once, and what broke it if something did."""
    global _me  # noqa: PLW0603 -- as above
    if not _me:
        return
    if because:
        tell("process.failed", f"The process {_me} broke: {because}", severity=Severity.URGENT)
    else:
        tell("process.stopped", f"The process {_me} stopped.")
    journal.end()
    _me = ""


def forget(*, now: datetime) -> int:
    """Forget events older than the desk keeps them: the only way any ever go."""
    before = now - timedelta(days=settings.OPS_EVENTS_KEEP_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [before])
        return int(cursor.fetchone()[0])
