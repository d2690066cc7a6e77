"""One thread a process that writes down what calls and streams left in memory: frames, drift, readings.

It is started with the first client that is opened, and so after any fork. When the process ends in order it
writes once more, for a moment only; what a kill takes is what the last round had not reached yet.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

from django.db import connections

from venues.services.archiving import archive
from venues.services.drifting import drift
from venues.services.readings import readings

log = logging.getLogger(__name__)
ROUND_SECONDS = 0.25
PATIENCE_AT_THE_END = 3.0


class Writes(Protocol):
    def write_out(self) -> int: ...

    def end(self) -> None: ...


class Backstage:
    def __init__(self, writers: Callable[[], Sequence[Writes]]) -> None:
        self._writers = writers
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_over = threading.Event()

    def start(self) -> None:
        with self._lock:
            if self._thread is None:
                atexit.register(self.end)
                self._thread = threading.Thread(target=self._run, name="backstage", daemon=True)
                self._thread.start()

    def round(self) -> None:
        """Let each write; one that fails must not keep the others from it."""
        for writer in self._writers():
            try:
                writer.write_out()
            except Exception:
                log.exception("%s was not written out", type(writer).__name__)
        connections.close_all()

    def end(self) -> None:
        """Write once more, and let a database that is away hold up nobody for long."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_AT_THE_END)

    def _run(self) -> None:
        while not self._is_over.wait(ROUND_SECONDS):
            self.round()
        for writer in self._writers():
            try:
                writer.end()
            except Exception:
                log.exception("%s was not written out at the end", type(writer).__name__)
        connections.close_all()


class _WithStreams:
    """Readings, and among them when each private stream last brought something."""

    def write_out(self) -> int:
        now = readings()
        for (venue, account, stream), at in archive().heard().items():
            now.say(venue, "stream", stream, at=at, account=str(account or ""))
        return now.write_out()

    def end(self) -> None:
        self.write_out()


_streams = _WithStreams()


@cache
def backstage() -> Backstage:
    """Return the thread of this process."""
    return Backstage(lambda: (archive(), drift(), _streams))
