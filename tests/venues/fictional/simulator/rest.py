"""Harbour's REST: eight calls, signed by a MAC over time, method, target and body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tests.venues.fictional.simulator import shapes
from venues.interface.numbers import BadNumber, exact, plain
from venues.interface.times import from_rfc3339
from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.exchange import Exchange
from venues.simulator.keys import KeyEntry, KeyRing
from venues.simulator.limits import Bucket, Rate, RateLimits
from venues.simulator.replay import is_within
from venues.simulator.terms import CancelRefusal, Instruction, Refused, SimOrder
from venues.simulator.web import Request, Response

WINDOW_SECONDS = 30
LARGEST_PAGE = 500


class Failed(Exception):
    """An HTTP status and Harbour's code for it."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status


class Doorkeeper:
    """Checks who calls."""

    def __init__(self, keys: KeyRing, exchange: Exchange, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._exchange = exchange
        self._now = now

    def request(self, request: Request) -> KeyEntry:
        head = request.headers
        said = f"{request.method}{request.prefix}{request.target}".encode() + request.body
        return self.check(
            head.get("x-harbour-key", ""),
            head.get("x-harbour-time", ""),
            head.get("x-harbour-sign", ""),
            said,
        )

    def check(self, key_id: str, time: str, sign: str, said: bytes) -> KeyEntry:
        entry = self._keys.find(key_id)
        if entry is None:
            raise Failed(401, "no_key")
        sent = int(time) / 1000 if time.isdecimal() else 0.0
        if not is_within(sent, self._now().timestamp(), late=WINDOW_SECONDS):
            raise Failed(401, "bad_time")
        made = hmac.new(entry.secret.encode(), time.encode() + said, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(made, sign):
            raise Failed(401, "bad_sign")
        self._exchange.open_account(entry.account_ref, entry.balances)
        return entry


class CreateOrder(msgspec.Struct):
    ref: str
    market: str
    way: str
    kind: str
    amount: str
    price: str | None = None
    life: str = "stay"
    only_make: bool = False


class Rest:
    def __init__(self, exchange: Exchange, door: Doorkeeper, now: Callable[[], datetime]) -> None:
        self._exchange = exchange
        self._door = door
        self._now = now

    def answer(self, request: Request) -> Response:
        try:
            return Response(body=msgspec.json.encode(self._route(request)))
        except Failed as error:
            return _refusal(error.status, str(error))
        except Refused as error:
            return _refusal(400, shapes.CODES.get(error.refusal, "bad_order"))
        except (msgspec.DecodeError, BadNumber, ValueError):
            return _refusal(400, "bad_order")

    def _route(self, request: Request) -> Any:
        name, *rest = request.path.strip("/").split("/")
        if name in {"clock", "markets"}:
            return self._public(name, rest)
        key = self._door.request(request)
        if name == "orders" and rest:
            return self._one_order(request.method, key, rest[0])
        calls = {
            "GET wallet": self._wallet,
            "POST orders": self._create,
            "GET orders": self._orders,
            "GET fills": self._fills,
        }
        call = calls.get(f"{request.method} {name}")
        if call is None:
            raise Failed(404, "no_such_call")
        return call(request, key)

    def _public(self, name: str, rest: list[str]) -> Any:
        if name == "clock":
            return {"now": shapes.milliseconds(self._now())}
        if not rest:
            return [self._market(symbol) for symbol in self._exchange.products]
        if rest[0] not in self._exchange.products:
            raise Failed(404, "no_market")
        return self._book(rest[0])

    def _wallet(self, _request: Request, key: KeyEntry) -> Any:
        wallets = self._exchange.ledger.wallets[key.account_ref]
        return [
            {"coin": name, "free": plain(one.available), "locked": plain(one.held)}
            for name, one in sorted(wallets.items())
        ]

    def _create(self, request: Request, key: KeyEntry) -> Any:
        order = self._exchange.place(key.account_ref, _instruction(request.body))
        return {"id": order.order_id, "ref": order.instruction.client_order_id}

    def _one_order(self, method: str, key: KeyEntry, wanted: str) -> Any:
        return (
            self._cancel(key, wanted)
            if method == "DELETE"
            else shapes.order(self._find(key, wanted))
        )

    def _market(self, symbol: str) -> dict[str, Any]:
        product = self._exchange.products[symbol]
        return {
            "market": symbol,
            "base": product.base,
            "quote": product.quote,
            "tick": plain(product.price_tick),
            "step": plain(product.quantity_step),
            "least": plain(product.min_notional),
            "open": not self._exchange.is_halted,
        }

    def _book(self, symbol: str) -> dict[str, Any]:
        bids, asks = self._exchange.book(symbol)
        return {
            "bids": shapes.levels(bids),
            "asks": shapes.levels(asks),
            "at": shapes.milliseconds(self._now()),
        }

    def _find(self, key: KeyEntry, wanted: str) -> SimOrder:
        for order in self._exchange.orders.values():
            names = {order.order_id, f"ref:{order.instruction.client_order_id}"}
            if order.account == key.account_ref and wanted in names:
                return order
        raise Failed(404, "no_order")

    def _cancel(self, key: KeyEntry, wanted: str) -> dict[str, Any]:
        order = self._find(key, wanted)
        refusal = self._exchange.cancel(key.account_ref, order.order_id)
        if refusal in {CancelRefusal.FILLED, CancelRefusal.DONE}:
            raise Failed(400, "order_done")
        return {"id": order.order_id}

    def _orders(self, request: Request, key: KeyEntry) -> dict[str, Any]:
        rows = [
            (one.sequence, one.created_at, shapes.order(one))
            for one in reversed(self._exchange.orders.values())
            if one.account == key.account_ref
        ]
        return _page(request, rows)

    def _fills(self, request: Request, key: KeyEntry) -> dict[str, Any]:
        refs = {one.order_id: one.instruction.client_order_id for one in self._mine(key)}
        rows = [
            (one.sequence, one.at, shapes.fill(one, refs[one.order_id]))
            for one in reversed(self._exchange.fills)
            if one.account == key.account_ref and request.first("order") in {"", one.order_id}
        ]
        return _page(request, rows)

    def _mine(self, key: KeyEntry) -> list[SimOrder]:
        return [one for one in self._exchange.orders.values() if one.account == key.account_ref]


def _page(request: Request, rows: Sequence[tuple[int, datetime, dict[str, Any]]]) -> dict[str, Any]:
    """Cut one page, newest first; `next` is there when there is more."""
    after, markets = int(request.first("after") or 0), request.every("market")
    since, until = request.first("from"), request.first("to")
    found = [
        (number, shape)
        for number, at, shape in rows
        if (not after or number < after)
        and (not markets or shape["market"] in markets)
        and (not since or at >= from_rfc3339(since))
        and (not until or at <= from_rfc3339(until))
    ]
    size = min(int(request.first("limit") or LARGEST_PAGE), LARGEST_PAGE)
    page = found[:size]
    more = {"next": str(page[-1][0])} if len(found) > len(page) else {}
    return {"rows": [shape for _, shape in page], **more}


def _instruction(body: bytes) -> Instruction:
    said = msgspec.json.decode(body, type=CreateOrder)
    is_market = said.kind == "market"
    return Instruction(
        client_order_id=said.ref,
        symbol=said.market,
        side=Side(said.way),
        order_type=OrderType(said.kind),
        quantity=exact(said.amount),
        limit_price=None if said.price is None else exact(said.price),
        time_in_force=TimeInForce.IOC if is_market or said.life == "touch" else TimeInForce.GTC,
        post_only=said.only_make,
    )


def _refusal(status: int, code: str) -> Response:
    body = {"code": code, "text": code.replace("_", " ")}
    return Response(status=status, body=msgspec.json.encode(body))


def _too_many(bucket: Bucket, _allowance: object) -> Response:
    return _refusal(429, "slow_down")


LIMITS = RateLimits(
    lambda request: (Bucket(request.headers.get("x-harbour-key", request.peer), Rate(20, 40)),),
    _too_many,
)
