"""Copies of every private frame, request and answer, for whoever keeps the evidence.

Noting a frame only puts it in line: redaction and writing happen in a thread of the tap, so the call
and the socket never wait for a disk. The sink sees redacted text only. Whatever the sink does, the
caller hears nothing of it; what could not be kept is counted, and the sink's owner asks for the
counts.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from venues.transport.redact import redact_text

MOST_WAITING: Final = 20_000
_PAUSE_SECONDS: Final = 0.2


class Direction(StrEnum):
    SENT = "sent"
    RECEIVED = "received"


class Kind(StrEnum):
    REQUEST = "request"
    ANSWER = "answer"
    FRAME = "frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One thing on the wire, as it was sent or received: may hold secrets.

    The `operation` of a frame is the stream it belongs to.
    """

    direction: Direction
    kind: Kind
    at: float
    body: bytes
    line: str = ""
    status: int = 0
    operation: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The same, redacted; `at` is Unix seconds by our clock, received or handed to the wire."""

    direction: Direction
    kind: Kind
    at: float
    text: str
    line: str
    status: int
    operation: str
    reference: str
    size: int = 0


class Listens(Protocol):
    """Whoever is given what passes on the wire. It must neither wait nor raise."""

    def now(self) -> float: ...

    def note(self, raw: Raw) -> None: ...


class Tap:
    """Hands copies to a sink, in order, in a thread of its own."""

    def __init__(
        self,
        sink: Callable[[Copy], None],
        *,
        wall: Callable[[], float] = time.time,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._sink = sink
        self._wall = wall
        self._waiting: deque[Raw] = deque()
        self._most_waiting = most_waiting
        self._is_wanted = threading.Event()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        self.lost = 0
        self.failed = 0
        # When each stream last brought something; a stream that hangs shows here first.
        self.heard: dict[str, float] = {}

    def now(self) -> float:
        return self._wall()

    def note(self, raw: Raw) -> None:
        """Put one in line; beyond what may wait it is counted as lost, never waited for."""
        if raw.kind is Kind.FRAME and raw.direction is Direction.RECEIVED:
            self.heard[raw.operation] = raw.at
        if len(self._waiting) >= self._most_waiting:
            self.lost += 1
            return
        self._waiting.append(raw)
        self._is_wanted.set()

    def drain(self) -> int:
        """Hand over what waits now; say how many."""
        handed = 0
        while self._waiting:
            self._hand_over(self._waiting.popleft())
            handed += 1
        return handed

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="tap", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Hand over what is left and end the thread."""
        self._is_over.set()
        self._is_wanted.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.drain()

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._is_wanted.wait(_PAUSE_SECONDS)
            self._is_wanted.clear()
            self.drain()

    def _hand_over(self, raw: Raw) -> None:
        try:
            self._sink(redacted(raw))
        except Exception:  # noqa: BLE001 -- a sink that fails must not end the tap
            self.failed += 1


def redacted(raw: Raw) -> Copy:
    """Copy it as it may be written down."""
    return Copy(
        direction=raw.direction,
        kind=raw.kind,
        at=raw.at,
        text=redact_text(raw.body.decode("utf-8", "replace")),
        line=redact_text(raw.line),
        status=raw.status,
        operation=raw.operation,
        reference=raw.reference,
        size=len(raw.body),
    )
