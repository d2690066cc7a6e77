"""Hints go out here, in order and off the path of whoever gives them.

A doorbell or a push to a page may be lost: the row behind it is the truth and a sweep or a fresh read
finds it. So nothing waits for a broker that hangs, and a full queue drops the newest hint.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
from collections.abc import Callable
from functools import partial

log = logging.getLogger(__name__)
ROOM = 2_000
Hint = Callable[[], object]


class Background:
    """One daemon thread a process, started with the first hint and so after any fork."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: queue.Queue[Hint] = queue.Queue(ROOM)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def give(self, hint: Hint) -> None:
        self._start()
        try:
            # The thread that carries it out goes on with the ids of whoever gave it.
            self._waiting.put_nowait(partial(contextvars.copy_context().run, hint))
        except queue.Full:
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1_000 == 0:
                log.warning("%s: %d hints dropped, sweeps will make up", self._name, self.dropped)

    def wait(self) -> None:
        """Wait until everything given so far went out."""
        self._waiting.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            hint = self._waiting.get()
            try:
                hint()
            except Exception:  # a hint that fails must not end the thread that carries the others
                log.exception("%s: a hint failed", self._name)
            finally:
                self._waiting.task_done()


pushes = Background("live-pushes")
doorbells = Background("doorbells")
