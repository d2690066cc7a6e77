"""The nine methods every venue answers, and the further abilities some have.

A method a venue cannot do raises `Unsupported`. Failures are told in the three answers of
`venues.interface.errors`: not sent, outcome unknown, rejected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Protocol, runtime_checkable

from venues.interface.types import (
    Balance,
    BookEvent,
    BookSnapshot,
    CancelAnswer,
    ExecutionReport,
    Fee,
    Fill,
    Health,
    Instrument,
    KeyRights,
    Kline,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    Page,
    Position,
    Quote,
    QuoteRequest,
    StreamReset,
    Ticker,
    Trade,
    Transaction,
)


class VenueClient(Protocol):
    """One account at one venue."""

    async def place_order(self, request: OrderRequest) -> Order:
        """Send once. A repeat with the same client id returns the first order."""
        ...

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        """Ask for a cancel; the proof is the order's own later status."""
        ...

    async def get_order(self, ref: OrderRef) -> Order:
        """Read one order by venue id or, failing that, by client id. `Rejected` not found otherwise."""
        ...

    async def get_orders(self, query: OrderQuery) -> Page[Order]: ...

    async def get_balance(self) -> tuple[Balance, ...]: ...

    async def get_order_book(self, symbol: str, depth: int) -> BookSnapshot: ...

    def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncIterator[BookEvent | StreamReset]:
        """Books of several symbols on one socket; reconnects by itself and says so by `StreamReset`."""
        ...

    def subscribe_trades(self, symbols: Sequence[str]) -> AsyncIterator[Trade | StreamReset]: ...

    async def health(self) -> Health: ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class ListsInstruments(Protocol):
    async def get_instruments(self) -> tuple[Instrument, ...]: ...


@runtime_checkable
class ListsFills(Protocol):
    async def get_fills(self, query: OrderQuery) -> Page[Fill]: ...


@runtime_checkable
class StreamsExecutions(Protocol):
    def subscribe_executions(
        self, symbols: Sequence[str]
    ) -> AsyncIterator[ExecutionReport | StreamReset]:
        """Follow the private stream: reports as they happen, `StreamReset` after every gap.

        The symbols are those the account may trade, for venues that want them named.
        """
        ...


@runtime_checkable
class ChecksKey(Protocol):
    async def get_key_rights(self) -> KeyRights:
        """Prove that a key works and say what it may do: the test of a new credential."""
        ...


@runtime_checkable
class AmendsOrders(Protocol):
    async def amend_order(
        self, ref: OrderRef, *, quantity: Decimal | None, limit_price: Decimal | None
    ) -> Order:
        """Change a resting order in place; what is None stays as it is."""
        ...


@runtime_checkable
class ListsPositions(Protocol):
    async def get_positions(self) -> tuple[Position, ...]: ...


@runtime_checkable
class TellsFees(Protocol):
    async def get_fees(self) -> tuple[Fee, ...]: ...


@runtime_checkable
class StreamsTickers(Protocol):
    def subscribe_tickers(self, symbols: Sequence[str]) -> AsyncIterator[Ticker | StreamReset]: ...


@runtime_checkable
class StreamsKlines(Protocol):
    def subscribe_klines(self, symbols: Sequence[str]) -> AsyncIterator[Kline | StreamReset]: ...


@runtime_checkable
class Quotes(Protocol):
    """Request for quote: ask, and accept one before it expires by an order naming it."""

    async def request_quote(self, request: QuoteRequest) -> Quote: ...


@runtime_checkable
class KeepsCustody(Protocol):
    """A custodian's transactions; what may be moved is decided elsewhere."""

    async def get_transaction(self, venue_transaction_id: str) -> Transaction: ...

    async def get_transactions(self, query: OrderQuery) -> Page[Transaction]: ...


# Every ability beyond the nine methods and the words it is shown under; one list for docs and pages.
ABILITIES: Final[Mapping[str, type]] = {
    "Instruments": ListsInstruments,
    "Fills": ListsFills,
    "Execution stream": StreamsExecutions,
    "Key check": ChecksKey,
    "Amend": AmendsOrders,
    "Positions": ListsPositions,
    "Fees": TellsFees,
    "Ticker stream": StreamsTickers,
    "Kline stream": StreamsKlines,
    "RFQ": Quotes,
    "Custody": KeepsCustody,
}
