"""The mock venue itself: the nine methods, with all abilities or with those that are named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from venues.interface.client import ABILITIES
from venues.interface.types import (
    OPEN_STATUSES,
    Balance,
    BookEvent,
    BookSnapshot,
    CancelAnswer,
    Fill,
    Health,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderStatus,
    Page,
    StreamReset,
    Trade,
)
from venues.mock import failures, samples
from venues.mock.abilities import (
    WAYS,
    WithAmends,
    WithCustody,
    WithExecutions,
    WithFees,
    WithFills,
    WithInstruments,
    WithKeyCheck,
    WithKlines,
    WithPositions,
    WithQuotes,
    WithTickers,
    filled_on,
    told,
)
from venues.mock.keeping import Keeping, newest_page_of


class BareVenue(Keeping):
    """One account at a venue that can do the nine methods and nothing else."""

    async def place_order(self, request: OrderRequest) -> Order:
        return await self._play("place_order", {"request": request}, lambda: self._placed(request))

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        return await self._play("cancel_order", {"ref": ref}, lambda: self._cancelled(ref))

    async def get_order(self, ref: OrderRef) -> Order:
        return await self._play("get_order", {"ref": ref}, lambda: self._kept(ref))

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        return await self._play("get_orders", {"query": query}, lambda: self._listed(query))

    async def get_balance(self) -> tuple[Balance, ...]:
        return await self._play("get_balance", {}, lambda: tuple(self.balances))

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot:
        asked = {"symbol": symbol, "depth": depth}
        return await self._play("get_order_book", asked, lambda: self._book(symbol, depth))

    def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncIterator[BookEvent | StreamReset]:
        return self._subscribe("subscribe_order_book", symbols, self.book_events)

    def subscribe_trades(self, symbols: Sequence[str]) -> AsyncIterator[Trade | StreamReset]:
        return self._subscribe("subscribe_trades", symbols, self.trades)

    async def health(self) -> Health:
        return await self._play("health", {}, samples.health)

    async def aclose(self) -> None:
        await self._play("aclose", {}, self._close)

    # What happens at the venue, said by the test

    def fill(
        self, client_order_id: str, *, price: str | Decimal, quantity: str | Decimal, **named: Any
    ) -> Fill:
        """Execute a part of an order: it is booked, listed, and told on the private stream."""
        order = self.orders[client_order_id]
        said = {
            "venue_execution_id": f"E-{client_order_id}-{len(self.fills) + 1}",
            "venue_order_id": order.venue_order_id,
            "client_order_id": client_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "fee_currency": order.symbol.rpartition("-")[2],
            "executed_at": self._now(),
            "received_at": self._now(),
        }
        done = samples.fill(**{**said, "price": price, "quantity": quantity, **named})
        self.fills.append(done)
        self.executions.push(told(self.keep(filled_on(order, done))))
        return done

    def end_order(self, client_order_id: str, status: OrderStatus, reason: str = "") -> Order:
        """End an order the venue's way: cancelled, expired or rejected afterwards."""
        ended = self.keep(replace(self.orders[client_order_id], status=status, reason=reason))
        self.executions.push(told(ended))
        return ended

    # What it does by itself

    def _close(self) -> None:
        self.is_closed = True

    def _placed(self, request: OrderRequest) -> Order:
        first = self.orders.get(request.client_order_id)
        if first is not None:
            return first
        now = self._now()
        order = self.keep(samples.order_for(request, created_at=now, received_at=now))
        self.executions.push(told(order))
        return order

    def _cancelled(self, ref: OrderRef) -> CancelAnswer:
        order = self._kept(ref)
        if order.status not in OPEN_STATUSES:
            return CancelAnswer(is_accepted=False, is_already_done=True)
        self.end_order(order.client_order_id, OrderStatus.CANCELLED)
        return CancelAnswer(is_accepted=True)

    def _listed(self, query: OrderQuery) -> Page[Order]:
        """List the orders a query asks for, newest first."""
        found = [one for one in reversed(self.orders.values()) if _fits(one, query)]
        return newest_page_of(found, query)

    def _book(self, symbol: str, depth: int) -> BookSnapshot:
        book = self.books.get(symbol)
        if book is None:
            message = f"no such symbol: {symbol}"
            raise failures.not_found(message)
        return replace(book, bids=book.bids[:depth], asks=book.asks[:depth])


def _fits(order: Order, query: OrderQuery) -> bool:
    at = order.created_at
    return (
        (not query.symbols or order.symbol in query.symbols)
        and query.side in {None, order.side}
        and (not query.statuses or order.status in query.statuses)
        and query.venue_order_id in {"", order.venue_order_id}
        and (query.since is None or at is None or at >= query.since)
        and (query.until is None or at is None or at <= query.until)
    )


class MockVenue(
    BareVenue,
    WithInstruments,
    WithFills,
    WithExecutions,
    WithKeyCheck,
    WithAmends,
    WithPositions,
    WithFees,
    WithTickers,
    WithKlines,
    WithQuotes,
    WithCustody,
):
    """A venue with every ability there is."""


def venue_with(*abilities: type, **around: Any) -> BareVenue:
    """Make a venue with the nine methods and these abilities alone.

    They are named by their protocols: `venue_with(ListsFills)` lists fills and streams no executions.
    """
    unknown = [one.__name__ for one in abilities if one not in WAYS]
    if unknown:
        known = ", ".join(one.__name__ for one in ABILITIES.values())
        message = f"{', '.join(unknown)}: no ability; they are {known}"
        raise ValueError(message)
    ways = tuple(WAYS[one] for one in dict.fromkeys(abilities))
    made: type[BareVenue] = type("MockVenue", (BareVenue, *ways), {})
    return made(**around)
