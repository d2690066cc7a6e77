"""What a mock venue keeps when nobody scripts it: orders, fills, balances, books and its streams.

It has no market of its own: an order rests until the test fills it. Whoever wants a market that
moves, signatures and a wire runs the simulator.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from venues.interface.client import ABILITIES, VenueClient
from venues.interface.types import (
    Balance,
    BookEvent,
    BookSnapshot,
    ExecutionReport,
    Fee,
    Fill,
    Instrument,
    Kline,
    Order,
    OrderQuery,
    OrderRef,
    Page,
    Position,
    StreamReset,
    Ticker,
    Trade,
    Transaction,
)
from venues.mock import failures, samples
from venues.mock.feeds import Feed
from venues.mock.records import Call, Records
from venues.mock.scripts import Script

T = TypeVar("T")

# Every method of the interface, those of all abilities too.
METHODS: Final = frozenset(
    name
    for protocol in (VenueClient, *ABILITIES.values())
    for name in vars(protocol)
    if not name.startswith("_")
)


class Keeping(Records):
    """The state, the scripts and the streams; the methods of a venue are added to it."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: samples.NOON,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__()
        self._now = now
        self._sleep = sleep
        self._scripts: dict[str, Script] = {}
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.balances: list[Balance] = [samples.balance()]
        self.books: dict[str, BookSnapshot] = {samples.SYMBOL: samples.book()}
        self.instruments: list[Instrument] = [samples.instrument()]
        self.positions: list[Position] = []
        self.fees: list[Fee] = [samples.fee()]
        self.transactions: list[Transaction] = []
        self.book_events: Feed[BookEvent] = Feed(now)
        self.trades: Feed[Trade] = Feed(now)
        self.executions: Feed[ExecutionReport] = Feed(now)
        self.tickers: Feed[Ticker] = Feed(now)
        self.klines: Feed[Kline] = Feed(now)
        self.is_closed = False

    def on(self, method: str) -> Script:
        """Return the script of one method, to say there what it is to do."""
        if method not in METHODS or not hasattr(self, method):
            message = f"this venue has no {method}"
            raise ValueError(message)
        return self._scripts.setdefault(method, Script(method))

    def keep(self, order: Order) -> Order:
        """Let the venue know an order, however it came to stand there."""
        self.orders[order.client_order_id] = order
        return order

    def _kept(self, ref: OrderRef) -> Order:
        for order in self.orders.values():
            is_it = order.venue_order_id == ref.venue_order_id
            if is_it or (not ref.venue_order_id and order.client_order_id == ref.client_order_id):
                return order
        raise failures.not_found()

    async def _play(self, method: str, asked: Mapping[str, Any], usual: Callable[[], T]) -> T:
        self.calls.append(Call(method, asked))
        answer: T = await self.on(method).play(asked, usual, self._sleep)
        return answer

    def _subscribe(
        self, method: str, symbols: Sequence[str], feed: Feed[T]
    ) -> AsyncIterator[T | StreamReset]:
        asked = {"symbols": tuple(symbols)}
        self.calls.append(Call(method, asked))
        stream: AsyncIterator[T | StreamReset] = self.on(method).play_at_once(
            asked, lambda: feed.listen(symbols)
        )
        return stream


def page_of(found: Sequence[T], query: OrderQuery) -> Page[T]:
    """Cut the page a query asks for, oldest first; its cursor says how many came before."""
    start = int(query.cursor or 0)
    end = start + query.limit
    return Page(tuple(found[start:end]), str(end) if end < len(found) else "")


def newest_page_of(found: Sequence[T], query: OrderQuery) -> Page[T]:
    """Cut a page of what is listed newest first; its cursor says how many are left.

    What comes in between two pages stands before the first one, and moves nothing on the others.
    """
    start = max(len(found) - int(query.cursor), 0) if query.cursor else 0
    left = len(found) - start - query.limit
    return Page(tuple(found[start : start + query.limit]), str(left) if left > 0 else "")
