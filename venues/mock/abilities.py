"""What some venues can do beyond the nine methods, one small class an ability.

A mock venue without one of them does not have its methods at all, so that a strategy's own
`isinstance` question is answered as it would be at such a venue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from venues.interface import client as able
from venues.interface.numbers import exactly
from venues.interface.types import (
    OPEN_STATUSES,
    ExecutionReport,
    Fee,
    Fill,
    Instrument,
    KeyRights,
    Kline,
    Order,
    OrderQuery,
    OrderRef,
    OrderStatus,
    OrderUpdate,
    Page,
    Position,
    Quote,
    QuoteRequest,
    StreamReset,
    Ticker,
    Transaction,
)
from venues.mock import failures, samples
from venues.mock.keeping import Keeping, page_of


class WithInstruments(Keeping):
    async def get_instruments(self) -> tuple[Instrument, ...]:
        return await self._play("get_instruments", {}, lambda: tuple(self.instruments))


class WithFills(Keeping):
    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        return await self._play("get_fills", {"query": query}, lambda: self._found(query))

    def _found(self, query: OrderQuery) -> Page[Fill]:
        return page_of(
            [
                one
                for one in self.fills
                if (not query.symbols or one.symbol in query.symbols)
                and query.side in {None, one.side}
                and query.venue_order_id in {"", one.venue_order_id}
                and (query.since is None or one.executed_at >= query.since)
                and (query.until is None or one.executed_at <= query.until)
            ],
            query,
        )


class WithExecutions(Keeping):
    def subscribe_executions(
        self, symbols: Sequence[str]
    ) -> AsyncIterator[ExecutionReport | StreamReset]:
        return self._subscribe("subscribe_executions", symbols, self.executions)


class WithKeyCheck(Keeping):
    async def get_key_rights(self) -> KeyRights:
        return await self._play("get_key_rights", {}, samples.key_rights)


class WithAmends(Keeping):
    async def amend_order(
        self, ref: OrderRef, *, quantity: Decimal | None, limit_price: Decimal | None
    ) -> Order:
        asked = {"ref": ref, "quantity": quantity, "limit_price": limit_price}
        return await self._play(
            "amend_order", asked, lambda: self._amended(ref, quantity, limit_price)
        )

    def _amended(
        self, ref: OrderRef, quantity: Decimal | None, limit_price: Decimal | None
    ) -> Order:
        order = self._kept(ref)
        if order.status not in OPEN_STATUSES:
            raise failures.refused(message="the order is no longer open", venue_code="NOT_OPEN")
        changed = replace(
            order,
            quantity=order.quantity if quantity is None else quantity,
            limit_price=order.limit_price if limit_price is None else limit_price,
        )
        return self.keep(changed)


class WithPositions(Keeping):
    async def get_positions(self) -> tuple[Position, ...]:
        return await self._play("get_positions", {}, lambda: tuple(self.positions))


class WithFees(Keeping):
    async def get_fees(self) -> tuple[Fee, ...]:
        return await self._play("get_fees", {}, lambda: tuple(self.fees))


class WithTickers(Keeping):
    def subscribe_tickers(self, symbols: Sequence[str]) -> AsyncIterator[Ticker | StreamReset]:
        return self._subscribe("subscribe_tickers", symbols, self.tickers)


class WithKlines(Keeping):
    def subscribe_klines(self, symbols: Sequence[str]) -> AsyncIterator[Kline | StreamReset]:
        return self._subscribe("subscribe_klines", symbols, self.klines)


class WithQuotes(Keeping):
    async def request_quote(self, request: QuoteRequest) -> Quote:
        return await self._play(
            "request_quote", {"request": request}, lambda: self._quoted(request)
        )

    def _quoted(self, request: QuoteRequest) -> Quote:
        return samples.quote(
            quote_id=f"Q-{request.client_order_id}",
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            notional=request.notional,
        )


class WithCustody(Keeping):
    async def get_transaction(self, venue_transaction_id: str) -> Transaction:
        return await self._play(
            "get_transaction",
            {"venue_transaction_id": venue_transaction_id},
            lambda: self._moved(venue_transaction_id),
        )

    async def get_transactions(self, query: OrderQuery) -> Page[Transaction]:
        return await self._play(
            "get_transactions", {"query": query}, lambda: page_of(self.transactions, query)
        )

    def _moved(self, venue_transaction_id: str) -> Transaction:
        for one in self.transactions:
            if one.venue_transaction_id == venue_transaction_id:
                return one
        message = f"no transaction {venue_transaction_id}"
        raise failures.not_found(message)


WAYS: Final[Mapping[type, type[Keeping]]] = {
    able.ListsInstruments: WithInstruments,
    able.ListsFills: WithFills,
    able.StreamsExecutions: WithExecutions,
    able.ChecksKey: WithKeyCheck,
    able.AmendsOrders: WithAmends,
    able.ListsPositions: WithPositions,
    able.TellsFees: WithFees,
    able.StreamsTickers: WithTickers,
    able.StreamsKlines: WithKlines,
    able.Quotes: WithQuotes,
    able.KeepsCustody: WithCustody,
}


def filled_on(order: Order, fill: Fill) -> Order:
    """Say how an order stands after one more execution."""
    with exactly():
        quantity = order.filled_quantity + fill.quantity
        value = order.filled_value + fill.price * fill.quantity
        fees = order.fees + fill.fee
    is_whole = order.quantity is not None and quantity >= order.quantity
    return replace(
        order,
        status=OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED,
        filled_quantity=quantity,
        filled_value=value,
        fees=fees,
        average_price=value / quantity,
    )


def told(order: Order) -> OrderUpdate:
    return OrderUpdate(order=order, is_snapshot=False, received_at=order.received_at)
