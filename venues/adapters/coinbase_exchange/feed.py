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
from venues.adapters.kit.reading import decode
from venues.adapters.kit.stream import Dialect, Gap, Restart, Say
from venues.interface.types import BookEvent, OrderRef, OrderUpdate, Ticker, Trade

T = TypeVar("T")

HEARTBEAT: Final = "heartbeat"


class Feed(Dialect[T]):
    """Messages of some channels; the first of `proofs` shows that a subscription works."""

    channels: Sequence[str] = ()
    proofs: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    def __init__(
        self,
        symbols: Sequence[str],
        around: Surroundings,
        *,
        signer: ExchangeAuth | None = None,
    ) -> None:
        super().__init__(around)
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
        head = decode(frame, wire.Message)
        if head.type == "error":
            message = f"the venue refused the subscription: {head.message} {head.reason or ''}"
            raise Restart(message.strip())
        if head.type in self.proofs and not self.is_ready:
            self.is_ready = True
            yield from self.proven()
        if head.type in self.known or head.type in self.proofs:
            yield from self.events(head, frame)
        elif head.type not in {"subscriptions", HEARTBEAT}:
            self.drift("unknown message type", head.type[:80])

    def proven(self) -> Iterator[T | Gap | Say]:
        """Say what follows from the subscription having begun."""
        return iter(())

    def events(self, head: wire.Message, frame: bytes) -> Iterator[T | Gap | Say]:
        raise NotImplementedError


class Books(Feed[BookEvent]):
    channels = ("level2_batch", HEARTBEAT)
    proofs = frozenset({"snapshot"})
    known = frozenset({"l2update", HEARTBEAT})

    def events(self, head: wire.Message, frame: bytes) -> Iterator[BookEvent | Gap | Say]:
        now = self.around.now()
        if head.type == "snapshot":
            yield read_snapshot(frame, now)
        elif head.type == "l2update":
            yield read_update(frame, now)
        else:
            yield still(head.product_id, now)


class Trades(Feed[Trade]):
    channels = ("matches", HEARTBEAT)
    proofs = frozenset({"last_match", HEARTBEAT})
    known = frozenset({"match"})

    def begin(self) -> None:
        super().begin()
        self._last: dict[str, int] = {}
        self._behind: set[str] = set()

    def events(self, head: wire.Message, frame: bytes) -> Iterator[Trade | Gap | Say]:
        if head.type == HEARTBEAT:
            yield from self._compare(head)
            return
        said = decode(frame, wire.Match)
        last = self._last.get(said.product_id)
        self._last[said.product_id] = max(said.trade_id, last or 0)
        self._behind.discard(said.product_id)
        if head.type == "last_match" or (last is not None and said.trade_id <= last):
            return
        if last is not None and said.trade_id > last + 1:
            yield Gap(f"trades of {said.product_id} missing: {said.trade_id} after {last}")
        yield read_trade(said, self.around.now())

    def _compare(self, head: wire.Message) -> Iterator[Gap]:
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
    proofs = frozenset({"ticker"})

    def events(self, head: wire.Message, frame: bytes) -> Iterator[Ticker | Gap | Say]:
        if head.type == "ticker":
            yield read_ticker(frame, self.around.now())


class Executions(Feed[OrderUpdate | OrderRef]):
    """Words on own orders: the first one whole, each later one as a reference to read."""

    channels = ("user", HEARTBEAT)
    proofs = frozenset({HEARTBEAT})
    known = frozenset({"received", "open", "match", "done", "change", "activate"})

    def proven(self) -> Iterator[OrderUpdate | OrderRef | Gap | Say]:
        # An order may have ended between the connect and this moment: read from here.
        yield Gap("subscribed")

    def events(
        self, head: wire.Message, frame: bytes
    ) -> Iterator[OrderUpdate | OrderRef | Gap | Say]:
        if head.type == HEARTBEAT:
            return
        if head.type == "received":
            now = self.around.now()
            yield OrderUpdate(order=read_received(frame, now), is_snapshot=False, received_at=now)
            return
        order_id = head.order_id
        if head.type == "match":
            order_id = head.taker_order_id if head.taker_user_id else head.maker_order_id
        side = SIDES.get(head.side) if head.type != "match" else None
        yield OrderRef(
            symbol=head.product_id, client_order_id="", venue_order_id=order_id, side=side
        )
