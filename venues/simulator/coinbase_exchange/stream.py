"""This venue's feed: several channels a message, no numbers on books, one's own orders in `user`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.interface.types import BookSide, Side
from venues.simulator.coinbase_exchange import shapes
from venues.simulator.coinbase_exchange.signing import Doorkeeper, Unsigned
from venues.simulator.delivery import Line
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults, Kind
from venues.simulator.terms import PublicTrade, SimFill, SimOrder, State
from venues.simulator.web import Socket

SUBSCRIBE_WITHIN_SECONDS: Final = 5.0
_ALIASES: Final = {"level2_50": "level2_batch", "ticker_1000": "ticker_batch"}
_SIGNED: Final = frozenset({"level2", "user"})
_CHANNELS: Final = _SIGNED | {"heartbeat", "level2_batch", "matches", "ticker", "ticker_batch"}
_BOOKS: Final = ("level2", "level2_batch")
_SIDES: Final = {BookSide.BID: "buy", BookSide.ASK: "sell"}
_DONE: Final = {State.FILLED: "filled", State.CANCELLED: "canceled", State.EXPIRED: "canceled"}


class Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class Subscribe(msgspec.Struct):
    type: str
    product_ids: list[str] = []
    channels: list[str | Channel] = []
    signature: str = ""
    key: str = ""
    passphrase: str = ""
    timestamp: str | int | float = ""


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
        self.last_trades: dict[str, PublicTrade] = {}
        self._sequences = dict.fromkeys(exchange.markets, 1000)
        self._told = {order.order_id: order.fill_count for order in exchange.orders.values()}

    async def serve(self, socket: Socket) -> None:
        connection = Connection(self, socket)
        self.connections[connection] = None
        timer = asyncio.get_running_loop().call_later(
            SUBSCRIBE_WITHIN_SECONDS, connection.hang_up_if_idle
        )
        try:
            await socket.run(connection.receive)
        finally:
            timer.cancel()
            self.connections.pop(connection, None)

    def number(self, market: str) -> int:
        self._sequences[market] += 1
        return self._sequences[market]

    def publish(
        self,
        trades: Sequence[PublicTrade],
        orders: Iterable[SimOrder],
        fills: Sequence[SimFill],
    ) -> None:
        for market in self.exchange.markets:
            self._send_levels(market)
        for trade in trades:
            self.last_trades[trade.market] = trade
            self._to(trade.market, "matches", self.match(trade, kind="match"))
            self._to(trade.market, "ticker", self.ticker(trade.market))
        for order in orders:
            self._tell_owner(order, [one for one in fills if one.order_id == order.order_id])

    def second(self) -> None:
        for market in self.exchange.markets:
            last = self.last_trades.get(market)
            beat = {
                "type": "heartbeat",
                "sequence": self._sequences[market],
                "last_trade_id": int(last.trade_id) if last else 0,
                "product_id": market,
                "time": to_rfc3339(self.now()),
            }
            self._to(market, "heartbeat", beat)

    def _send_levels(self, market: str) -> None:
        levels = self.exchange.drain_levels(market)
        if levels:
            changes = [
                [_SIDES[one.side], plain(one.price), shapes.padded(one.quantity, 8)]
                for one in levels
            ]
            message = {
                "type": "l2update",
                "product_id": market,
                "changes": changes,
                "time": to_rfc3339(self.now()),
            }
            for channel in _BOOKS:
                self._to(market, channel, message)

    def _to(self, product: str, channel: str, message: dict[str, Any]) -> None:
        listeners = [one for one in self.connections if one.listens(channel, product)]
        if listeners:
            body = msgspec.json.encode(message)
            for connection in listeners:
                connection.send(channel, body)

    def match(self, trade: PublicTrade, *, kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "trade_id": int(trade.trade_id),
            "sequence": self.number(trade.market),
            "maker_order_id": shapes.name_of(trade.trade_id, "maker"),
            "taker_order_id": shapes.name_of(trade.trade_id, "taker"),
            "time": to_rfc3339(trade.at),
            "product_id": trade.market,
            "size": shapes.padded(trade.quantity, 8),
            "price": plain(trade.price),
            "side": trade.maker_side.value,
        }

    def ticker(self, market: str) -> dict[str, Any]:
        bids, asks = self.exchange.book(market)
        last = self.last_trades.get(market)
        price = plain(self.exchange.markets[market].last_price)
        return {
            "type": "ticker",
            "sequence": self.number(market),
            "product_id": market,
            "price": price,
            "open_24h": price,
            "volume_24h": "0",
            "low_24h": price,
            "high_24h": price,
            "volume_30d": "0",
            "best_bid": plain(bids[0].price) if bids else "0",
            "best_bid_size": plain(bids[0].quantity) if bids else "0",
            "best_ask": plain(asks[0].price) if asks else "0",
            "best_ask_size": plain(asks[0].quantity) if asks else "0",
            "side": "buy",
            "time": to_rfc3339(self.now()),
            "trade_id": int(last.trade_id) if last else 0,
            "last_size": shapes.padded(last.quantity, 8) if last else "0",
        }

    # One's own orders

    def _tell_owner(self, order: SimOrder, fills: Sequence[SimFill]) -> None:
        """Tell an order's owner what happened to it since it was last told of."""
        is_new = order.order_id not in self._told
        self._told[order.order_id] = order.fill_count
        if self.faults.hides_order(order.order_id, self.now()):
            return
        messages = [self._received(order)] if is_new else []
        messages += [self._own_match(order, fill) for fill in fills]
        if order.state is not State.OPEN:
            messages.append(self._done(order))
        elif is_new:
            messages.append(self._resting(order))
        for message in messages:
            body = msgspec.json.encode(message)
            for connection in list(self.connections):
                is_owner = connection.account == order.account
                if is_owner and connection.listens("user", order.instruction.symbol):
                    connection.send("user", body)

    def _own(self, kind: str, order: SimOrder) -> dict[str, Any]:
        return {
            "type": kind,
            "time": to_rfc3339(self.now()),
            "product_id": order.instruction.symbol,
            "sequence": self.number(self.exchange.products[order.instruction.symbol].market),
            "order_id": order.order_id,
            "side": order.instruction.side.value,
            "user_id": shapes.name_of(order.account, "user"),
            "profile_id": shapes.name_of(order.account, "profile"),
        }

    def _received(self, order: SimOrder) -> dict[str, Any]:
        asked = order.instruction
        message = self._own("received", order)
        if asked.limit_price is None:
            message["order_type"] = "market"
        else:
            message |= {"order_type": "limit", "price": plain(asked.limit_price)}
        if asked.quantity is not None:
            message["size"] = plain(asked.quantity)
        if asked.notional is not None:
            message["funds"] = plain(asked.notional)
        if shapes.client_id_of(order):
            message["client_oid"] = shapes.client_id_of(order)
        return message

    def _resting(self, order: SimOrder) -> dict[str, Any]:
        if not order.is_triggered:
            return {
                **self._own("activate", order),
                "timestamp": f"{self.now().timestamp():.6f}",
                "stop_type": "entry" if order.is_buy else "loss",
                "stop_price": plain(order.instruction.stop_price or order.limit_price),
                "size": plain(order.remaining),
                "private": True,
            }
        return {
            **self._own("open", order),
            "price": plain(order.limit_price),
            "remaining_size": plain(order.remaining),
        }

    def _own_match(self, order: SimOrder, fill: SimFill) -> dict[str, Any]:
        role, other = ("maker", "taker") if fill.is_maker else ("taker", "maker")
        fees = self.exchange.fees
        message = self._own("match", order)
        del message["order_id"]
        maker_side = fill.side if fill.is_maker else _opposite(fill.side)
        return message | {
            "trade_id": int(fill.trade_id),
            f"{role}_order_id": order.order_id,
            f"{other}_order_id": shapes.name_of(fill.trade_id, other),
            f"{role}_user_id": message["user_id"],
            f"{role}_profile_id": message["profile_id"],
            f"{role}_fee_rate": plain(fees.maker if fill.is_maker else fees.taker),
            "size": shapes.padded(fill.quantity, 8),
            "price": plain(fill.price),
            "side": maker_side.value,
            "time": to_rfc3339(fill.at),
        }

    def _done(self, order: SimOrder) -> dict[str, Any]:
        message = self._own("done", order) | {"reason": _DONE[order.state]}
        if order.state is State.EXPIRED:
            message["cancel_reason"] = "101:Time In Force"
        if order.instruction.limit_price is not None:
            message["price"] = plain(order.limit_price)
            message["remaining_size"] = plain(order.remaining)
        return message


