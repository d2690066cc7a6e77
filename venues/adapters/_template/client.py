"""One account at this venue, as the nine methods and what it can do beyond them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

import httpx

from venues.adapters._template import feed, orders, wire
from venues.adapters._template.missing import missing
from venues.adapters._template.signer import TemplateAuth
from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.adapters.kit.rest import RestClient
from venues.adapters.kit.stream import Follower
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


class TemplateClient(RestClient):
    def __init__(self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings) -> None:
        self._signer: TemplateAuth | None = None
        super().__init__(
            config=config,
            key=key,
            around=around,
            read_refusal=orders.read_refusal,
            known=wire.KNOWN,
        )

    def _sign(self, key: ApiKey) -> httpx.Auth:
        self._signer = TemplateAuth(key, self._signing_time)
        return self._signer

    async def _venue_time(self) -> datetime:
        missing("client._venue_time", "the venue's clock, by `_read_openly`")

    # Orders

    async def place_order(self, request: OrderRequest) -> Order:
        orders.order_body(request)
        missing("client.place_order", "send by `_create`, answer by `_accepted`")

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        missing("client.cancel_order", "by `_cancel` or `_delete`; too late is no failure")

    async def get_order(self, ref: OrderRef) -> Order:
        missing("client.get_order", "by either id; by ours with `_find_by_scanning` if need be")

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        missing("client.get_orders", "a page by `PageWords`, narrowed by `of_side`, `of_status`")

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        missing("client.get_fills", "a page of executions, by `normalizer.read_fill`")

    # The account and the market

    async def get_balance(self) -> tuple[Balance, ...]:
        missing("client.get_balance", "every currency, by `normalizer.read_balance`")

    async def get_instruments(self) -> tuple[Instrument, ...]:
        missing("client.get_instruments", "what can be traded, by `normalizer.read_instrument`")

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        missing("client.get_order_book", "by `normalizer.read_book`")

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
