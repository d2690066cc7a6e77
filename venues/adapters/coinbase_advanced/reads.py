"""The reading half of the client: nothing here changes anything at the venue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec

from venues.adapters.coinbase_advanced import orders, wire
from venues.adapters.coinbase_advanced.market import read_book, read_instrument, read_server_time
from venues.adapters.coinbase_advanced.normalizer import (
    STATUSES,
    Unreadable,
    decode,
    read_balances,
    read_fill,
    read_order,
)
from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.interface.errors import Cause, NotSent, Rejected, VenueError
from venues.interface.times import to_rfc3339
from venues.interface.types import (
    Balance,
    BookSnapshot,
    Fill,
    Health,
    Instrument,
    KeyRights,
    Order,
    OrderQuery,
    OrderRef,
    Page,
)
from venues.transport.http import HttpTransport
from venues.transport.signer import CdpAuth, CdpSigner

PREFIX: Final = "/api/v3/brokerage"
LARGEST_PAGE: Final = 250
MOST_PAGES: Final = 200
# How far the venue's clock and ours may be apart when an order is looked for by time.
CLOCK_MARGIN: Final = timedelta(minutes=2)
# Beyond this our own clock is taken to be wrong when signing.
CLOCK_TOLERANCE: Final = timedelta(seconds=2)
# `-USDC` products that are markets of their own, not another name of a `-USD` one.
OWN_USDC_MARKETS: Final = frozenset({"USDT-USDC", "EURC-USDC"})

T = TypeVar("T")
Params = list[tuple[str, str]]


class CoinbaseAdvancedReads:
    def __init__(self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings) -> None:
        self._config = config
        self._around = around
        self._aliases: dict[str, str] = {}
        self._clock_offset = timedelta()
        self._signer = (
            CdpSigner(
                key.key_id,
                key.secret,
                clock=self._signing_time,
                nonce=around.nonce,
            )
            if key
            else None
        )
        self._http = HttpTransport(
            config.rest_url,
            auth=CdpAuth(self._signer) if self._signer else None,
            read_refusal=orders.read_refusal,
            on_unauthorized=self._ask_the_time,
            patience=around.patience,
            seams=around.seams,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get_order(self, ref: OrderRef) -> Order:
        if not ref.venue_order_id:
            return await self._find_by_client_id(ref)
        path = f"{PREFIX}/orders/historical/{quote(ref.venue_order_id, safe='')}"
        said = await self._read(path, (), wire.OneOrder)
        return self._order(said.order)

    async def _find_by_client_id(self, ref: OrderRef) -> Order:
        """Scan the listing, for the venue has no filter by our id.

        Only a listing read to its end proves that an order is not there.
        """
        query = OrderQuery(
            symbol="" if _has_two_names(ref.symbol) else ref.symbol,
            since=ref.sent_at - CLOCK_MARGIN if ref.sent_at else None,
            limit=LARGEST_PAGE,
        )
        for _ in range(MOST_PAGES):
            page = await self.get_orders(query)
            for order in page.items:
                if order.client_order_id == ref.client_order_id:
                    return order
            if not page.cursor:
                message = f"no order {ref.client_order_id} on {ref.symbol} since it was sent"
                raise Rejected(message, cause=Cause.NOT_FOUND)
            query = replace(query, cursor=page.cursor)
        message = f"order {ref.client_order_id} was not among the first {MOST_PAGES} pages"
        raise NotSent(message, cause=Cause.TEMPORARY)

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        params = _page_params(query)
        params += [("order_ids", query.venue_order_id)] if query.venue_order_id else []
        params += [("order_side", query.side.value.upper())] if query.side else []
        params += [("order_status", "OPEN")] if query.open_only else []
        params += [("start_date", to_rfc3339(query.since))] if query.since else []
        params += [("end_date", to_rfc3339(query.until))] if query.until else []
        said = await self._read(f"{PREFIX}/orders/historical/batch", params, wire.Orders)
        found = tuple(self._order(raw) for raw in said.orders)
        return Page(found, _next_cursor(query.cursor, said.cursor, has_next=said.has_next))

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        """List executions; corrections and reversals are left to the drift report."""
        params = _page_params(query)
        params += [("order_ids", query.venue_order_id)] if query.venue_order_id else []
        params += [("start_sequence_timestamp", to_rfc3339(query.since))] if query.since else []
        params += [("end_sequence_timestamp", to_rfc3339(query.until))] if query.until else []
        said = await self._read(f"{PREFIX}/orders/historical/fills", params, wire.Fills)
        found: list[Fill] = []
        for raw in said.fills:
            fill = self._fill(raw)
            if fill is None:
                self._around.on_drift("fill that is no fill", bytes(raw)[:300].decode())
            elif query.side in {None, fill.side}:
                found.append(fill)
        # A page without fills ends the listing even if a cursor came with it.
        has_next = None if said.fills else False
        return Page(tuple(found), _next_cursor(query.cursor, said.cursor, has_next=has_next))

    async def get_balance(self) -> tuple[Balance, ...]:
        accounts = await self._accounts()
        return self._reading(lambda: read_balances(accounts, self._around.now()))

    async def _accounts(self) -> list[wire.Account]:
        accounts: list[wire.Account] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            params = [("limit", str(LARGEST_PAGE)), *([("cursor", cursor)] if cursor else [])]
            said = await self._read(f"{PREFIX}/accounts", params, wire.Accounts)
            accounts += said.accounts
            cursor = _next_cursor(cursor, said.cursor, has_next=said.has_next)
            if not cursor:
                return accounts
        message = f"more than {MOST_PAGES} pages of accounts"
        raise NotSent(message, cause=Cause.PERMANENT)

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        params = [("product_id", symbol), ("limit", str(depth))]
        said = await self._read_public("/product_book", params, wire.OneBook)
        return self._reading(lambda: read_book(symbol, said.pricebook, self._around.now()))

    async def get_instruments(self) -> tuple[Instrument, ...]:
        said = await self._read_public("/products", [("product_type", "SPOT")], wire.Products)
        self._aliases |= {one.product_id: one.alias for one in said.products if one.alias}
        return self._reading(lambda: tuple(read_instrument(one) for one in said.products))

    async def health(self) -> Health:
        """Ask for the time, which needs no key; `get_key_rights` is the test of a key."""
        stopwatch = self._around.seams.stopwatch
        began, asked_at = stopwatch(), self._around.now()
        try:
            answer = await self._http.get(f"{PREFIX}/time", is_signed=False)
            venue_time = self._reading(lambda: read_server_time(answer))
        except VenueError as error:
            return Health(
                is_up=False,
                latency_seconds=stopwatch() - began,
                clock_offset_seconds=None,
                message=str(error),
            )
        seconds = stopwatch() - began
        offset = venue_time - asked_at - timedelta(seconds=seconds / 2)
        self._clock_offset = offset if abs(offset) > CLOCK_TOLERANCE else timedelta()
        return Health(
            is_up=True, latency_seconds=seconds, clock_offset_seconds=offset.total_seconds()
        )

    def _signing_time(self) -> float:
        return (self._around.now() + self._clock_offset).timestamp()

    async def _ask_the_time(self) -> None:
        """Sign by the venue's clock when ours is wrong: a token made too early or late is a 401."""
        await self.health()

    async def get_key_rights(self) -> KeyRights:
        said = await self._read(f"{PREFIX}/key_permissions", (), wire.KeyPermissions)
        return KeyRights(
            can_view=said.can_view, can_trade=said.can_trade, can_transfer=said.can_transfer
        )

    async def _wire_symbol(self, symbol: str) -> str:
        """Find the product id under which the market channels deliver a symbol."""
        if not _has_two_names(symbol):
            return symbol
        if symbol not in self._aliases:
            product = await self._read_public(
                f"/products/{quote(symbol, safe='')}", (), wire.Product
            )
            self._aliases[symbol] = product.alias or symbol
        return self._aliases[symbol]

    async def _read(self, path: str, params: Params | tuple[()], kind: type[T]) -> T:
        self._need_key()
        answer = await self._http.get(path, params=params)
        return self._reading(lambda: decode(answer, kind))

    async def _read_public(self, path: str, params: Params | tuple[()], kind: type[T]) -> T:
        """Read market data, with the key's own larger allowance where there is a key."""
        if self._signer is not None:
            return await self._read(f"{PREFIX}{path}", params, kind)
        answer = await self._http.get(
            f"{PREFIX}/market{path}",
            params=params,
            headers={"Cache-Control": "no-cache"},
            is_signed=False,
        )
        return self._reading(lambda: decode(answer, kind))

    def _order(self, raw: msgspec.Raw) -> Order:
        order = self._reading(lambda: read_order(raw, self._around.now()))
        status = str(order.raw.get("status"))
        if status not in STATUSES:
            self._around.on_drift("unknown order status", status[:80])
        return order

    def _fill(self, raw: msgspec.Raw) -> Fill | None:
        return self._reading(lambda: read_fill(raw, self._around.now()))

    def _reading(self, read: Callable[[], T]) -> T:
        """Say of an unreadable answer to a read that asking again is safe."""
        try:
            return read()
        except Unreadable as error:
            self._around.on_drift("unreadable answer", str(error))
            message = f"the venue's answer cannot be read: {error}"
            raise NotSent(message, cause=Cause.TEMPORARY) from error

    def _need_key(self) -> None:
        if self._signer is None:
            message = "this needs an API key and none is given"
            raise NotSent(message, cause=Cause.AUTH)


def _has_two_names(symbol: str) -> bool:
    return symbol.endswith("-USDC") and symbol not in OWN_USDC_MARKETS


def _page_params(query: OrderQuery) -> Params:
    params = [("limit", str(min(query.limit, LARGEST_PAGE)))]
    params += [("product_ids", query.symbol)] if query.symbol else []
    params += [("cursor", query.cursor)] if query.cursor else []
    return params


def _next_cursor(asked: str, said: str | None, *, has_next: bool | None) -> str:
    """Return the way on, or nothing at the end; a listing that hides its rest is no listing."""
    if has_next is False or (has_next is None and not said):
        return ""
    if not said or said == asked:
        message = "the venue says there is more and not how to read it"
        raise NotSent(message, cause=Cause.TEMPORARY)
    return said
