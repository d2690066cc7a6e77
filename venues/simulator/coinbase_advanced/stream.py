"""This venue's two sockets: subscriptions, snapshots, one counter a connection, and its faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.simulator.coinbase_advanced import shapes
from venues.simulator.coinbase_advanced.signing import Doorkeeper
from venues.simulator.delivery import Line
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults, Kind
from venues.simulator.keys import BadToken
from venues.simulator.terms import PublicTrade, SimOrder
from venues.simulator.web import Socket

SUBSCRIBE_WITHIN_SECONDS: Final = 5.0
USER_BATCH: Final = 50
_MARKET_CHANNELS: Final = frozenset({"level2", "market_trades", "ticker", "ticker_batch"})
_ON_USER_SOCKET: Final = frozenset({"heartbeats", "user", "futures_balance_summary"})
_CHANNELS: Final = _MARKET_CHANNELS | _ON_USER_SOCKET
_MESSAGE_NAMES: Final = {"level2": "l2_data"}


class Subscribe(msgspec.Struct):
    type: str
    channel: str = ""
    product_ids: list[str] = []
    jwt: str = ""
    api_key: str = ""
    timestamp: str = ""
    signature: str = ""


class Hub:
    """Everybody connected, and what is sent to all of them."""

    def __init__(
        self, exchange: Exchange, door: Doorkeeper, faults: Faults, now: Callable[[], datetime]
    ) -> None:
        self.exchange = exchange
        self.door = door
        self.faults = faults
        self.now = now
        # In the order they came: what a fault hits first must not depend on chance.
        self.connections: dict[Connection, None] = {}

    async def serve(self, socket: Socket, *, is_user_socket: bool) -> None:
        connection = Connection(self, socket, is_user_socket=is_user_socket)
        self.connections[connection] = None
        timer = asyncio.get_running_loop().call_later(
            SUBSCRIBE_WITHIN_SECONDS, connection.hang_up_if_idle
        )
        try:
            await socket.run(connection.receive)
        finally:
            timer.cancel()
            self.connections.pop(connection, None)

    def publish(self, trades: Sequence[PublicTrade], orders: Iterable[SimOrder]) -> None:
        """Send what changed; each product's events are encoded once for everybody."""
        for market in self.exchange.markets:
            levels = self.exchange.drain_levels(market)
            if levels:
                self._send_levels(market, levels)
            prints = [trade for trade in trades if trade.market == market]
            if prints:
                self._send_trades(market, prints)
        for order in orders:
            if self.faults.hides_order(order.order_id, self.now()):
                continue
            body: bytes | None = None
            for connection in self._listening("user", order.instruction.symbol):
                if connection.account == order.account:
                    body = body or _events(
                        [{"type": "update", "orders": [shapes.user_shape(order)]}]
                    )
                    connection.send("user", body)

    def second(self) -> None:
        for connection in list(self.connections):
            connection.beat()

    def _send_levels(self, market: str, levels: Sequence[Any]) -> None:
        listeners = self._listening("level2", market)
        if listeners:
            at = to_rfc3339(self.now())
            updates = [shapes.level_shape(level, at) for level in levels]
            body = _events([{"type": "update", "product_id": market, "updates": updates}])
            for connection in listeners:
                connection.send("l2_data", body)

    def _send_trades(self, market: str, prints: Sequence[PublicTrade]) -> None:
        listeners = self._listening("market_trades", market)
        if listeners:
            # The venue lists the newest first.
            shown = [shapes.trade_shape(trade) for trade in reversed(prints)]
            body = _events([{"type": "update", "trades": shown}])
            for connection in listeners:
                connection.send("market_trades", body)
        for channel in ("ticker", "ticker_batch"):
            listeners = self._listening(channel, market)
            if listeners:
                body = _events([{"type": "update", "tickers": [self.ticker(market)]}])
                for connection in listeners:
                    connection.send(channel, body)

    def _listening(self, channel: str, product: str) -> list[Connection]:
        return [one for one in self.connections if one.listens(channel, product)]

    def ticker(self, market: str) -> dict[str, str]:
        bids, asks = self.exchange.book(market)
        last = plain(self.exchange.markets[market].last_price)
        return {
            "type": "ticker",
            "product_id": market,
            "price": last,
            "volume_24_h": "0",
            "low_24_h": last,
            "high_24_h": last,
            "low_52_w": last,
            "high_52_w": last,
            "price_percent_chg_24_h": "0",
            "best_bid": plain(bids[0].price) if bids else "",
            "best_bid_quantity": plain(bids[0].quantity) if bids else "",
            "best_ask": plain(asks[0].price) if asks else "",
            "best_ask_quantity": plain(asks[0].quantity) if asks else "",
        }


