"""One subscription followed for ever: the venue's dialect says what a frame means, this the rest.

Whoever listens gets the dialect's items and, wherever continuity is lost, a `StreamReset`: on every
connect and loss, on a frame that cannot be read, and when a subscription never proves itself. A
refused subscription arrives as an ordinary message at most venues, so being connected proves
nothing: until the dialect has seen proof, a deadline runs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import Unreadable
from venues.adapters.kit.watching import Known, Watcher
from venues.interface.errors import NotSent, Rejected
from venues.interface.types import Order, OrderRef, OrderUpdate, StreamReset
from venues.transport.websocket import Lost, Opened, WebSocketSession

T = TypeVar("T")

READY_WITHIN_SECONDS: Final = 15.0


class Restart(Exception):
    """What this connection says can no longer be trusted; a new one is made."""


@dataclass(frozen=True, slots=True)
class Say:
    """A message the dialect wants sent on the present connection."""

    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something was lost; the listener reads again while the connection goes on."""

    reason: str


class Dialect(Generic[T]):
    """What one venue's socket needs. A venue overrides what it does differently."""

    what = "stream"

    def __init__(self, around: Surroundings, known: Known) -> None:
        self.around = around
        self.look = Watcher(known, around).look  # at each message that was read
        self.is_ready = False
        self._deadline = 0.0

    @abstractmethod
    def hello(self) -> Sequence[str]:
        """Say what is sent first on every connection, freshly signed."""

    @abstractmethod
    def read(self, frame: bytes) -> Iterator[T | Gap | Say]:
        """Say what a frame means; raise `Unreadable` or `Restart` to give the connection up."""

    def begin(self) -> None:
        """Forget what belonged to the former connection."""
        self.expect_proof()

    def expect_proof(self) -> None:
        self.is_ready = False
        self._deadline = self.around.persistence.stopwatch() + READY_WITHIN_SECONDS

    def proven(self) -> Iterator[T | Gap | Say]:
        """Say what follows from the subscription having begun."""
        return iter(())

    @property
    def is_late(self) -> bool:
        return not self.is_ready and self.around.persistence.stopwatch() > self._deadline

    def drift(self, kind: str, detail: str) -> None:
        self.around.on_drift(kind, detail)


class Numbered(Protocol):
    """The head of a message at a venue that counts what it sends on a connection."""

    @property
    def sequence_num(self) -> int | None: ...


H = TypeVar("H", bound=Numbered)


class Counted(Dialect[T], Generic[T, H]):
    """Messages with one number for all channels: in order, and nobody misses a hole in them."""

    def begin(self) -> None:
        super().begin()
        self._counter = Counter()

    @abstractmethod
    def head(self, frame: bytes) -> H | None:
        """Read what kind of message a frame is; none when it is reported and left out."""

    @abstractmethod
    def proves(self, said: H) -> bool:
        """Say whether a message shows that the subscription works."""

    @abstractmethod
    def events(self, said: H, frame: bytes, /) -> Iterable[T]:
        """Read what one message means; the frame is what it was read from."""

    def after_gap(self) -> Iterable[Say]:
        """Say what is asked for anew once something was lost."""
        return ()

    def read(self, frame: bytes) -> Iterator[T | Gap | Say]:
        said = self.head(frame)
        if said is None or said.sequence_num is None:
            return
        step = self._counter.take(said.sequence_num)
        if step is not True:
            if step is False:
                return
            yield step
            yield from self.after_gap()
        if not self.is_ready and self.proves(said):
            self.is_ready = True
            yield from self.proven()
        yield from self.events(said, frame)


class Follower(Generic[T]):
    """Carries a dialect's words over a socket that always comes back."""

    def __init__(self, url: str, dialect: Dialect[T]) -> None:
        self.dialect = dialect
        self._now = dialect.around.now
        self.session = WebSocketSession(
            url,
            hello=dialect.hello,
            persistence=dialect.around.persistence,
            tap=dialect.around.seams.guards.tap,
            name=dialect.what,
        )

    async def items(self) -> AsyncGenerator[T | StreamReset, None]:
        async with aclosing(self.session.frames()) as frames:
            async for frame in frames:
                if isinstance(frame, Opened):
                    self.dialect.begin()
                    yield self._reset("connected")
                elif isinstance(frame, Lost):
                    yield self._reset(f"connection lost: {frame.reason}")
                else:
                    for item in await self.take(frame):
                        yield item

    async def take(self, frame: bytes) -> list[T | StreamReset]:
        """Hand one frame to the dialect; what it could not use makes listeners read again."""
        found: list[T | StreamReset] = []
        try:
            for item in self.dialect.read(frame):
                if isinstance(item, Say):
                    await self.session.send(item.text)
                elif isinstance(item, Gap):
                    found.append(self._reset(item.reason))
                else:
                    found.append(item)
            if self.dialect.is_late:
                self._give_up(
                    f"no {self.dialect.what} data within {READY_WITHIN_SECONDS:g} s", found
                )
        except Unreadable as error:
            self.dialect.drift("unreadable message", str(error))
            self._give_up(f"unreadable message: {error}", found)
        except Restart as error:
            self._give_up(str(error), found)
        return found

    def _give_up(self, reason: str, found: list[T | StreamReset]) -> None:
        self.session.drop(reason)
        found.append(self._reset(reason))

    def _reset(self, reason: str) -> StreamReset:
        return StreamReset(reason=reason, received_at=self._now())


async def reading_hints(
    follower: Follower[OrderUpdate | OrderRef], get_order: Callable[[OrderRef], Awaitable[Order]]
) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
    """Follow a private stream that only names orders: each is read before it is told.

    One that cannot be read makes whoever listens read everything again.
    """
    async with aclosing(follower.items()) as items:
        async for item in items:
            if not isinstance(item, OrderRef):
                yield item
                continue
            try:
                order = await get_order(item)
            except (Rejected, NotSent) as error:
                now = follower.dialect.around.now()
                yield StreamReset(reason=f"an order could not be read: {error}", received_at=now)
            else:
                yield OrderUpdate(order=order, is_snapshot=False, received_at=order.received_at)


class Counter:
    """The rule of a number that grows by one with every message of a connection."""

    def __init__(self) -> None:
        self.last: int | None = None

    def take(self, number: int) -> Gap | bool:
        """Return True for the next one, False for an old one, a `Gap` for one too far ahead."""
        last = self.last
        if last is None or number == last + 1:
            self.last = number
            return True
        if number <= last:
            return False
        self.last = number
        return Gap(f"sequence gap: {number} after {last}")
