"""One account at Coinbase Exchange, as the nine methods and what it can do beyond them.

The venue's client id is a label and no key: the same one sent twice is two orders. What was sent is
therefore looked for, never sent again, and an order that was cancelled before anything of it was
filled is forgotten by the venue: for an order it once named, not found means exactly that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

import httpx

from venues.adapters.coinbase_exchange import feed, orders, wire
from venues.adapters.coinbase_exchange.normalizer import (
    read_balance,
    read_book,
    read_fill,
    read_instrument,
    read_order,
)
from venues.adapters.coinbase_exchange.signer import ExchangeAuth
from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.adapters.kit.listing import PageWords, of_side, of_status
from venues.adapters.kit.reading import ZERO, number, time_of
from venues.adapters.kit.refusals import rejected
from venues.adapters.kit.rest import RestClient, looking_up, unknown
from venues.adapters.kit.stream import Follower, reading_hints
from venues.adapters.kit.writing import invalid
from venues.interface.errors import Cause, NotSent, Rejected
from venues.interface.types import (
    OPEN_STATUSES,
    Balance,
    BookEvent,
    BookSnapshot,
    CancelAnswer,
    Fee,
    Fill,
    Instrument,
    KeyRights,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Page,
    Side,
    StreamReset,
    Ticker,
    Trade,
)
from venues.transport import operation as op

LARGEST_PAGE: Final = 1000
_WORDS: Final = PageWords(
    largest=LARGEST_PAGE,
    symbol="product_id",
    order="order_id",
    cursor="after",
    since="start_date",
    until="end_date",
)
_SAYS_NOTHING: Final = "Coinbase Exchange does not say what a key may do or when it ends."


class CoinbaseExchangeClient(RestClient):
    def __init__(self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings) -> None:
        self._signer: ExchangeAuth | None = None
        super().__init__(
            config=config,
            key=key,
            around=around,
            read_refusal=orders.read_refusal,
            known=wire.KNOWN,
        )

    def _sign(self, key: ApiKey) -> httpx.Auth:
        self._signer = ExchangeAuth(key, self._signing_time)
        return self._signer

    async def _venue_time(self) -> datetime:
        said = await self._read_openly("/time", (), wire.ServerTime, op.HEALTH)
        return self._reading(lambda: time_of(said.iso))

    # Orders

    async def place_order(self, request: OrderRequest) -> Order:
        body = orders.order_body(request, self._around.now())
        said, answer = await self._create(
            "/orders", body, wire.Order, op.PLACE.about(request.client_order_id)
        )
        if said.client_oid not in {None, "", request.client_order_id}:
            message = "the venue's answer names another order"
            raise unknown(message)
        if said.status == "rejected":
            raise rejected(orders.refusal_of(said.reject_reason or "rejected"))
        return self._accepted(request, said.id, answer)

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        params = [("product_id", ref.symbol)]
        try:
            await self._delete(f"/orders/{_name(ref)}", params, str, ref.client_order_id)
        except Rejected as error:
            if error.venue_code.casefold() != orders.ALREADY_DONE:
                raise
            return CancelAnswer(
                is_accepted=False, venue_code=error.venue_code, is_already_done=True
            )
        return CancelAnswer(is_accepted=True)

    async def get_order(self, ref: OrderRef) -> Order:
        try:
            said, answer = await self._read_kept(
                f"/orders/{_name(ref)}", (), wire.Order, looking_up(ref)
            )
        except Rejected as error:
            if error.cause is not Cause.NOT_FOUND:
                raise
            if ref.venue_order_id and ref.side is not None:
                return await self._forgotten(ref, ref.side)
            if ref.venue_order_id:
                raise
            query = OrderQuery(symbols=(ref.symbol,), limit=LARGEST_PAGE)
            return await self._find_by_scanning(ref, query)
        order = self._reading(lambda: read_order(said, answer.part(), self._around.now()))
        self._notice_statuses([order], [said.status])
        return order

    async def _forgotten(self, ref: OrderRef, side: Side) -> Order:
        """Read what "not found" means of an order the venue once named: cancelled and unfilled."""
        page = await self.get_fills(OrderQuery(venue_order_id=ref.venue_order_id, limit=1))
        if page.items:
            message = "the venue lists fills of an order it says it does not know"
            raise NotSent(message, cause=Cause.TEMPORARY)
        return Order(
            venue_order_id=ref.venue_order_id,
            client_order_id=ref.client_order_id,
            symbol=ref.symbol,
            side=side,
            order_type=OrderType.LIMIT,
            status=OrderStatus.CANCELLED,
            quantity=None,
            notional=None,
            limit_price=None,
            filled_quantity=ZERO,
            filled_value=ZERO,
            fees=ZERO,
            average_price=None,
            created_at=None,
            received_at=self._around.now(),
            reason="cancelled before anything was filled; the venue no longer knows it",
        )

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        is_open_only = bool(query.statuses) and query.statuses <= OPEN_STATUSES
        statuses = ("open", "pending", "active", "received") if is_open_only else ("all",)
        symbol, after = _place(query)
        params = [("status", status) for status in statuses] + _page_params(query, symbol, after)
        said, answer, headers = await self._read_page(
            "/orders", params, list[wire.Order], op.LIST_ORDERS
        )
        found = self._each(read_order, said, answer)
        self._notice_statuses(found, [one.status for one in said])
        wanted = of_status(of_side(found, query), query)
        return Page(wanted, _next(query, symbol, headers.get("CB-AFTER", ""), is_empty=not said))

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        """List executions of one order or, symbol after symbol, of those that are named."""
        if not query.venue_order_id and not query.symbols:
            message = "Coinbase Exchange lists fills by order or by symbol: name the symbols"
            raise invalid(message)
        symbol, after = _place(query)
        params = _page_params(query, symbol, after)
        said, answer, headers = await self._read_page(
            "/fills", params, list[wire.Fill], op.LIST_FILLS
        )
        found = self._each(read_fill, said, answer)
        wanted = of_side(found, query)
        return Page(wanted, _next(query, symbol, headers.get("CB-AFTER", ""), is_empty=not said))

    # The account and the market

    async def get_balance(self) -> tuple[Balance, ...]:
        said = await self._read("/accounts", (), list[wire.Account], op.BALANCES)
        now = self._around.now()
        return self._reading(lambda: tuple(read_balance(one, now) for one in said))

    async def get_key_rights(self) -> KeyRights:
        """Prove that the key reads; what else it may do the venue keeps to itself."""
        await self._read("/accounts", (), list[wire.Account], op.KEY_RIGHTS)
        return KeyRights(can_view=True, can_trade=None, can_transfer=None, notes=(_SAYS_NOTHING,))

    async def get_fees(self) -> tuple[Fee, ...]:
        said = await self._read("/fees", (), wire.Fees, op.BALANCES)
        maker, taker = self._reading(
            lambda: (number(said.maker_fee_rate), number(said.taker_fee_rate))
        )
        return (Fee(symbol="", maker=maker, taker=taker, received_at=self._around.now()),)

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        path = f"/products/{quote(symbol, safe='')}/book"
        said = await self._read_openly(path, [("level", "2")], wire.Book, op.BOOK)
        return self._reading(lambda: read_book(symbol, said, depth, self._around.now()))

    async def get_instruments(self) -> tuple[Instrument, ...]:
        said = await self._read_openly("/products", (), list[wire.Product], op.INSTRUMENTS)
        return self._reading(lambda: tuple(read_instrument(one) for one in said))

    # Streams

    def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[BookEvent | StreamReset, None]:
        return Follower(self._config.ws_url, feed.Books(symbols, self._around)).items()

    def subscribe_trades(self, symbols: Sequence[str]) -> AsyncGenerator[Trade | StreamReset, None]:
        return Follower(self._config.ws_url, feed.Trades(symbols, self._around)).items()

    def subscribe_tickers(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[Ticker | StreamReset, None]:
        return Follower(self._config.ws_url, feed.Tickers(symbols, self._around)).items()

    def subscribe_executions(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
        """Follow own orders; what the feed only hints at is read before it is told."""
        self._need_key()
        dialect = feed.Executions(symbols, self._around, signer=self._signer)
        return reading_hints(Follower(self._config.ws_user_url, dialect), self.get_order)


def _name(ref: OrderRef) -> str:
    known = ref.venue_order_id or f"client:{ref.client_order_id}"
    return quote(known, safe=":")


def _place(query: OrderQuery) -> tuple[str, str]:
    """Say which symbol's listing a cursor is in, and where: one symbol is listed after another."""
    if query.venue_order_id or not query.symbols:
        return "", query.cursor
    symbol, _, after = query.cursor.partition("|")
    return symbol or query.symbols[0], after


def _next(query: OrderQuery, symbol: str, after: str, *, is_empty: bool) -> str:
    if after and not is_empty:
        return f"{symbol}|{after}" if symbol else after
    if not symbol:
        return ""
    later = query.symbols[query.symbols.index(symbol) + 1 :]
    return f"{later[0]}|" if later else ""


def _page_params(query: OrderQuery, symbol: str, after: str) -> list[tuple[str, str]]:
    """Ask for one symbol's page, or one order's."""
    return _WORDS.params(replace(query, symbols=(symbol,) if symbol else (), cursor=after))
