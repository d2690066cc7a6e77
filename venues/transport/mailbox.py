"""Where frames wait for their reader: bounded, and with one stated rule for when it is full.

`Overflow.RESET`    market data in steps: what waits is worthless once a step is lost, so all of it
                    goes and the reader is told to start from a new snapshot
`Overflow.LATEST`   market data that stands alone, such as a ticker: the oldest goes
`Overflow.HOLD`     private: nothing is ever dropped; whoever puts waits, which holds the socket
                    back until the venue's own buffers fill
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import Enum


class Overflow(Enum):
    RESET = "reset"
    LATEST = "latest"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Break:
    """Continuity is gone: what came before and what comes next do not belong together."""

    reason: str


class Mailbox:
    """The frames of one subscription between its socket and its reader."""

    def __init__(self, most: int, overflow: Overflow) -> None:
        self._most = most
        self._overflow = overflow
        self._items: deque[bytes | Break] = deque()
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._failure: Exception | None = None
        self._is_closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: bytes | Break) -> bool:
        """Put a frame in; say False when the reader now needs a new snapshot."""
        if isinstance(item, Break):
            self.put_break(item)
            return True
        if self._overflow is Overflow.HOLD:
            while len(self._items) >= self._most and not self._is_closed:
                self._has_room.clear()
                await self._has_room.wait()
        elif len(self._items) >= self._most:
            if self._overflow is Overflow.RESET:
                self.dropped += len(self._items) + 1
                self._items.clear()
                self.put_break(Break("the reader is too slow"))
                return False
            self.dropped += 1
            self._items.popleft()
        self._items.append(item)
        self._arrived.set()
        return True

    def put_break(self, item: Break) -> None:
        """Put a break in at once; where frames are steps, those before it are worthless."""
        if self._overflow is Overflow.RESET:
            self._items.clear()
        self._items.append(item)
        self._arrived.set()

    async def get(self) -> bytes | Break:
        while not self._items:
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        item = self._items.popleft()
        self._has_room.set()
        return item

    def fail(self, failure: Exception) -> None:
        """Tell the reader, after what still waits, that nothing more will come."""
        self._failure = failure
        self._arrived.set()

    def close(self) -> None:
        """Let go of whoever waits to put something in: nobody reads any more."""
        self._is_closed = True
        self._has_room.set()
