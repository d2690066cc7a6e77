"""Lets calls of one key out one at a time, so that a later nonce never arrives first.

A venue that wants rising nonces refuses a call that overtook another. So a nonce is taken only
inside the gate, and the gate stays shut behind it until the request's bytes are written to the
socket (`Hold.WRITTEN`) or, for venues that count every nonce, until the answer came
(`Hold.ANSWERED`). Cancels and look-ups of orders in doubt go to the head of the line.

Across processes the line is a `Lease`: whoever holds it takes the next nonce, and that nonce is
kept beside it, so a holder that died or slept too long is overtaken by a higher number and never
the reverse. When the lease's store is away (`LeaseAway`) a gate goes on in one of two stated ways:

  `Alone.OWN_DIGITS`   nonces from the clock, the last digits of which belong to this process: two
                       processes never make the same, and a call that is overtaken between processes
                       is refused by the venue, unsent
  `Alone.REFUSE`       nothing is sent: for venues where a wrong nonce costs more than a late call
"""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Final, Protocol

from venues.interface.errors import Cause
from venues.transport.answers import HeldBack
from venues.transport.operation import Priority

OWN_DIGITS: Final = 1000
LEASE_WAIT_SECONDS: Final = {Priority.RESCUE: 5.0, Priority.ORDER: 1.0, Priority.READ: 2.0}
LEASE_POLL_SECONDS: Final = 0.01


class Unit(IntEnum):
    """What a venue's nonces count: so many a second. A key that saw a finer one takes no coarser."""

    MILLISECONDS = 1_000
    MICROSECONDS = 1_000_000
    NANOSECONDS = 1_000_000_000

    def clock(self, nanoseconds: Callable[[], int]) -> Callable[[], int]:
        divisor = Unit.NANOSECONDS // self
        return lambda: nanoseconds() // divisor


class Hold(Enum):
    """How long the gate stays shut behind a call."""

    WRITTEN = auto()
    ANSWERED = auto()


class Alone(Enum):
    """What a gate does when it cannot hear of other processes."""

    OWN_DIGITS = auto()
    REFUSE = auto()


class LeaseAway(Exception):
    """The store of the lease does not answer."""


class Lease(Protocol):
    """The right to send with one key, held by one sender of one process at a time."""

    async def take(self, floor: int) -> int | None:
        """Take the lease and the next nonce, above `floor` and all before; None while it is held."""
        ...

    async def give_back(self) -> None: ...


class Nonces:
    """Rising numbers of one key in this process, from the clock, safe from any thread.

    Where other processes use the key too, `slot` is this one's own value of the last `digits`
    numbers: 1000 of them are three digits.
    """

    def __init__(self, clock: Callable[[], int], *, slot: int = 0, digits: int = 1) -> None:
        self._clock = clock
        self._digits = digits
        self._slot = slot % digits
        self._last = 0
        self._lock = threading.Lock()

    def following(self) -> int:
        """Return the next nonce of this process: the clock's, or just above the last."""
        with self._lock:
            now = self._clock()
            found = now - now % self._digits + self._slot
            if found <= self._last:
                found = self._last - self._last % self._digits + self._digits + self._slot
            self._last = found
            return found

    def saw(self, nonce: int) -> None:
        """Stay above a nonce that another process, or a lease, has given out."""
        with self._lock:
            self._last = max(self._last, nonce)

    @property
    def floor(self) -> int:
        with self._lock:
            return max(self._last, self._clock() - 1)


@dataclass(slots=True)
class Passage:
    """One call inside the gate."""

    nonce: int
    _release: Callable[[], Awaitable[None]]
    _is_released: bool = False

    async def release(self) -> None:
        """Let the next call in; doing it twice is harmless."""
        if not self._is_released:
            self._is_released = True
            await self._release()


class _Line:
    """A lock whose waiters are served by priority, then by arrival."""

    def __init__(self) -> None:
        self._is_held = False
        self._arrivals = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    async def enter(self, priority: Priority) -> None:
        if not self._is_held:
            self._is_held = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (priority, self._arrivals, turn))
        try:
            await turn
        except asyncio.CancelledError:
            # The turn may have come in the same moment: pass it on.
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._is_held = False


class SendGate:
    """The gate of one key in one process and event loop."""

    def __init__(
        self,
        nonces: Nonces,
        *,
        lease: Lease | None = None,
        alone: Alone = Alone.OWN_DIGITS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._nonces = nonces
        self._lease = lease
        self._alone = alone
        self._sleep = sleep
        self._line = _Line()

    @asynccontextmanager
    async def passage(self, priority: Priority) -> AsyncGenerator[Passage, None]:
        """Wait for the turn, take a nonce, and keep others out until released or left."""
        await self._line.enter(priority)
        try:
            nonce, is_leased = await self._take(priority)
        except BaseException:
            self._line.leave()
            raise

        async def release() -> None:
            try:
                if is_leased and self._lease is not None:
                    await self._lease.give_back()
            except LeaseAway:
                # It ends by itself; the next holder's nonce is above ours either way.
                pass
            finally:
                self._line.leave()

        passage = Passage(nonce, release)
        try:
            yield passage
        finally:
            await passage.release()

    async def _take(self, priority: Priority) -> tuple[int, bool]:
        if self._lease is None:
            return self._nonces.following(), False
        waited = 0.0
        try:
            while True:
                nonce = await self._lease.take(self._nonces.floor)
                if nonce is not None:
                    self._nonces.saw(nonce)
                    return nonce, True
                if waited >= LEASE_WAIT_SECONDS[priority]:
                    message = "other processes are sending with this key"
                    raise HeldBack(message, cause=Cause.TEMPORARY)
                await self._sleep(LEASE_POLL_SECONDS)
                waited += LEASE_POLL_SECONDS
        except LeaseAway as error:
            if self._alone is Alone.REFUSE:
                message = "whether another process is sending with this key cannot be known now"
                raise HeldBack(message, cause=Cause.TEMPORARY) from error
            return self._nonces.following(), False
