"""The nine methods every venue answers, and the further abilities some have.

A method a venue cannot do raises `Unsupported`. Failures are told in the three answers of
`venues.interface.errors`: not sent, outcome unknown, rejected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from venues.interface.types import (
    Balance,
    BookEvent,
    BookSnapshot,
    CancelAnswer,
    Fill,
    Health,
    Instrument,
    KeyRights,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderUpdate,
    Page,
    StreamReset,
    Trade,
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
    def subscribe_executions(self) -> AsyncIterator[OrderUpdate | StreamReset]:
        """Follow the private stream: order updates as they happen, `StreamReset` after every gap."""
        ...


@runtime_checkable
class ChecksKey(Protocol):
    async def get_key_rights(self) -> KeyRights:
        """Prove that a key works and say what it may do: the test of a new credential."""
        ...
