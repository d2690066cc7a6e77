"""This venue's feed: several channels of one purpose a socket.

Books carry no number: delivery holds while connected, and a new connection brings a new snapshot.
Trades count up one by one for each product, so a hole shows itself there, and in the heartbeat's
last trade. Own orders cannot be seen to be missing, so every word on one is a hint to read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from venues.adapters.coinbase_exchange import wire
from venues.adapters.coinbase_exchange.normalizer import (
    SIDES,
    read_received,
    read_snapshot,
    read_ticker,
    read_trade,
    read_update,
    still,
)
from venues.adapters.coinbase_exchange.signer import ExchangeAuth
from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import Answer, Unreadable, decode
from venues.adapters.kit.stream import Dialect, Gap, Restart, Say
from venues.interface.types import BookEvent, OrderRef, OrderUpdate, Side, Ticker, Trade

T = TypeVar("T")

HEARTBEAT: Final = "heartbeat"


class Feed(Dialect[T]):
    """Messages of some channels; the first of a kind in `proofs` shows that a subscription works."""

    channels: Sequence[str] = ()
    proofs: tuple[type[wire.Message], ...] = ()

    def __init__(
        self,
        symbols: Sequence[str],
        around: Surroundings,
        *,
        signer: ExchangeAuth | None = None,
    ) -> None:
        super().__init__(around, wire.KNOWN)
        self.what = self.channels[0]
        self.symbols = list(dict.fromkeys(symbols))
        self._signer = signer

    def hello(self) -> list[str]:
        message: dict[str, object] = {
            "type": "subscribe",
            "product_ids": self.symbols,
            "channels": list(self.channels),
        }
        if self._signer is not None:
            message |= self._signer.subscription()
        return [msgspec.json.encode(message).decode()]

    def read(self, frame: bytes) -> Iterator[T | Gap | Say]:
        try:
            said: wire.Message = wire.MESSAGES.read(frame)
        except Unreadable:
            self._unread(frame, decode(frame, wire.Head))
            return
        self.look(type(said), frame)
        if not self.is_ready and isinstance(said, self.proofs):
            self.is_ready = True
            yield from self.proven()
        yield from self.events(said, frame)

    def _unread(self, frame: bytes, head: wire.Head) -> None:
        """Say what a message is that could not be read."""
        if head.type == "error":
            self.look(wire.Head, frame)
            message = f"the venue refused the subscription: {head.message} {head.reason or ''}"
            raise Restart(message.strip())
        if head.type in wire.MESSAGES.tags:
            message = f"a {head.type} that is none"
            raise Unreadable(message)
        self.drift("unknown message type", head.type[:80])

    def events(self, said: wire.Message, frame: bytes, /) -> Iterator[T | Gap | Say]:
        """Read what one message means; the frame is what it was read from."""
        raise NotImplementedError


class Books(Feed[BookEvent]):
    channels = ("level2_batch", HEARTBEAT)
    proofs = (wire.Snapshot,)

    def events(self, said: wire.Message, _frame: bytes, /) -> Iterator[BookEvent | Gap | Say]:
        now = self.around.now()
        if isinstance(said, wire.Update):
            yield read_update(said, now)
        elif isinstance(said, wire.Snapshot):
            yield read_snapshot(said, now)
        elif isinstance(said, wire.Heartbeat):
            yield still(said, now)


class Trades(Feed[Trade]):
    channels = ("matches", HEARTBEAT)
    proofs = (wire.LastMatch, wire.Heartbeat)

    def begin(self) -> None:
        super().begin()
        self._last: dict[str, int] = {}
        self._behind: set[str] = set()

    def events(self, said: wire.Message, _frame: bytes, /) -> Iterator[Trade | Gap | Say]:
        if isinstance(said, wire.Heartbeat):
            yield from self._compare(said)
        if not isinstance(said, wire.Match):
            return
        last = self._last.get(said.product_id)
        self._last[said.product_id] = max(said.trade_id, last or 0)
        self._behind.discard(said.product_id)
        if isinstance(said, wire.LastMatch) or (last is not None and said.trade_id <= last):
            return
        if last is not None and said.trade_id > last + 1:
            yield Gap(f"trades of {said.product_id} missing: {said.trade_id} after {last}")
        yield read_trade(said, self.around.now())

    def _compare(self, head: wire.Heartbeat) -> Iterator[Gap]:
        """Notice trades that never came: twice behind the heartbeat is no coincidence."""
        last = self._last.get(head.product_id)
        if last is None or head.last_trade_id is None or head.last_trade_id <= last:
            self._behind.discard(head.product_id)
        elif head.product_id in self._behind:
            self._behind.discard(head.product_id)
            self._last[head.product_id] = head.last_trade_id
            yield Gap(f"trades of {head.product_id} missing up to {head.last_trade_id}")
        else:
            self._behind.add(head.product_id)


class Tickers(Feed[Ticker]):
    channels = ("ticker", HEARTBEAT)
    proofs = (wire.Ticker,)

    def events(self, said: wire.Message, _frame: bytes, /) -> Iterator[Ticker | Gap | Say]:
        if isinstance(said, wire.Ticker):
            yield read_ticker(said, self.around.now())


class Executions(Feed[OrderUpdate | OrderRef]):
    """Words on own orders: the first one whole, each later one as a reference to read."""

    channels = ("user", HEARTBEAT)
    proofs = (wire.Heartbeat,)

    def proven(self) -> Iterator[OrderUpdate | OrderRef | Gap | Say]:
        # An order may have ended between the connect and this moment: read from here.
        yield Gap("subscribed")

    def events(
        self, said: wire.Message, frame: bytes, /
    ) -> Iterator[OrderUpdate | OrderRef | Gap | Say]:
        if isinstance(said, wire.Received):
            now = self.around.now()
            order = read_received(said, Answer(frame).part(), now)
            yield OrderUpdate(order=order, is_snapshot=False, received_at=now)
        elif isinstance(said, wire.Opened):
            yield _named(said, said.order_id, SIDES.get(said.side))
        elif isinstance(said, wire.Match):
            ours = said.taker_order_id if said.taker_user_id else said.maker_order_id
            yield _named(said, ours, None)


def _named(said: wire.Message, order_id: str, side: Side | None) -> OrderRef:
    return OrderRef(symbol=said.product_id, client_order_id="", venue_order_id=order_id, side=side)