class Connection:
    """One client's socket and what it subscribed to."""

    def __init__(self, hub: Hub, socket: Socket) -> None:
        self._hub = hub
        self._socket = socket
        self._line = Line(socket)
        self._subscribed: dict[str, set[str]] = {}
        self.account = ""

    def listens(self, channel: str, product: str) -> bool:
        return product in self._subscribed.get(channel, ())

    def hang_up_if_idle(self) -> None:
        if not self._subscribed:
            self._socket.hang_up()

    def send(self, channel: str, message: bytes) -> None:
        """Send a message, unless a fault says otherwise; books have no number to skip."""
        fault = self._hub.faults.take_socket(channel)
        if fault is None or fault.kind is not Kind.GAP:
            self._line.send(message, fault)

    def receive(self, frame: bytes) -> None:
        try:
            said = msgspec.json.decode(frame, type=Subscribe)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._complain("Malformed JSON")
            return
        if said.type not in {"subscribe", "unsubscribe"}:
            self._complain("Unknown type")
        elif not said.channels:
            self._complain("No channels provided")
        else:
            self._change(said)

    def _change(self, said: Subscribe) -> None:
        wanted = {}
        for one in said.channels:
            channel = one if isinstance(one, Channel) else Channel(name=one)
            name = _ALIASES.get(channel.name, channel.name)
            wanted[name] = {*channel.product_ids, *said.product_ids}
        if not self._allows(wanted, said):
            return
        # A change made before now belongs to the snapshot, not to an update after it.
        self._hub.publish([], [], [])
        for name, products in wanted.items():
            known = self._subscribed.setdefault(name, set())
            if said.type == "unsubscribe":
                known -= products or set(known)
            else:
                fresh = products - known
                known |= products
                self._snapshot(name, sorted(fresh))
            if not known:
                del self._subscribed[name]
        self._acknowledge()

    def _allows(self, wanted: dict[str, set[str]], said: Subscribe) -> bool:
        for name, products in wanted.items():
            unknown = products - self._hub.exchange.products.keys()
            if name not in _CHANNELS:
                self._complain("Failed to subscribe", f"{name:.40} is not a valid channel")
                return False
            if unknown:
                reason = f"{min(unknown):.40} is not a valid product"
                self._complain("Failed to subscribe", reason)
                return False
        needs_key = said.type == "subscribe" and bool(_SIGNED & wanted.keys())
        return not (needs_key or said.signature) or self._sign_in(said)

    def _sign_in(self, said: Subscribe) -> bool:
        if not said.signature:
            words = "level2, level3, and full channels now require authentication."
            self._complain("Failed to subscribe", words)
            return False
        try:
            key = self._hub.door.subscription(
                key_id=said.key,
                passphrase=said.passphrase,
                signature=said.signature,
                timestamp=str(said.timestamp),
            )
        except Unsigned as error:
            self._complain("Authentication Failed", f'{{"message":"{error}"}}')
            return False
        self._hub.exchange.open_account(key.account_ref, key.balances)
        self.account = key.account_ref
        return True

    def _snapshot(self, channel: str, products: Sequence[str]) -> None:
        for product in products:
            if channel in _BOOKS:
                bids, asks = self._hub.exchange.book(product)
                message = {
                    "type": "snapshot",
                    "product_id": product,
                    "bids": [[plain(one.price), shapes.padded(one.quantity, 8)] for one in bids],
                    "asks": [[plain(one.price), shapes.padded(one.quantity, 8)] for one in asks],
                    "time": to_rfc3339(self._hub.now()),
                }
                self.send(channel, msgspec.json.encode(message))
            elif channel == "matches" and (last := self._hub.last_trades.get(product)):
                self.send(channel, msgspec.json.encode(self._hub.match(last, kind="last_match")))
            elif channel in {"ticker", "ticker_batch"}:
                self.send(channel, msgspec.json.encode(self._hub.ticker(product)))

    def _acknowledge(self) -> None:
        channels = [
            {"name": name, "product_ids": sorted(products)}
            for name, products in self._subscribed.items()
        ]
        message = {"type": "subscriptions", "channels": channels}
        self.send("subscriptions", msgspec.json.encode(message))

    def _complain(self, message: str, reason: str = "") -> None:
        body = {"type": "error", "message": message, **({"reason": reason} if reason else {})}
        self._socket.write(msgspec.json.encode(body))


def _opposite(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY
