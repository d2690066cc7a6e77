"""From ticket to order: validated, checked, stored, and only then handed to a worker.

The client order id is an order's identity at its account. A repeat with the same content returns
the first order, one with other content is a conflict; either way nothing is sent twice.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record
from cqops.platform.telemetry.spans import span
from cqops.platform.telemetry.trace import traceparent
from trading import doorbell
from trading.models import Order
from trading.services import approvals, orders
from trading.services.checks import Circumstances, Ticket, Verdict, blocked, needing_approval, run
from trading.services.circumstances import at_the_placing
from trading.states import State
from venues.interface.numbers import exactly


class Conflict(Exception):
    """This client order id already stands for an order with other content."""

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"The client order id {order.client_order_id} already belongs to another order."
        )
        self.order = order


def preview(ticket: Ticket) -> list[Verdict]:
    """Tell what the checks would say now."""
    return run(ticket, at_the_placing(ticket, now=timezone.now()))


def place(*, ticket: Ticket, client_order_id: str, by: User) -> Order:
    """Store the order, refused or queued, and ring for a worker."""
    demand(by, Action.ORDER_PLACE, ticket)
    try:
        first = _first(ticket, client_order_id)
    except Conflict as error:
        record(action="order.conflict", subject=error.order, reason=str(error), by=by)
        raise
    if first is not None:
        return first
    seen = at_the_placing(ticket, now=timezone.now())
    try:
        with span("order.place", client_order_id=client_order_id):
            return _store(ticket, client_order_id, by=by, seen=seen, verdicts=run(ticket, seen))
    except IntegrityError:
        # Another request with this id was faster; its order is the order.
        first = _first(ticket, client_order_id)
        if first is None:
            raise
        return first


@transaction.atomic
def _store(
    ticket: Ticket, client_order_id: str, *, by: User, seen: Circumstances, verdicts: list[Verdict]
) -> Order:
    refusals = blocked(verdicts)
    needs_approval = bool(needing_approval(verdicts)) and not refusals
    order = Order.objects.create(
        client_order_id=client_order_id,
        account=ticket.account,
        portfolio=ticket.portfolio,
        symbol=ticket.symbol,
        side=ticket.side,
        order_type=ticket.order_type,
        time_in_force=ticket.time_in_force,
        post_only=ticket.post_only,
        quantity=ticket.quantity,
        limit_price=ticket.limit_price,
        worst_price=_worst(ticket, seen) if needs_approval else None,
        state=_first_state(is_refused=bool(refusals), needs_approval=needs_approval),
        reason=" ".join(verdict.words for verdict in refusals)[:500],
        placed_by=by,
        placed_at=seen.now,
        traceparent=traceparent(),
        send_before=seen.now + timedelta(seconds=settings.ORDER_SEND_WITHIN_SECONDS),
        verdicts=[verdict.as_json() for verdict in verdicts],
        needs_approval=needs_approval,
        purpose=ticket.purpose,
    )
    if needs_approval:
        order.approval = approvals.ask_for(order, seen, verdicts)
        order.save(update_fields=["approval"])
    orders.began(order, by=by.username)
    _recorded(order, by=by)
    if order.state == State.QUEUED:
        doorbell.ring(doorbell.SUBMIT, order.pk)
    return order


def _recorded(order: Order, *, by: User) -> None:
    """Write down what was asked for, and every word of a refusal."""
    names = (
        *("client_order_id", "account_id", "portfolio_id", "symbol_id", "side", "order_type"),
        *("time_in_force", "post_only", "quantity", "limit_price", "state"),
        *("worst_price", "approval_id", "purpose"),
    )
    record(
        action="order.refused" if order.state == State.REFUSED else "order.placed",
        subject=order,
        after={name: getattr(order, name) for name in names},
        reason=order.reason,
        by=by,
    )


def _first_state(*, is_refused: bool, needs_approval: bool) -> State:
    if is_refused:
        return State.REFUSED
    return State.AWAITING_APPROVAL if needs_approval else State.QUEUED


def _worst(ticket: Ticket, seen: Circumstances) -> Decimal | None:
    """Bound a market order's price; a limit order has its limit."""
    if ticket.limit_price is not None:
        return None
    with exactly():
        return approvals.worst_price(
            side=ticket.side, touch=seen.touch, tick=ticket.symbol.price_tick
        )


def _first(ticket: Ticket, client_order_id: str) -> Order | None:
    """Find the order this id already stands for, and make sure it is the same one."""
    found = (
        Order.objects.with_names()
        .filter(account=ticket.account, client_order_id=client_order_id)
        .first()
    )
    if found is not None and _content(found) != _content_of(ticket):
        raise Conflict(found)
    return found


def _content(order: Order) -> tuple[object, ...]:
    return (
        order.portfolio_id,
        order.symbol_id,
        order.side,
        order.order_type,
        order.time_in_force,
        order.post_only,
        order.quantity,
        order.limit_price,
    )


def _content_of(ticket: Ticket) -> tuple[object, ...]:
    return (
        ticket.portfolio.pk,
        ticket.symbol.pk,
        ticket.side.value,
        ticket.order_type.value,
        ticket.time_in_force.value,
        ticket.post_only,
        ticket.quantity,
        ticket.limit_price,
    )
