"""What the outside hears about orders. Every amount is exact text, every id is ours unless it says so."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from cqops.platform.events.schemas import Schema
from cqops.platform.events.services import emit

if TYPE_CHECKING:
    from trading.models import ExecutionReport, Order

ORDER = "order"


class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    """An order was taken in: queued to be sent, or refused by our own checks."""

    order_id: UUID
    client_order_id: str
    venue: str
    account_id: UUID
    portfolio_id: UUID
    symbol: str
    side: str
    order_type: str
    time_in_force: str
    quantity: Decimal
    limit_price: Decimal | None
    state: str
    reason: str
    placed_by: str


class OrderMoved(msgspec.Struct, frozen=True, kw_only=True):
    """An order went from one state to another."""

    order_id: UUID
    here: str
    there: str
    by: str
    reason: str
    filled_quantity: Decimal


class OrderExecuted(msgspec.Struct, frozen=True, kw_only=True):
    """A fill of an order was booked. `venue_execution_id` is unique at its account."""

    order_id: UUID
    account_id: UUID
    venue_execution_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    executed_at: datetime


EVENTS = (
    Schema("order.placed", 1, ORDER, OrderPlaced),
    Schema("order.moved", 1, ORDER, OrderMoved),
    Schema("order.executed", 1, ORDER, OrderExecuted),
)


def placed(order: Order) -> None:
    payload = OrderPlaced(
        order_id=order.pk,
        client_order_id=order.client_order_id,
        venue=order.symbol.venue.slug,
        account_id=order.account_id,
        portfolio_id=order.portfolio_id,
        symbol=order.symbol.symbol,
        side=str(order.side),
        order_type=str(order.order_type),
        time_in_force=str(order.time_in_force),
        quantity=order.quantity,
        limit_price=order.limit_price,
        state=str(order.state),
        reason=order.reason,
        placed_by=order.placed_by.username,
    )
    _emit("order.placed", order.pk, payload)


def moved(order: Order, *, here: str, by: str) -> None:
    payload = OrderMoved(
        order_id=order.pk,
        here=str(here),
        there=str(order.state),
        by=by,
        reason=order.reason,
        filled_quantity=order.filled_quantity,
    )
    _emit("order.moved", order.pk, payload)


def executed(order: Order, execution: ExecutionReport) -> None:
    payload = OrderExecuted(
        order_id=order.pk,
        account_id=order.account_id,
        venue_execution_id=execution.venue_execution_id,
        symbol=order.symbol.symbol,
        side=str(execution.side),
        price=execution.price,
        quantity=execution.quantity,
        fee=execution.fee,
        fee_currency=execution.fee_currency,
        executed_at=execution.executed_at,
    )
    _emit("order.executed", order.pk, payload)


def _emit(kind: str, order_id: UUID, payload: msgspec.Struct) -> None:
    emit(kind=kind, version=1, aggregate=ORDER, aggregate_id=str(order_id), payload=payload)
