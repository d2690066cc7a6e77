"""The only writer of an order's state: one step of the table, under the caller's row lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from cqops.platform.telemetry.spans import span
from trading import events
from trading.live import order_changed
from trading.metrics import ORDER_MOVES
from trading.models import Order, OrderMove
from trading.states import State, move


def lock(order_id: UUID | str) -> Order:
    """Read an order for change; the row stays ours until the transaction ends."""
    return Order.objects.select_for_update(of=("self",)).with_names().get(pk=order_id)


def advance(
    order: Order,
    there: State,
    *,
    at: datetime,
    by: str,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> None:
    """Move a locked order, and write down why."""
    here = State(order.state)
    with span("order.move", order_id=str(order.pk), here=here.value, there=there.value, by=by):
        order.state = move(here, there)
        order.reason = reason[:500]
        write(order, fields=("state", "reason"))
        transaction.on_commit(ORDER_MOVES.labels(there.value).inc)
        OrderMove.objects.create(
            order=order,
            here=here,
            there=there,
            at=at,
            by=by,
            reason=order.reason,
            evidence=evidence or {},
        )
        events.moved(order, here=here, by=by)


def write(order: Order, *, fields: tuple[str, ...]) -> None:
    """Save named fields of a locked order and tell the pages."""
    order.version += 1
    order.save(update_fields=[*fields, "version", "updated_at"])
    order_changed(order)


def began(order: Order, *, by: str) -> None:
    """Write down the first step of an order that was just created."""
    OrderMove.objects.create(
        order=order, there=order.state, at=order.placed_at, by=by, reason=order.reason
    )
    events.placed(order)
    order_changed(order)
