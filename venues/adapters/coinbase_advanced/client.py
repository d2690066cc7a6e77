"""One account at Coinbase Advanced, as the nine methods and what it can do beyond them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx

from venues.adapters.coinbase_advanced import feed, orders, wire
from venues.adapters.coinbase_advanced.normalizer import (
    read_balances,
    read_book,
    read_fill,
    read_instrument,
    read_order,
)
from venues.adapters.coinbase_advanced.signer import MacAuth, signer_of
from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.adapters.kit.channels import ChannelFeed
from venues.adapters.kit.listing import PageWords, of_side, of_status
from venues.adapters.kit.reading import first, inside, unix_time
from venues.adapters.kit.refusals import rejected
from venues.adapters.kit.rest import Params, RestClient, looking_up, next_cursor, unknown
from venues.adapters.kit.spread import spread
from venues.adapters.kit.stream import Follower
from venues.adapters.kit.writing import amount
from venues.interface.errors import Rejected
from venues.interface.types import (
    OPEN_STATUSES,
    Balance,
    BookEvent,
    BookSnapshot,
    CancelAnswer,
    Fill,
    Instrument,
    KeyRights,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderUpdate,
    Page,
    StreamReset,
    Ticker,
    Trade,
)
from venues.transport import operation as op
from venues.transport.signer import CdpAuth

T = TypeVar("T")

PREFIX: Final = "/api/v3/brokerage"
LARGEST_PAGE: Final = 250
_ORDER_WORDS: Final = PageWords(
    largest=LARGEST_PAGE,
    symbol="product_ids",
    order="order_ids",
    cursor="cursor",
    since="start_date",
    until="end_date",
)
_FILL_WORDS: Final = replace(
    _ORDER_WORDS, since="start_sequence_timestamp", until="end_sequence_timestamp"
)
# A limit another client keeps in practice; the venue documents none.
MOST_PRODUCTS_ON_A_SOCKET: Final = 55
# `-USDC` products that are markets of their own, not another name of a `-USD` one.
OWN_USDC_MARKETS: Final = frozenset({"USDT-USDC", "EURC-USDC"})


class CoinbaseAdvancedClient(RestClient):
    def __init__(self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings) -> None:
        self._aliases: dict[str, str] = {}
        self._signer: CdpAuth | MacAuth | None = None
        super().__init__(
            config=config,
            key=key,
            around=around,
            read_refusal=orders.read_refusal,
            known=wire.KNOWN,
        )

    def _sign(self, key: ApiKey) -> httpx.Auth:
        self._signer = signer_of(key, clock=self._signing_time, nonce=self._around.nonce)
        return self._signer

    async def _venue_time(self) -> datetime:
        said = await self._read_openly(f"{PREFIX}/time", (), wire.ServerTime, op.HEALTH)
        return self._reading(lambda: unix_time(said.epochMillis))

    # Orders

    async def place_order(self, request: OrderRequest) -> Order:
        body = orders.order_body(request, self._around.now())
        said, answer = await self._create(
            f"{PREFIX}/orders", body, wire.Acted, op.PLACE.about(request.client_order_id)
        )
        if not said.success:
            return await self._refused(request, said)
        success = said.success_response or wire.CreateSuccess()
        venue_order_id = first(success.order_id, said.order_id)
        is_ours = (success.client_order_id or "") in {"", request.client_order_id}
        if not venue_order_id or not is_ours:
            message = "the venue accepted, but its answer does not name this order"
            raise unknown(message)
        if _is_another_order(said, body):
            return await self._first_order(request, venue_order_id)
        return self._accepted(request, venue_order_id, answer)

    async def _refused(self, request: OrderRequest, said: wire.Acted) -> Order:
        refusal = orders.refusal_in(said)
        if refusal.code != orders.DUPLICATE:
            raise rejected(refusal)
        return await self._first_order(request)

    async def amend_order(
        self, ref: OrderRef, *, quantity: Decimal | None, limit_price: Decimal | None
    ) -> Order:
        order = await self.get_order(ref)
        body = {
            "order_id": order.venue_order_id,
            "size": amount("quantity", quantity or order.quantity),
            "price": amount("limit price", limit_price or order.limit_price),
        }
        said, _ = await self._create(
            f"{PREFIX}/orders/edit", body, wire.Acted, op.AMEND.about(ref.client_order_id)
        )
        if not said.success:
            raise rejected(orders.refusal_in(said))
        return await self.get_order(ref)

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        venue_order_id = ref.venue_order_id or (await self.get_order(ref)).venue_order_id
        body = {"order_ids": [venue_order_id]}
        said = await self._cancel(
            f"{PREFIX}/orders/batch_cancel",
            body,
            inside("results", list[wire.Acted]),
            ref.client_order_id,
        )
        result = next((one for one in said.found if one.order_id == venue_order_id), None)
        if result is None:
            message = "the answer to the cancel does not name the order"
            raise unknown(message)
        code = "" if result.success else result.failure_reason or "no reason given"
        if code in orders.CANCEL_ANSWERS:
            return replace(orders.CANCEL_ANSWERS[code], venue_code=code)
        message = f"the venue refused the cancel: {code}"
        raise Rejected(message, cause=orders.CAUSES.of(code), venue_code=code)

    async def get_order(self, ref: OrderRef) -> Order:
        if not ref.venue_order_id:
            symbols = () if _has_two_names(ref.symbol) else (ref.symbol,)
            return await self._find_by_scanning(
                ref, OrderQuery(symbols=symbols, limit=LARGEST_PAGE)
            )
        path = f"{PREFIX}/orders/historical/{quote(ref.venue_order_id, safe='')}"
        said, answer = await self._read_kept(path, (), inside("order", wire.Order), looking_up(ref))
        order = self._reading(
            lambda: read_order(said.found, answer.part("order"), self._around.now())
        )
        self._notice_statuses([order], [said.found.status])
        return order

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        params = _ORDER_WORDS.params(query)
        params += [("order_side", query.side.value.upper())] if query.side else []
        # The venue lets OPEN stand with no other status; what it does not filter, we do.
        is_open_only = bool(query.statuses) and query.statuses <= OPEN_STATUSES
        params += [("order_status", "OPEN")] if is_open_only else []
        path = f"{PREFIX}/orders/historical/batch"
        said, answer = await self._read_kept(path, params, wire.Orders, op.LIST_ORDERS)
        found = self._each(read_order, said.items, answer, "orders")
        self._notice_statuses(found, [one.status for one in said.items])
        wanted = of_status(found, query)
        return Page(wanted, next_cursor(query.cursor, said.cursor, has_next=said.has_next))

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        """List executions; corrections and reversals are left to the drift report."""
        path, params = f"{PREFIX}/orders/historical/fills", _FILL_WORDS.params(query)
        said, answer = await self._read_kept(path, params, wire.Fills, op.LIST_FILLS)
        read = self._each(read_fill, said.items, answer, "fills")
        for one, fill in zip(said.items, read, strict=True):
            if fill is None:
                self._around.on_drift("fill that is no fill", f"{one.trade_type}: {one}"[:300])
        # A page without fills ends the listing even if a cursor came with it.
        has_next = None if said.items else False
        wanted = of_side([fill for fill in read if fill], query)
        return Page(wanted, next_cursor(query.cursor, said.cursor, has_next=has_next))

    # The account and the market

    async def get_balance(self) -> tuple[Balance, ...]:
        accounts = await self._listed(
            f"{PREFIX}/accounts", _ORDER_WORDS, wire.Accounts, op.BALANCES
        )
        return self._reading(lambda: read_balances(accounts, self._around.now()))

    async def get_key_rights(self) -> KeyRights:
        """Read what the venue says of the key, in our own words already."""
        return await self._read(f"{PREFIX}/key_permissions", (), KeyRights, op.KEY_RIGHTS)

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        params = [("product_id", symbol), ("limit", str(depth))]
        said = await self._market(
            "/product_book", params, inside("pricebook", wire.PriceBook), op.BOOK
        )
        return self._reading(lambda: read_book(symbol, said.found, self._around.now()))

    async def get_instruments(self) -> tuple[Instrument, ...]:
        said = await self._market(
            "/products",
            [("product_type", "SPOT")],
            inside("products", list[wire.Product]),
            op.INSTRUMENTS,
        )
        self._aliases |= {one.product_id: one.alias for one in said.found if one.alias}
        return self._reading(lambda: tuple(read_instrument(one) for one in said.found))

    async def _market(self, path: str, params: Params, kind: type[T], operation: op.Operation) -> T:
        """Read market data, with the key's own larger allowance where there is a key."""
        if self._key is not None:
            return await self._read(f"{PREFIX}{path}", params, kind, operation)
        return await self._read_openly(f"{PREFIX}/market{path}", params, kind, operation)

    # Streams

    def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[BookEvent | StreamReset, None]:
        return self._market_stream(feed.Books, symbols)

    def subscribe_trades(self, symbols: Sequence[str]) -> AsyncGenerator[Trade | StreamReset, None]:
        return self._market_stream(feed.Trades, symbols)

    def subscribe_tickers(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[Ticker | StreamReset, None]:
        return self._market_stream(feed.Tickers, symbols)

    def subscribe_executions(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
        """Follow all of the account's orders: this venue wants no symbols named."""
        self._need_key()
        return self._listen(self._config.ws_user_url, feed.Executions, ())

    def _market_stream(
        self, channel: type[ChannelFeed[T]], symbols: Sequence[str]
    ) -> AsyncGenerator[T | StreamReset, None]:
        return spread(
            symbols,
            MOST_PRODUCTS_ON_A_SOCKET,
            lambda part: self._listen(self._config.ws_url, channel, part),
        )

    async def _listen(
        self, url: str, channel: type[ChannelFeed[T]], symbols: Sequence[str]
    ) -> AsyncGenerator[T | StreamReset, None]:
        """Follow a channel; the market channels deliver some symbols under another product id."""
        listeners: dict[str, list[str]] = {}
        for symbol in dict.fromkeys(symbols):
            listeners.setdefault(await self._wire_symbol(symbol), []).append(symbol)
        dialect = channel(listeners, signer=self._signer, around=self._around)
        async with aclosing(Follower(url, dialect).items()) as items:
            async for item in items:
                yield item

    async def _wire_symbol(self, symbol: str) -> str:
        if not _has_two_names(symbol):
            return symbol
        if symbol not in self._aliases:
            path = f"/products/{quote(symbol, safe='')}"
            product = await self._market(path, (), wire.Product, op.INSTRUMENTS)
            self._aliases[symbol] = product.alias or symbol
        return self._aliases[symbol]


def _has_two_names(symbol: str) -> bool:
    return symbol.endswith("-USDC") and symbol not in OWN_USDC_MARKETS


def _is_another_order(said: wire.Acted, body: dict[str, Any]) -> bool:
    """Compare what the venue says it holds with what we sent: a used id brings back the first."""
    success = said.success_response or wire.CreateSuccess()
    theirs = (success.product_id, success.side, set(said.order_configuration or ()))
    ours = (body["product_id"], body["side"], set(body["order_configuration"]))
    return any(named and named != sent for named, sent in zip(theirs, ours, strict=True))
