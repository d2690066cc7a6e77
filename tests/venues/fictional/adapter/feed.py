"""Harbour's socket: every message of a connection counts up by one, so a hole shows itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from tests.venues.fictional.adapter import wire
from tests.venues.fictional.adapter.normalizer import (
    STATES,
    read_book_event,
    read_order,
    read_trade,
)
from tests.venues.fictional.adapter.signer import HarbourAuth
from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import decode
from venues.adapters.kit.stream import Counter, Dialect, Gap, Restart, Say
from venues.interface.types import BookEvent, BookEventKind, OrderUpdate, Trade

T = TypeVar("T")


class Feed(Dialect[T]):
    """One topic; the venue's word that it is followed is the proof."""

    topic = ""

    def __init__(
        self, symbols: Sequence[str], around: Surroundings, signer: HarbourAuth | None = None
    ) -> None:
        super().__init__(around, wire.KNOWN)
        self.what = self.topic
        self.symbols = list(dict.fromkeys(symbols))
        self._signer = signer

    def hello(self) -> list[str]:
        proof = self._signer.following(self.topic) if self._signer else {}
        message = {"topic": self.topic, "markets": self.symbols, **proof}
        return [msgspec.json.encode(message).decode()]

    def begin(self) -> None:
        super().begin()
        self._counter = Counter()

    def read(self, frame: bytes) -> Iterator[T | Gap | Say]:
        said = decode(frame, wire.Message)
        self.look(wire.Message, frame)
        number = self._counter.take(said.n)
        if isinstance(number, Gap):
            yield self.lost(number)
        if number is False:
            return
        if said.what == "no":
            message = f"the venue refused the subscription: {said.text}"
            raise Restart(message)
        if said.what == "following":
            self.is_ready = True
            yield from self.proven()
        else:
            yield from self.events(said)

    def lost(self, gap: Gap) -> Gap:
        """Say what a hole means; whoever cannot go on after one raises `Restart`."""
        return gap

    def proven(self) -> Iterator[Gap]:
        return iter(())

    def events(self, said: wire.Message) -> Iterator[T]:
        raise NotImplementedError

    def strange(self, said: wire.Message) -> None:
        if said.what != "beat":
            self.drift("unknown message", said.what[:80])


class Books(Feed[BookEvent]):
    topic = "book"

    def lost(self, gap: Gap) -> Gap:
        raise Restart(gap.reason)

    def events(self, said: wire.Message) -> Iterator[BookEvent]:
        now = self.around.now()
        if said.what == "book":
            yield read_book_event(said, BookEventKind.SNAPSHOT, now)
        elif said.what == "change":
            yield read_book_event(said, BookEventKind.UPDATE, now)
        elif said.what == "beat":
            for symbol in self.symbols:
                said.market = symbol
                yield read_book_event(said, BookEventKind.UPDATE, now)
        else:
            self.strange(said)


class Trades(Feed[Trade]):
    topic = "trades"

    def events(self, said: wire.Message) -> Iterator[Trade]:
        if said.trade is not None:
            yield read_trade(said.market, said.trade, self.around.now())
        else:
            self.strange(said)


class Executions(Feed[OrderUpdate]):
    topic = "orders"

    def proven(self) -> Iterator[Gap]:
        # An order may have ended between the connect and this moment: read from here.
        yield Gap("subscribed")

    def events(self, said: wire.Message) -> Iterator[OrderUpdate]:
        if said.what != "order":
            self.strange(said)
            return
        now = self.around.now()
        order = read_order(said.order, now)
        self.look(wire.Order, said.order)
        if order.raw.get("state") not in STATES:
            self.drift("unknown order state", str(order.raw.get("state"))[:80])
        yield OrderUpdate(order=order, is_snapshot=False, received_at=now)
