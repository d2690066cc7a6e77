"""The last minutes of public market data as it came, and what of it was around one moment.

Most of it is never looked at again, so nothing is redacted, parsed or written before somebody asks
for a span. Two bounds hold whatever a venue sends: an age and a number of bytes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from venues.transport.tap import Direction, Kind, Raw

# What a frame costs in memory beside its text; most of them are short.
FRAME_COST: Final = 250


@dataclass(frozen=True, slots=True)
class Span:
    """What the ring still held of a span; `is_whole` when it reaches back to its beginning."""

    frames: tuple[Raw, ...]
    is_whole: bool


class Ring:
    """Listens to the public sockets of one venue; another thread may ask it for a span."""

    def __init__(
        self, *, seconds: float, most_bytes: int, wall: Callable[[], float] = time.time
    ) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._wall = wall
        self._frames: deque[Raw] = deque()
        self._lock = threading.Lock()
        self._since = wall()
        self.bytes = 0
        self.is_stopped = False
        self.heard: dict[str, float] = {}

    def now(self) -> float:
        return self._wall()

    def note(self, raw: Raw) -> None:
        if raw.kind is Kind.FRAME and raw.direction is Direction.RECEIVED:
            self.heard[raw.operation] = raw.at
        with self._lock:
            if self.is_stopped:
                return
            self._frames.append(raw)
            self.bytes += _size(raw)
            self._let_go(raw.at - self._seconds)

    def stop(self) -> None:
        """Hold nothing until told to go on."""
        with self._lock:
            self.is_stopped = True
            self._frames.clear()
            self.bytes = 0

    def go_on(self) -> None:
        with self._lock:
            if self.is_stopped:
                self.is_stopped = False
                self._since = self._wall()

    def span(self, since: float, until: float, *, about: str) -> Span:
        """Return the frames of a span that name a symbol."""
        name = about.encode()
        with self._lock:
            held = tuple(self._frames)
            is_whole = not self.is_stopped and self._since <= since
        found = tuple(raw for raw in held if since <= raw.at <= until and name in raw.body)
        return Span(found, is_whole=is_whole)

    def _let_go(self, before: float) -> None:
        while self._frames and (self._frames[0].at < before or self.bytes > self._most_bytes):
            gone = self._frames.popleft()
            self.bytes -= _size(gone)
            self._since = max(self._since, gone.at)


def _size(raw: Raw) -> int:
    return len(raw.body) + FRAME_COST
