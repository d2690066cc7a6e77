"""One account at Harbour, as the nine methods and the three abilities the desk stands on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec

from tests.venues.fictional.adapter import feed, orders, wire
from tests.venues.fictional.adapter.normalizer import (
    STATES,
    read_balance,
    read_book,
    read_fill,
    read_instrument,
    read_order,
)
from tests.venues.fictional.adapter.signer import HarbourAuth
from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.adapters.kit.listing import PageWords, of_side, of_status
from venues.adapters.kit.reading import unix_time
from venues.adapters.kit.rest import RestClient, looking_up, next_cursor, unknown
from venues.adapters.kit.stream import Follower
from venues.interface.errors import Rejected
from venues.interface.types import (
    Balance,
    BookEvent,
    BookSnapshot,
    CancelAnswer,
    Fill,
    Instrument,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderUpdate,
    Page,
    StreamReset,
    Trade,
)
from venues.transport import operation as op

_WORDS = PageWords(
    largest=500, symbol="market", order="order", cursor="after", since="from", until="to"
)


class HarbourClient(RestClient):
    def __init__(self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings) -> None:
        self._signer: HarbourAuth | None = None
        super().__init__(
            config=config,
            key=key,
            around=around,
            read_refusal=orders.read_refusal,
            known=wire.KNOWN,
        )

    def _sign(self, key: ApiKey) -> httpx.Auth:
        self._signer = HarbourAuth(key, self._signing_time)
        return self._signer

    async def _venue_time(self) -> datetime:
        said = await self._read_openly("/clock", (), wire.Clock, op.HEALTH)
        return self._reading(lambda: unix_time(said.now))

    # Orders

    async def place_order(self, request: OrderRequest) -> Order:
        body = orders.order_body(request)
        place = op.PLACE.about(request.client_order_id)
        said, answer = await self._create("/orders", body, wire.Taken, place)
        if said.ref != request.client_order_id:
            message = "the venue's answer names another order"
            raise unknown(message)
        return self._accepted(request, said.id, answer)

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        try:
            await self._delete(f"/orders/{_name(ref)}", (), wire.Taken, ref.client_order_id)
        except Rejected as error:
            if error.venue_code != orders.DONE:
                raise
            return CancelAnswer(
                is_accepted=False, venue_code=error.venue_code, is_already_done=True
            )
        return CancelAnswer(is_accepted=True)

    async def get_order(self, ref: OrderRef) -> Order:
        raw = await self._read(f"/orders/{_name(ref)}", (), msgspec.Raw, looking_up(ref))
        return self._order(raw)

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        said = await self._read("/orders", _WORDS.params(query), wire.Rows, op.LIST_ORDERS)
        found = of_status(of_side([self._order(raw) for raw in said.rows], query), query)
        return Page(found, next_cursor(query.cursor, said.next, has_next=None))

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        said = await self._read("/fills", _WORDS.params(query), wire.Rows, op.LIST_FILLS)
        now = self._around.now()
        found = self._reading(lambda: tuple(read_fill(raw, now) for raw in said.rows))
        for raw in said.rows:
            self._look(wire.Fill, raw)
        return Page(of_side(found, query), next_cursor(query.cursor, said.next, has_next=None))

    def _order(self, raw: msgspec.Raw) -> Order:
        order = self._reading(lambda: read_order(raw, self._around.now()))
        self._look(wire.Order, raw)
        self._notice("order state", str(order.raw.get("state")), STATES)
        return order

    # The account and the market

    async def get_balance(self) -> tuple[Balance, ...]:
        said = await self._read("/wallet", (), list[wire.Purse], op.BALANCES)
        now = self._around.now()
        return self._reading(lambda: tuple(read_balance(one, now) for one in said))

    async def get_instruments(self) -> tuple[Instrument, ...]:
        said = await self._read_openly("/markets", (), list[wire.Market], op.INSTRUMENTS)
        return self._reading(lambda: tuple(read_instrument(one) for one in said))

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        path = f"/markets/{quote(symbol, safe='')}/book"
        said = await self._read_openly(path, (), wire.Book, op.BOOK)
        return self._reading(lambda: read_book(symbol, said, depth, self._around.now()))

    # Streams

    def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[BookEvent | StreamReset, None]:
        return Follower(self._config.ws_url, feed.Books(symbols, self._around)).items()

    def subscribe_trades(self, symbols: Sequence[str]) -> AsyncGenerator[Trade | StreamReset, None]:
        return Follower(self._config.ws_url, feed.Trades(symbols, self._around)).items()

    def subscribe_executions(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
        self._need_key()
        dialect = feed.Executions(symbols, self._around, self._signer)
        return Follower(self._config.ws_user_url, dialect).items()


def _name(ref: OrderRef) -> str:
    return quote(ref.venue_order_id or f"ref:{ref.client_order_id}", safe=":")
