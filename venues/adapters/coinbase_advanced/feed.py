"""This venue's socket: one subscription a connection, one counter for all its channels.

The venue counts every envelope of a connection from zero, heartbeats and acknowledgements
included. A jump means something was dropped, and there is no replay and no checksum: listeners
read again, and books are subscribed anew to get a new snapshot. A lower number is an old message.
Every connection subscribes to heartbeats, or a quiet market would look like a dead socket; for a
book they are empty updates, proof that nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.normalizer import (
    read_level2,
    read_ticker,
    read_trade,
    read_user_order,
    still,
)
from venues.adapters.kit.channels import ChannelFeed, Envelope, Heartbeat
from venues.adapters.kit.reading import Answer
from venues.adapters.kit.stream import Gap, Say
from venues.interface.types import BookEvent, OrderStatus, OrderUpdate, Ticker, Trade


class Books(ChannelFeed[BookEvent]):
    messages, channel, data, proof_is_data = wire.MESSAGES, "level2", wire.Level2, True

    def after_gap(self) -> Iterator[Say]:
        self.expect_proof()
        yield Say(self.message("unsubscribe", self.channel))
        yield Say(self.message("subscribe", self.channel))

    def events(self, said: Envelope, _frame: bytes, /) -> Iterable[BookEvent]:
        now = self.around.now()
        if isinstance(said, Heartbeat):
            named = (symbol for symbols in self._listeners.values() for symbol in symbols)
            return [still(symbol, said, now) for symbol in named]
        return [
            read_level2(event, symbol, said, now)
            for event in (said.events if isinstance(said, wire.Level2) else ())
            for symbol in self._listeners.get(event.product_id, ())
        ]


class Trades(ChannelFeed[Trade]):
    messages, channel, data = wire.MESSAGES, "market_trades", wire.MarketTrades

    def events(self, said: Envelope, _frame: bytes, /) -> Iterable[Trade]:
        """Read one batch, oldest first, whichever way the venue sorted it."""
        now = self.around.now()
        found = [
            read_trade(trade, symbol, now)
            for event in (said.events if isinstance(said, wire.MarketTrades) else ())
            for trade in event.trades
            for symbol in self._listeners.get(trade.product_id, ())
        ]
        return sorted(found, key=attrgetter("venue_time"))


class Tickers(ChannelFeed[Ticker]):
    messages, channel, data = wire.MESSAGES, "ticker", wire.Tickers

    def events(self, said: Envelope, _frame: bytes, /) -> Iterable[Ticker]:
        now = self.around.now()
        return [
            read_ticker(ticker, symbol, said, now)
            for event in (said.events if isinstance(said, wire.Tickers) else ())
            for ticker in event.tickers
            for symbol in self._listeners.get(ticker.product_id, ())
        ]


class Executions(ChannelFeed[OrderUpdate]):
    messages, channel, data = wire.MESSAGES, "user", wire.User

    def proven(self) -> Iterator[OrderUpdate | Gap | Say]:
        # An order may have ended between the connect and this moment: read from here.
        yield Gap("subscribed")

    def events(self, said: Envelope, frame: bytes, /) -> Iterable[OrderUpdate]:
        if not isinstance(said, wire.User):
            return
        now, answer = self.around.now(), Answer(frame)
        for at, event in enumerate(said.events):
            for number, one in enumerate(event.orders or ()):
                order = read_user_order(one, answer.part("events", at, "orders", number), now)
                if order.status is OrderStatus.UNKNOWN:
                    self.drift("unknown order status", one.status[:80])
                yield OrderUpdate(
                    order=order, is_snapshot=event.type == "snapshot", received_at=now
                )
