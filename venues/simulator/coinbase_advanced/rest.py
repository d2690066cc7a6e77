"""This venue's REST calls, answered from the exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.simulator.coinbase_advanced import editing, listing, shapes
from venues.simulator.coinbase_advanced.instructions import BadRequest, read_instruction
from venues.simulator.coinbase_advanced.signing import Doorkeeper
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults
from venues.simulator.keys import BadToken, KeyEntry
from venues.simulator.ledger import Wallet
from venues.simulator.terms import CancelRefusal, PublicTrade, Refused
from venues.simulator.web import Request, Response

BROKERAGE: Final = "/api/v3/brokerage"
_CANCEL_REFUSALS: Final = {
    CancelRefusal.UNKNOWN: "UNKNOWN_CANCEL_ORDER",
    CancelRefusal.FILLED: "ORDER_IS_FULLY_FILLED",
    CancelRefusal.DONE: "UNKNOWN_CANCEL_ORDER",
}
_NO_CANCEL_REASON: Final = "UNKNOWN_CANCEL_FAILURE_REASON"

Answer = Mapping[str, Any]


class NotFound(Exception):
    """HTTP 404."""


class BatchCancel(msgspec.Struct):
    order_ids: list[str]


def error(status: int, code: str, words: str) -> Response:
    body = {"error": code, "error_details": words, "message": words}
    return Response(status=status, body=msgspec.json.encode(body))


def _trader(key: KeyEntry) -> str:
    if not key.can_trade:
        raise PermissionError
    return key.account_ref


class Rest:
    """Every call the adapters and the official SDK make."""

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
        self._private: dict[str, Callable[[Request, KeyEntry], Answer]] = {
            "POST /orders": self._create,
            "POST /orders/batch_cancel": self._cancel,
            "POST /orders/edit": self._edit,
            "POST /orders/edit_preview": self._edit_preview,
            "GET /orders/historical/batch": self._orders,
            "GET /orders/historical/fills": self._fills,
            "GET /accounts": self._accounts,
            "GET /key_permissions": self._permissions,
            "GET /transaction_summary": self._summary,
        }
        self._public: dict[str, Callable[[Request], Answer]] = {
            "GET /product_book": self._book,
            "GET /best_bid_ask": self._best,
            "GET /products": self._products,
        }

    def answer(self, request: Request) -> Response:
        """Answer one call, in the four forms this venue has for errors."""
        path = request.path.removeprefix(BROKERAGE)
        if path == request.path:
            return error(404, "NOT_FOUND", "no such resource")
        try:
            return Response(body=msgspec.json.encode(self._route(request, path)))
        except BadToken:
            return Response(status=401, body=b"Unauthorized", content_type="text/plain")
        except PermissionError:
            return error(403, "PERMISSION_DENIED", "Missing required scopes")
        except NotFound as missing:
            return error(404, "NOT_FOUND", str(missing))
        except BadRequest as bad:
            return error(400, bad.code, str(bad))

    def _route(self, request: Request, path: str) -> Answer:
        if path == "/time":
            return self._time()
        is_open = path.startswith("/market/")
        path = path.removeprefix("/market")
        public = self._public.get(f"{request.method} {path}")
        if is_open:
            return public(request) if public else self._one_product(request, path)
        key = self._key_of(request)
        if public is not None:
            return public(request)
        private = self._private.get(f"{request.method} {path}")
        if private is not None:
            return private(request, key)
        return self._one(request, path, key)

    def _one(self, request: Request, path: str, key: KeyEntry) -> Answer:
        """Answer the calls that name one thing in their path."""
        if path.startswith("/orders/historical/"):
            return self._order(key, path.rpartition("/")[2])
        if path.startswith("/accounts/"):
            return self._account(key, path.rpartition("/")[2])
        return self._one_product(request, path)

    def _key_of(self, request: Request) -> KeyEntry:
        key = self._door.request(request)
        self._exchange.open_account(key.account_ref, key.balances)
        return key

    # Orders

    def _create(self, request: Request, key: KeyEntry) -> Answer:
        if not key.can_trade:
            raise PermissionError
        instruction = read_instruction(request.body)
        if request.reject_with:
            return shapes.refusal_answer(request.reject_with, "", "told to", instruction.wire)
        try:
            order = self._exchange.place(key.account_ref, instruction)
        except Refused as refused:
            code, preview = shapes.REFUSALS[refused.refusal]
            return shapes.refusal_answer(code, preview, str(refused), instruction.wire)
        return shapes.order_id_answer(order)

    def _cancel(self, request: Request, key: KeyEntry) -> Answer:
        if not key.can_trade:
            raise PermissionError
        try:
            ids = msgspec.json.decode(request.body, type=BatchCancel).order_ids
        except (msgspec.DecodeError, ValueError) as bad:
            message = "INVALID_ARGUMENT"
            raise BadRequest(message, str(bad)[:200]) from bad
        results = []
        for order_id in ids:
            refusal = self._exchange.cancel(key.account_ref, order_id)
            reason = _CANCEL_REFUSALS[refusal] if refusal else _NO_CANCEL_REASON
            results.append(
                {"success": refusal is None, "failure_reason": reason, "order_id": order_id}
            )
        return {"results": results}

    def _edit(self, request: Request, key: KeyEntry) -> Answer:
        return editing.edit(self._exchange, _trader(key), request.body)

    def _edit_preview(self, request: Request, key: KeyEntry) -> Answer:
        return editing.preview(self._exchange, _trader(key), request.body)

    def _order(self, key: KeyEntry, order_id: str) -> Answer:
        order = self._exchange.orders.get(order_id)
        if order is None or order.account != key.account_ref:
            message = f"order with this orderID was not found: {order_id:.60}"
            raise NotFound(message)
        return {"order": shapes.order_shape(order, key.account_ref)}

    def _orders(self, request: Request, key: KeyEntry) -> Answer:
        wants = listing.order_filter(request)
        rows = [
            order
            for order in reversed(self._exchange.orders.values())
            if order.account == key.account_ref and wants(order)
        ]
        page, cursor = listing.page(request, rows)
        return {
            "orders": [shapes.order_shape(order, key.account_ref) for order in page],
            "sequence": "0",
            "has_next": bool(cursor),
            "cursor": cursor,
        }

    def _fills(self, request: Request, key: KeyEntry) -> Answer:
        wants = listing.fill_filter(request)
        rows = [
            fill
            for fill in reversed(self._exchange.fills)
            if fill.account == key.account_ref
            and wants(fill)
            and not self._faults.hides_fill(fill.fill_id, self._now())
        ]
        page, cursor = listing.page(request, rows)
        return {
            "fills": [shapes.fill_shape(fill, key.account_ref) for fill in page],
            "cursor": cursor,
        }

    # The account

    def _accounts(self, request: Request, key: KeyEntry) -> Answer:
        wallets = sorted(self._told_wallets(key.account_ref).items())
        limit = listing.whole(request, "limit", 49, 250)
        start = listing.whole(request, "cursor", 0, len(wallets))
        page = wallets[start : start + limit]
        has_next = start + limit < len(wallets)
        return {
            "accounts": [
                shapes.account_shape(key.account_ref, currency, wallet, self._now())
                for currency, wallet in page
            ],
            "has_next": has_next,
            "cursor": str(start + limit) if has_next else "",
            "size": len(page),
        }

    def _account(self, key: KeyEntry, wanted: str) -> Answer:
        for currency, wallet in self._told_wallets(key.account_ref).items():
            shape = shapes.account_shape(key.account_ref, currency, wallet, self._now())
            if shape["uuid"] == wanted:
                return {"account": shape}
        message = "account not found"
        raise NotFound(message)

    def _told_wallets(self, account: str) -> dict[str, Wallet]:
        """Read the wallets as they are told: a fault may make one look fuller than it is."""
        true = self._exchange.ledger.wallets.get(account, {})
        return {
            currency: Wallet(
                wallet.available + self._faults.too_much(account, currency), wallet.held
            )
            for currency, wallet in true.items()
        }

    def _permissions(self, _request: Request, key: KeyEntry) -> Answer:
        return {
            "can_view": True,
            "can_trade": key.can_trade,
            "can_transfer": key.can_transfer,
            "portfolio_uuid": shapes.portfolio_id(key.account_ref),
            "portfolio_type": "DEFAULT",
        }

    def _summary(self, _request: Request, key: KeyEntry) -> Answer:
        mine = [fill for fill in self._exchange.fills if fill.account == key.account_ref]
        fees = self._exchange.fees
        return {
            "total_volume": float(sum(fill.price * fill.quantity for fill in mine)),
            "total_fees": float(sum(fill.fee for fill in mine)),
            "fee_tier": {
                "pricing_tier": "Advanced 1",
                "taker_fee_rate": plain(fees.taker),
                "maker_fee_rate": plain(fees.maker),
            },
        }

    # Market data

    def _time(self) -> Answer:
        now = self._now()
        millis = int(now.timestamp() * 1000)
        return {
            "iso": to_rfc3339(now),
            "epochSeconds": str(millis // 1000),
            "epochMillis": str(millis),
        }

    def _market(self, symbol: str) -> str:
        product = self._exchange.products.get(symbol)
        if product is None:
            message = f"unknown product: {symbol:.60}"
            raise NotFound(message)
        return product.market

    def _book(self, request: Request) -> Answer:
        symbol = request.first("product_id")
        bids, asks = self._exchange.book(self._market(symbol))
        limit = listing.whole(request, "limit", 1000, 1000)
        return {"pricebook": self._price_book(symbol, bids[:limit], asks[:limit])}

    def _price_book(self, symbol: str, bids: list[Any], asks: list[Any]) -> Answer:
        return {
            "product_id": symbol,
            "bids": [{"price": plain(b.price), "size": plain(b.quantity)} for b in bids],
            "asks": [{"price": plain(a.price), "size": plain(a.quantity)} for a in asks],
            "time": to_rfc3339(self._now()),
        }

    def _best(self, request: Request) -> Answer:
        wanted = request.every("product_ids") or set(self._exchange.products)
        books = []
        for symbol in sorted(wanted):
            bids, asks = self._exchange.book(self._market(symbol))
            books.append(self._price_book(symbol, bids[:1], asks[:1]))
        return {"pricebooks": books}

    def _products(self, request: Request) -> Answer:
        wanted = request.every("product_ids")
        found = [
            self._product(symbol)
            for symbol in self._exchange.products
            if not wanted or symbol in wanted
        ]
        if request.first("product_type") not in {"", "SPOT", "UNKNOWN_PRODUCT_TYPE"}:
            found = []
        return {"products": found, "num_products": len(found), "pagination": None}

    def _product(self, symbol: str) -> Answer:
        product = self._exchange.products[symbol]
        names = [
            other.symbol
            for other in self._exchange.products.values()
            if other.market == symbol and other.symbol != symbol
        ]
        price = self._exchange.markets[product.market].last_price
        return shapes.product_shape(product, price, names=names, is_halted=self._exchange.is_halted)

    def _one_product(self, request: Request, path: str) -> Answer:
        """Answer /products/{id} and /products/{id}/ticker."""
        parts = path.split("/")[1:]
        if request.method != "GET" or len(parts) not in {2, 3} or parts[0] != "products":
            message = "no such resource"
            raise NotFound(message)
        market = self._market(parts[1])
        if len(parts) == 2:  # noqa: PLR2004
            return self._product(parts[1])
        if parts[2] != "ticker":
            message = "no such resource"
            raise NotFound(message)
        bids, asks = self._exchange.book(market)
        trades: list[PublicTrade] = list(self._tape.get(market, ()))[::-1]
        limit = listing.whole(request, "limit", 100, 1000)
        return {
            "trades": [
                {**shapes.trade_shape(trade), "bid": "", "ask": "", "exchange": "coinbase"}
                for trade in trades[:limit]
            ],
            "best_bid": plain(bids[0].price) if bids else "",
            "best_ask": plain(asks[0].price) if asks else "",
        }
