"""One socket that carries many subscriptions, each of which is looked after by itself.

A socket that lives proves nothing about one subscription on it: a refused one arrives as an ordinary
message, and one may fall silent while its neighbours go on. So each has its own deadline for the
acknowledgement and, where its data is known to come regularly, its own watchdog. The first time it
is subscribed anew; the second time the whole connection is given up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

from venues.interface.errors import Cause, Rejected
from venues.transport.mailbox import Break, Mailbox, Overflow
from venues.transport.redact import redact_text
from venues.transport.websocket import Lost, Opened, WebSocketSession

ACKNOWLEDGED_WITHIN_SECONDS: Final = 10.0
_LOOK_EVERY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """One thing to listen to. `quiet_seconds`: its data comes at least that often."""

    channel: str
    symbol: str = ""
    overflow: Overflow = Overflow.RESET
    quiet_seconds: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one frame says about the subscriptions of its socket."""

    data_for: Sequence[Subscription] = ()
    acknowledged: Sequence[Subscription] = ()
    refused: Mapping[Subscription, str] = field(default_factory=dict)


class Dialect(Protocol):
    """How one venue subscribes and answers; it may fetch a token, so subscribing may wait."""

    def subscribe(
        self, wanted: Sequence[Subscription]
    ) -> Sequence[str] | Awaitable[Sequence[str]]: ...

    def unsubscribe(self, unwanted: Sequence[Subscription]) -> Sequence[str]: ...

    def hear(self, frame: bytes) -> Heard: ...


@dataclass(slots=True)
class _Member:
    mailbox: Mailbox
    is_acknowledged: bool = False
    heard_at: float = 0.0
    warnings: int = 0


class Link:
    def __init__(
        self,
        dialect: Dialect,
        *,
        open_session: Callable[[Callable[[], Awaitable[Sequence[str]]]], WebSocketSession],
        stopwatch: Callable[[], float],
        most_waiting: int,
    ) -> None:
        self._dialect = dialect
        self._session = open_session(self._hello)
        self._stopwatch = stopwatch
        self._most_waiting = most_waiting
        self._members: dict[Subscription, _Member] = {}
        self._greeted: frozenset[Subscription] = frozenset()
        self._is_open = False
        self._looked_at = 0.0

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription in self._members

    async def add(self, subscription: Subscription) -> Mailbox:
        """Subscribe, now or with the next hello."""
        mailbox = Mailbox(self._most_waiting, subscription.overflow)
        self._members[subscription] = _Member(mailbox, heard_at=self._stopwatch())
        if self._is_open:
            await self._subscribe([subscription])
        return mailbox

    async def remove(self, subscription: Subscription) -> None:
        member = self._members.pop(subscription, None)
        if member is None:
            return
        member.mailbox.close()
        if self._is_open and self._members:
            for text in self._dialect.unsubscribe([subscription]):
                await self._session.send(text)

    async def run(self) -> None:
        """Carry frames for ever; whatever ends it ends every member."""
        try:
            async with aclosing(self._session.frames()) as frames:
                async for frame in frames:
                    await self._take(frame)
        except Exception as error:
            for member in self._members.values():
                member.mailbox.fail(error)
            raise

    async def _take(self, frame: bytes | Opened | Lost) -> None:
        if isinstance(frame, Opened):
            self._is_open = True
            self._tell(Break("connected"))
            late = [one for one in self._members if one not in self._greeted]
            if late:
                await self._subscribe(late)
        elif isinstance(frame, Lost):
            self._is_open = False
            self._tell(Break(f"connection lost: {frame.reason}"))
        else:
            await self._deliver(frame)
            await self._look_after()

    async def _deliver(self, frame: bytes) -> None:
        heard = self._dialect.hear(frame)
        for subscription, reason in heard.refused.items():
            member = self._members.pop(subscription, None)
            if member is not None:
                words = f"the venue refused the subscription: {redact_text(reason)[:200]}"
                member.mailbox.fail(Rejected(words, cause=Cause.INVALID))
        for subscription in (*heard.acknowledged, *heard.data_for):
            if subscription in self._members:
                self._members[subscription].is_acknowledged = True
        for subscription in heard.data_for:
            member = self._members.get(subscription)
            if member is None:
                continue
            member.heard_at = self._stopwatch()
            member.warnings = 0
            if not await member.mailbox.put(frame):
                await self._again(subscription)

    async def _look_after(self) -> None:
        now = self._stopwatch()
        if now - self._looked_at < _LOOK_EVERY_SECONDS:
            return
        self._looked_at = now
        for subscription, member in list(self._members.items()):
            allowed = (
                subscription.quiet_seconds
                if member.is_acknowledged
                else ACKNOWLEDGED_WITHIN_SECONDS
            )
            if now - member.heard_at <= allowed:
                continue
            if member.warnings:
                name = f"{subscription.channel} {subscription.symbol}".strip()
                self._session.drop(f"{name} stays silent")
                return
            member.warnings += 1
            member.heard_at = now
            member.mailbox.put_break(Break("silent: subscribed anew"))
            await self._again(subscription)

    async def _again(self, subscription: Subscription) -> None:
        for text in self._dialect.unsubscribe([subscription]):
            await self._session.send(text)
        await self._subscribe([subscription])

    async def _subscribe(self, wanted: Sequence[Subscription]) -> None:
        for text in await self._words_for(wanted):
            await self._session.send(text)

    async def _words_for(self, wanted: Sequence[Subscription]) -> Sequence[str]:
        words = self._dialect.subscribe(wanted)
        return await words if isinstance(words, Awaitable) else words

    async def _hello(self) -> Sequence[str]:
        now = self._stopwatch()
        for member in self._members.values():
            member.is_acknowledged = False
            member.heard_at = now
            member.warnings = 0
        self._greeted = frozenset(self._members)
        return await self._words_for(list(self._members)) if self._members else ()

    def _tell(self, item: Break) -> None:
        for member in self._members.values():
            member.mailbox.put_break(item)
