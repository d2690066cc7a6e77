"""One account at Coinbase Advanced, as the nine methods and what it can do beyond them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from venues.adapters.coinbase_advanced import feed, orders, wire
from venues.adapters.coinbase_advanced.normalizer import (
    STATUSES,
    read_balances,
    read_book,
    read_fill,
    read_instrument,
    read_order,
)
from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.adapters.kit.listing import PageWords, of_side, of_status
from venues.adapters.kit.reading import first, unix_time
from venues.adapters.kit.rest import Params, RestClient, looking_up, next_cursor, unknown
from venues.adapters.kit.stream import Follower
from venues.adapters.kit.writing import amount, invalid
from venues.interface.errors import Rejected, VenueError
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
from venues.transport.signer import CdpAuth, CdpSigner

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
MOST_BOOKS_ON_A_SOCKET: Final = 55
# `-USDC` products that are markets of their own, not another name of a `-USD` one.
OWN_USDC_MARKETS: Final = frozenset({"USDT-USDC", "EURC-USDC"})


class CoinbaseAdvancedClient(RestClient):
    def __init__(self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings) -> None:
        self._aliases: dict[str, str] = {}
        self._signer: CdpSigner | None = None
        super().__init__(config=config, key=key, around=around, read_refusal=orders.read_refusal)

    def _sign(self, key: ApiKey) -> httpx.Auth:
        self._signer = CdpSigner(
            key.key_id, key.secret, clock=self._signing_time, nonce=self._around.nonce
        )
        return CdpAuth(self._signer)

    async def _venue_time(self) -> datetime:
        said = await self._read_openly(f"{PREFIX}/time", (), wire.ServerTime, op.HEALTH)
        return self._reading(lambda: unix_time(said.epochMillis))

    # Orders

    async def place_order(self, request: OrderRequest) -> Order:
        body = orders.order_body(request, self._around.now())
        said, answer = await self._create(
            f"{PREFIX}/orders", body, wire.Created, op.PLACE.about(request.client_order_id)
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

    async def _refused(self, request: OrderRequest, said: wire.Created) -> Order:
        refusal = orders.create_refusal(said.error_response, said.failure_reason)
        if refusal is None:
            message = "the venue said no without a reason, which proves nothing"
            raise unknown(message)
        if refusal.code != orders.DUPLICATE:
            raise Rejected(refusal.message, cause=refusal.cause, venue_code=refusal.code)
        return await self._first_order(request, "")

    async def _first_order(self, request: OrderRequest, venue_order_id: str) -> Order:
        """Read the order this client id already has; it exists, so not finding it proves nothing."""
        ref = OrderRef(
            symbol=request.symbol,
            client_order_id=request.client_order_id,
            venue_order_id=venue_order_id,
        )
        try:
            return await self.get_order(ref)
        except VenueError as error:
            message = f"the client id is taken, its order not readable: {error}"
            raise unknown(message) from error

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
            f"{PREFIX}/orders/edit", body, wire.Edited, op.AMEND.about(ref.client_order_id)
        )
        if not said.success:
            errors = said.errors or [wire.CreateError()]
            refusal = orders.create_refusal(said.error_response or errors[0], "")
            if refusal is None:
                message = "the venue said no to the change without a reason"
                raise unknown(message)
            raise Rejected(refusal.message, cause=refusal.cause, venue_code=refusal.code)
        return await self.get_order(ref)

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        venue_order_id = ref.venue_order_id or (await self.get_order(ref)).venue_order_id
        body = {"order_ids": [venue_order_id]}
        said = await self._cancel(
            f"{PREFIX}/orders/batch_cancel", body, wire.Cancelled, ref.client_order_id
        )
        result = next((one for one in said.results if one.order_id == venue_order_id), None)
        if result is None:
            message = "the answer to the cancel does not name the order"
            raise unknown(message)
        code = result.failure_reason or ""
        if result.success or code == orders.CANCEL_UNDER_WAY:
            return CancelAnswer(is_accepted=True, venue_code="" if result.success else code)
        if code in {orders.CANCEL_TOO_LATE, orders.CANCEL_RACES}:
            is_done = code == orders.CANCEL_TOO_LATE
            return CancelAnswer(is_accepted=False, venue_code=code, is_already_done=is_done)
        message = f"the venue refused the cancel: {code or 'no reason given'}"
        raise Rejected(message, cause=orders.CAUSES.of(code), venue_code=code)

    async def get_order(self, ref: OrderRef) -> Order:
        if not ref.venue_order_id:
            symbols = () if _has_two_names(ref.symbol) else (ref.symbol,)
            return await self._find_by_scanning(
                ref, OrderQuery(symbols=symbols, limit=LARGEST_PAGE)
            )
        path = f"{PREFIX}/orders/historical/{quote(ref.venue_order_id, safe='')}"
        return self._order((await self._read(path, (), wire.OneOrder, looking_up(ref))).order)

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        params = _ORDER_WORDS.params(query)
        params += [("order_side", query.side.value.upper())] if query.side else []
        # The venue lets OPEN stand with no other status; what it does not filter, we do.
        is_open_only = bool(query.statuses) and query.statuses <= OPEN_STATUSES
        params += [("order_status", "OPEN")] if is_open_only else []
        said = await self._read(
            f"{PREFIX}/orders/historical/batch", params, wire.Orders, op.LIST_ORDERS
        )
        wanted = of_status([self._order(raw) for raw in said.orders], query)
        return Page(wanted, next_cursor(query.cursor, said.cursor, has_next=said.has_next))

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        """List executions; corrections and reversals are left to the drift report."""
        params = _FILL_WORDS.params(query)
        said = await self._read(
            f"{PREFIX}/orders/historical/fills", params, wire.Fills, op.LIST_FILLS
        )
        found: list[Fill] = []
        for raw in said.fills:
            fill = self._reading(lambda raw=raw: read_fill(raw, self._around.now()))  # type: ignore[misc]
            if fill is None:
                self._around.on_drift(
                    "fill that is no fill", bytes(raw)[:300].decode(errors="replace")
                )
            else:
                found.append(fill)
        # A page without fills ends the listing even if a cursor came with it.
        has_next = None if said.fills else False
        return Page(
            of_side(found, query), next_cursor(query.cursor, said.cursor, has_next=has_next)
        )

    def _order(self, raw: msgspec.Raw) -> Order:
        order = self._reading(lambda: read_order(raw, self._around.now()))
        self._notice("order status", str(order.raw.get("status")), STATUSES)
        return order

    # The account and the market

    async def get_balance(self) -> tuple[Balance, ...]:
        accounts = await self._all(self._accounts, "accounts")
        return self._reading(lambda: read_balances(accounts, self._around.now()))

    async def _accounts(self, cursor: str) -> Page[wire.Account]:
        params = _ORDER_WORDS.params(OrderQuery(limit=LARGEST_PAGE, cursor=cursor))
        said = await self._read(f"{PREFIX}/accounts", params, wire.Accounts, op.BALANCES)
        return Page(tuple(said.accounts), next_cursor(cursor, said.cursor, has_next=said.has_next))

    async def get_key_rights(self) -> KeyRights:
        said = await self._read(f"{PREFIX}/key_permissions", (), wire.KeyPermissions, op.KEY_RIGHTS)
        return KeyRights(
            can_view=said.can_view, can_trade=said.can_trade, can_transfer=said.can_transfer
        )

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        params = [("product_id", symbol), ("limit", str(depth))]
        said = await self._market("/product_book", params, wire.OneBook, op.BOOK)
        return self._reading(lambda: read_book(symbol, said.pricebook, self._around.now()))

    async def get_instruments(self) -> tuple[Instrument, ...]:
        said = await self._market(
            "/products", [("product_type", "SPOT")], wire.Products, op.INSTRUMENTS
        )
        self._aliases |= {one.product_id: one.alias for one in said.products if one.alias}
        return self._reading(lambda: tuple(read_instrument(one) for one in said.products))

    async def _market(self, path: str, params: Params, kind: type[T], operation: op.Operation) -> T:
        """Read market data, with the key's own larger allowance where there is a key."""
        if self._key is not None:
            return await self._read(f"{PREFIX}{path}", params, kind, operation)
        return await self._read_openly(f"{PREFIX}/market{path}", params, kind, operation)

    # Streams

    def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[BookEvent | StreamReset, None]:
        if len(set(symbols)) > MOST_BOOKS_ON_A_SOCKET:
            message = f"at most {MOST_BOOKS_ON_A_SOCKET} books on one socket: split the symbols"
            raise invalid(message)
        return self._listen(self._config.ws_url, feed.Books, symbols)

    def subscribe_trades(self, symbols: Sequence[str]) -> AsyncGenerator[Trade | StreamReset, None]:
        return self._listen(self._config.ws_url, feed.Trades, symbols)

    def subscribe_tickers(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[Ticker | StreamReset, None]:
        return self._listen(self._config.ws_url, feed.Tickers, symbols)

    def subscribe_executions(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
        """Follow all of the account's orders: this venue wants no symbols named."""
        self._need_key()
        return self._listen(self._config.ws_user_url, feed.Executions, ())

    async def _listen(
        self, url: str, channel: type[feed.Feed[T]], symbols: Sequence[str]
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


def _is_another_order(said: wire.Created, body: dict[str, object]) -> bool:
    """Compare what the venue says it holds with what we sent: a used id brings back the first."""
    success = said.success_response or wire.CreateSuccess()
    named = ((success.product_id, body["product_id"]), (success.side, body["side"]))
    if any(theirs and theirs != ours for theirs, ours in named):
        return True
    configuration = said.order_configuration
    sent: object = body["order_configuration"]
    return bool(configuration) and isinstance(sent, dict) and set(configuration or ()) != set(sent)
