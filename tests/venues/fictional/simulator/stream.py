"""Harbour's socket: one topic a subscription, every message numbered, a beat each second."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.venues.fictional.simulator import shapes
from tests.venues.fictional.simulator.rest import Doorkeeper, Failed
from venues.interface.types import BookSide
from venues.simulator.delivery import Line
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults, Kind
from venues.simulator.settlement import News
from venues.simulator.web import Socket


class Follow(msgspec.Struct):
    topic: str
    markets: list[str]
    key: str = ""
    time: str = ""
    sign: str = ""


class Hub:
    """Everybody connected, and what is sent to all of them."""

    def __init__(self, exchange: Exchange, door: Doorkeeper, faults: Faults) -> None:
        self.exchange = exchange
        self.door = door
        self.faults = faults
        self.connections: dict[Connection, None] = {}

    async def serve(self, socket: Socket) -> None:
        connection = Connection(self, socket)
        self.connections[connection] = None
        try:
            await socket.run(connection.receive)
        finally:
            self.connections.pop(connection, None)

    def publish(self, news: News) -> None:
        for market in self.exchange.markets:
            changed = self.exchange.drain_levels(market)
            if changed:
                sides = {side: [one for one in changed if one.side is side] for side in BookSide}
                self._to("book", market, "change", _book(sides))
        for trade in news.trades:
            self._to("trades", trade.market, "trade", {"trade": shapes.trade(trade)})
        for order in news.orders.values():
            for one in list(self.connections):
                if one.account == order.account:
                    market = order.instruction.symbol
                    one.tell("orders", market, "order", {"order": shapes.order(order)})

    def second(self) -> None:
        for connection in list(self.connections):
            connection.send("beat", {"what": "beat"})

    def _to(self, topic: str, market: str, what: str, more: dict[str, Any]) -> None:
        for connection in list(self.connections):
            connection.tell(topic, market, what, more)


class Connection:
    """One client's socket and what it follows."""

    def __init__(self, hub: Hub, socket: Socket) -> None:
        self._hub = hub
        self._line = Line(socket)
        self._subscribed: dict[str, set[str]] = {}
        self._number = 0
        self.account = ""

    def tell(self, topic: str, market: str, what: str, more: dict[str, Any]) -> None:
        if market in self._subscribed.get(topic, ()):
            self.send(topic, {"what": what, "market": market, **more})

    def send(self, topic: str, message: dict[str, Any]) -> None:
        """Number a message and send it, unless a fault says otherwise."""
        fault = self._hub.faults.take_socket(topic)
        self._number += 2 if fault and fault.kind is Kind.GAP else 1
        self._line.send(msgspec.json.encode({"n": self._number, **message}), fault)

    def receive(self, frame: bytes) -> None:
        try:
            said = msgspec.json.decode(frame, type=Follow)
            if said.topic == "orders":
                signed = f"follow{said.topic}".encode()
                key = self._hub.door.check(said.key, said.time, said.sign, signed)
                self.account = key.account_ref
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.send("answer", {"what": "no", "text": "not a message"})
            return
        except Failed as error:
            self.send("answer", {"what": "no", "text": str(error)})
            return
        # A change made before now belongs to the whole book, not to a change after it.
        self._hub.publish(News())
        self._subscribed.setdefault(said.topic, set()).update(said.markets)
        self.send("answer", {"what": "following", "topic": said.topic})
        for market in said.markets if said.topic == "book" else ():
            bids, asks = self._hub.exchange.book(market)
            self.tell("book", market, "book", _book({BookSide.BID: bids, BookSide.ASK: asks}))


def _book(sides: dict[BookSide, Any]) -> dict[str, Any]:
    return {"bids": shapes.levels(sides[BookSide.BID]), "asks": shapes.levels(sides[BookSide.ASK])}
