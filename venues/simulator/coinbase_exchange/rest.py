"""This venue's REST calls, answered from the exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from venues.interface.numbers import plain
from venues.interface.times import BadTime, from_rfc3339, to_rfc3339
from venues.interface.types import Side
from venues.simulator.coinbase_exchange import shapes
from venues.simulator.coinbase_exchange.instructions import BadOrder, read_instruction
from venues.simulator.coinbase_exchange.signing import Doorkeeper, Unsigned
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults
from venues.simulator.keys import KeyEntry
from venues.simulator.ledger import Wallet
from venues.simulator.terms import (
    CancelRefusal,
    PublicTrade,
    Refusal,
    Refused,
    SimOrder,
    State,
)
from venues.simulator.web import Request, Response

_CLIENT: Final = "client:"
_DEFAULT_STATUSES: Final = frozenset({"open", "pending", "active"})
_LARGEST_PAGE: Final = 1000

Answer = Mapping[str, Any] | Sequence[Any] | str


class Failed(Exception):
    """An HTTP error and the venue's sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Rest:
    """Every call the adapter and the peer libraries make."""

    def __init__(
        self,
        exchange: Exchange,
        door: Doorkeeper,
        now: Callable[[], datetime],
        tape: Mapping[str, Any],
        faults: Faults,
    ) -> None:
        self._exchange = exchange
        self._door = door
        self._now = now
        self._tape = tape
        self._faults = faults
        self._headers: dict[str, str] = {}
        self._private: dict[str, Callable[[Request, KeyEntry], Answer]] = {
            "POST /orders": self._create,
            "GET /orders": self._orders,
            "DELETE /orders": self._cancel_all,
            "GET /fills": self._fills,
            "GET /accounts": self._accounts,
            "GET /fees": self._fees,
            "GET /profiles": self._profiles,
        }

    def answer(self, request: Request) -> Response:
        self._headers = {}
        try:
            body = msgspec.json.encode(self._route(request))
        except Unsigned as error:
            return _refusal(error.status, str(error))
        except Failed as error:
            return _refusal(error.status, str(error))
        except BadOrder as error:
            return _refusal(400, str(error))
        except Refused as error:
            is_lost = error.refusal is Refusal.UNKNOWN_PRODUCT
            return _refusal(404 if is_lost else 400, shapes.SENTENCES[error.refusal])
        return Response(body=body, headers=self._headers)

    def _route(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        if request.path == "/time":
            now = self._now()
            return {"iso": to_rfc3339(now), "epoch": round(now.timestamp(), 3)}
        if parts[0] in {"products", "currencies"}:
            return self._public(request, parts)
        key = self._door.request(request)
        self._exchange.open_account(key.account_ref, key.balances)
        private = self._private.get(f"{request.method} {request.path}")
        if private is not None:
            return private(request, key)
        if parts[0] == "orders" and len(parts) == 2:  # noqa: PLR2004 -- orders and its id
            return self._one_order(request, key, parts[1])
        raise Failed(404, "NotFound")

    # Orders

    def _create(self, request: Request, key: KeyEntry) -> Answer:
        if not key.can_trade:
            raise Failed(403, "Forbidden")
        instruction, _ = read_instruction(request.body, self._now())
        if request.reject_with:
            raise Failed(400, request.reject_with)
        order = self._exchange.place(key.account_ref, instruction)
        return shapes.order_shape(order, status="pending")

    def _one_order(self, request: Request, key: KeyEntry, wanted: str) -> Answer:
        order = self._find(key, wanted)
        if request.method == "DELETE":
            if not key.can_trade:
                raise Failed(403, "Forbidden")
            refusal = self._exchange.cancel(key.account_ref, order.order_id)
            if refusal in {CancelRefusal.FILLED, CancelRefusal.DONE}:
                raise Failed(400, "Order already done")
            return order.order_id
        if self._is_purged(order):
            raise Failed(404, "NotFound")
        return shapes.order_shape(order)

    def _find(self, key: KeyEntry, wanted: str) -> SimOrder:
        if wanted.startswith(_CLIENT):
            mine = (
                order
                for order in reversed(self._exchange.orders.values())
                if order.account == key.account_ref
                and shapes.client_id_of(order) == wanted.removeprefix(_CLIENT)
            )
            order = next(mine, None)
        else:
            order = self._exchange.orders.get(wanted)
        if order is None or order.account != key.account_ref:
            raise Failed(404, "NotFound")
        return order

    @staticmethod
    def _is_purged(order: SimOrder) -> bool:
        """Forget, as the venue does, what was cancelled before anything of it was filled."""
        return order.state in {State.CANCELLED, State.EXPIRED} and not order.fill_count

    def _orders(self, request: Request, key: KeyEntry) -> Answer:
        statuses = request.every("status") or _DEFAULT_STATUSES
        product = request.first("product_id")
        since, until = self._moment(request, "start_date"), self._moment(request, "end_date")
        rows = [
            order
            for order in reversed(self._exchange.orders.values())
            if order.account == key.account_ref
            and ("all" in statuses or shapes.status_of(order) in statuses)
            and product in {"", order.instruction.symbol}
            and not self._is_purged(order)
            and (since is None or order.created_at >= since)
            and (until is None or order.created_at <= until)
        ]
        page = self._page(request, rows, lambda order: order.sequence, default=100)
        return [shapes.order_shape(order) for order in page]

    def _cancel_all(self, request: Request, key: KeyEntry) -> Answer:
        product = request.first("product_id")
        ids = [
            order.order_id
            for order in self._exchange.open_orders(key.account_ref)
            if product in {"", order.instruction.symbol}
        ]
        for order_id in ids:
            self._exchange.cancel(key.account_ref, order_id)
        return ids

    def _fills(self, request: Request, key: KeyEntry) -> Answer:
        order_id, product = request.first("order_id"), request.first("product_id")
        if not order_id and not product:
            raise Failed(400, "order_id or product_id is required")
        since, until = self._moment(request, "start_date"), self._moment(request, "end_date")
        rows = [
            fill
            for fill in reversed(self._exchange.fills)
            if fill.account == key.account_ref
            and order_id in {"", fill.order_id}
            and product in {"", fill.symbol}
            and (since is None or fill.at >= since)
            and (until is None or fill.at <= until)
            and not self._faults.hides_fill(fill.fill_id, self._now())
        ]
        page = self._page(request, rows, lambda fill: int(fill.trade_id), default=_LARGEST_PAGE)
        return [shapes.fill_shape(fill) for fill in page]

    def _page(
        self, request: Request, rows: list[Any], number: Callable[[Any], int], *, default: int
    ) -> list[Any]:
        """Cut one page, newest first; the headers name its first and last row."""
        limit = min(self._whole(request, "limit", default), _LARGEST_PAGE)
        after = self._whole(request, "after", 0)
        before = self._whole(request, "before", 0)
        rows = [row for row in rows if not after or number(row) < after]
        rows = [row for row in rows if not before or number(row) > before]
        page = rows[: max(limit, 1)]
        if page:
            self._headers["CB-BEFORE"] = str(number(page[0]))
        if len(rows) > len(page):
            self._headers["CB-AFTER"] = str(number(page[-1]))
        return page

    @staticmethod
    def _whole(request: Request, name: str, default: int) -> int:
        text = request.first(name)
        if text and not text.isdecimal():
            raise Failed(400, f"Invalid {name}")
        return int(text) if text else default

    @staticmethod
    def _moment(request: Request, name: str) -> datetime | None:
        text = request.first(name)
        try:
            return from_rfc3339(text) if text else None
        except BadTime as error:
            raise Failed(400, f"Invalid {name}") from error

    # The account

    def _accounts(self, _request: Request, key: KeyEntry) -> Answer:
        wallets = self._exchange.ledger.wallets.get(key.account_ref, {})
        return [
            shapes.account_shape(
                key.account_ref,
                currency,
                Wallet(
                    wallet.available + self._faults.too_much(key.account_ref, currency),
                    wallet.held,
                ),
            )
            for currency, wallet in sorted(wallets.items())
        ]

    def _fees(self, _request: Request, key: KeyEntry) -> Answer:
        mine = [one for one in self._exchange.fills if one.account == key.account_ref]
        fees = self._exchange.fees
        return {
            "maker_fee_rate": plain(fees.maker),
            "taker_fee_rate": plain(fees.taker),
            "usd_volume": plain(sum((one.price * one.quantity for one in mine), Decimal(0))),
        }

    def _profiles(self, _request: Request, key: KeyEntry) -> Answer:
        return [
            {
                "id": shapes.name_of(key.account_ref, "profile"),
                "user_id": shapes.name_of(key.account_ref, "user"),
                "name": "default",
                "active": True,
                "is_default": True,
                "has_margin": False,
            }
        ]

    # Market data

    def _public(self, request: Request, parts: list[str]) -> Answer:
        if parts[0] == "currencies":
            names = {one for p in self._exchange.products.values() for one in (p.base, p.quote)}
            return [{"id": name, "name": name, "status": "online"} for name in sorted(names)]
        halted = self._exchange.is_halted
        if len(parts) == 1:
            return [
                shapes.product_shape(product, is_halted=halted)
                for product in self._exchange.products.values()
            ]
        product = self._exchange.products.get(parts[1])
        if product is None:
            raise Failed(404, "NotFound")
        what = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 -- products, id, what
        if what == "book":
            return self._book(product.market, self._whole(request, "level", 1))
        if what == "trades":
            return [self._print(trade) for trade in reversed(self._tape[product.market])]
        if what == "ticker":
            return self._ticker(product.market)
        if what:
            raise Failed(404, "NotFound")
        return shapes.product_shape(product, is_halted=halted)

    def _book(self, market: str, level: int) -> Answer:
        bids, asks = self._exchange.book(market)
        depth = 1 if level == 1 else None
        return {
            "sequence": self._exchange.markets[market].last,
            "bids": [[plain(b.price), plain(b.quantity), 1] for b in bids[:depth]],
            "asks": [[plain(a.price), plain(a.quantity), 1] for a in asks[:depth]],
            "time": to_rfc3339(self._now()),
            "auction_mode": False,
            "auction": None,
        }

    @staticmethod
    def _print(trade: PublicTrade) -> dict[str, Any]:
        return {
            "trade_id": int(trade.trade_id),
            "side": "buy" if trade.maker_side is Side.BUY else "sell",
            "size": shapes.padded(trade.quantity, 8),
            "price": shapes.padded(trade.price, 8),
            "time": to_rfc3339(trade.at),
        }

    def _ticker(self, market: str) -> Answer:
        tape = self._tape[market]
        if not tape:
            raise Failed(404, "NotFound")
        bids, asks = self._exchange.book(market)
        volume = sum((one.quantity for one in tape), Decimal(0))
        touch = (bids[0] if bids else None, asks[0] if asks else None)
        return shapes.ticker_shape(self._print(tape[-1]), *touch, volume, tape[-1].at)


def _refusal(status: int, message: str) -> Response:
    return Response(status=status, body=msgspec.json.encode({"message": message}))