class Connection:
    """One client's socket: what it subscribed to and where its counter stands."""

    def __init__(self, hub: Hub, socket: Socket, *, is_user_socket: bool) -> None:
        self._hub = hub
        self._socket = socket
        self._line = Line(socket)
        self._is_user_socket = is_user_socket
        self._subscribed: dict[str, set[str]] = {}
        self._sequence = -1
        self._beats = 0
        self.account = ""

    def listens(self, channel: str, product: str) -> bool:
        products = self._subscribed.get(channel)
        if products is None:
            return False
        return product in products or (channel == "user" and not products)

    def hang_up_if_idle(self) -> None:
        if not self._subscribed:
            self._socket.hang_up()

    def beat(self) -> None:
        if "heartbeats" in self._subscribed:
            self._beats += 1
            now = self._hub.now()
            words = now.strftime("%Y-%m-%d %H:%M:%S.%f000 +0000 UTC")
            at = f"{words} m=+{self._beats}.000000001"
            self.send(
                "heartbeats", _events([{"current_time": at, "heartbeat_counter": self._beats}])
            )

    def send(self, channel: str, events: bytes) -> None:
        """Give a message its number and send it, unless a fault says otherwise."""
        fault = self._hub.faults.take_socket(channel)
        self._sequence += 2 if fault and fault.kind is Kind.GAP else 1
        now = self._hub.now().strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        head = (
            f'{{"channel":"{channel}","client_id":"","timestamp":"{now}",'
            f'"sequence_num":{self._sequence},"events":'
        )
        message = head.encode() + events + b"}"
        self._line.send(message, fault)

    def receive(self, frame: bytes) -> None:
        try:
            said = msgspec.json.decode(frame, type=Subscribe)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._complain("malformed message")
            return
        allowed = _ON_USER_SOCKET if self._is_user_socket else _CHANNELS
        if said.type not in {"subscribe", "unsubscribe"} or said.channel not in allowed:
            self._complain(f"{said.type:.20} {said.channel:.40} is not possible here")
            return
        if said.type == "unsubscribe":
            self._unsubscribe(said)
        else:
            self._subscribe(said)

    def _subscribe(self, said: Subscribe) -> None:
        if said.channel == "user" or said.jwt or said.api_key:
            try:
                key = self._hub.door.subscription(
                    jwt=said.jwt,
                    api_key=said.api_key,
                    timestamp=said.timestamp,
                    signature=said.signature,
                    channel=said.channel,
                    product_ids=said.product_ids,
                )
            except BadToken:
                self._complain("authentication failure")
                return
            self._hub.exchange.open_account(key.account_ref, key.balances)
            self.account = key.account_ref
        products: set[str] = set()
        for symbol in said.product_ids:
            product = self._hub.exchange.products.get(symbol)
            if product is None:
                self._complain(f"{symbol:.60} is not a valid product")
                return
            # Market channels speak of the book, the private one of the product.
            products.add(product.market if said.channel in _MARKET_CHANNELS else symbol)
        # A change made before now belongs to the snapshot, not to an update after it.
        self._hub.publish([], [])
        known = self._subscribed.setdefault(said.channel, set())
        fresh = products - known
        known |= products
        self._snapshot(said.channel, sorted(fresh))
        self._acknowledge()

    def _unsubscribe(self, said: Subscribe) -> None:
        if not said.product_ids:
            self._subscribed.pop(said.channel, None)
        elif said.channel in self._subscribed:
            for symbol in said.product_ids:
                product = self._hub.exchange.products.get(symbol)
                self._subscribed[said.channel] -= {symbol, product.market if product else symbol}
            if not self._subscribed[said.channel]:
                del self._subscribed[said.channel]
        self._acknowledge()

    def _snapshot(self, channel: str, products: Sequence[str]) -> None:
        if channel == "user":
            self._send_open_orders()
        for market in products:
            if channel == "level2":
                self.send("l2_data", self._whole_book(market))
            elif channel in {"ticker", "ticker_batch"}:
                tickers = [self._hub.ticker(market)]
                self.send(channel, _events([{"type": "snapshot", "tickers": tickers}]))

    def _whole_book(self, market: str) -> bytes:
        bids, asks = self._hub.exchange.book(market)
        updates = [shapes.level_shape(level, "1970-01-01T00:00:00Z") for level in bids + asks]
        return _events([{"type": "snapshot", "product_id": market, "updates": updates}])

    def _send_open_orders(self) -> None:
        """Send the open orders by fifties; the first smaller batch says that it was the last."""
        wanted = self._subscribed["user"]
        mine = [
            shapes.user_shape(order)
            for order in self._hub.exchange.open_orders(self.account)
            if not wanted or order.instruction.symbol in wanted
        ]
        for start in range(0, len(mine) + 1, USER_BATCH):
            batch = mine[start : start + USER_BATCH]
            self.send("user", _events([{"type": "snapshot", "orders": batch, "positions": {}}]))

    def _acknowledge(self) -> None:
        shown = {
            channel: sorted(products) or [self.account if channel == "user" else channel]
            for channel, products in self._subscribed.items()
        }
        self.send("subscriptions", _events([{"subscriptions": shown}]))

    def _complain(self, words: str) -> None:
        with contextlib.suppress(UnicodeEncodeError):
            self._socket.write(msgspec.json.encode({"type": "error", "message": words}))


def _events(events: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode(events)
