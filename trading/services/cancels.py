"""Cancels: asked for at once, sent until the venue proves the end. Nothing ever blocks one."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record
from cqops.platform.telemetry.spans import span
from trading import doorbell
from trading.models import Order
from trading.services import approvals, orders
from trading.services.executions import hear
from trading.services.following import working_on
from trading.services.submission import is_there, reference
from trading.states import AT_THE_VENUE, NOT_SENT_YET, State
from venues.interface.errors import VenueError
from venues.services.clients import call

log = logging.getLogger(__name__)


class TooLate(Exception):
    """The order is already over."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"This order is already over: {order.sentence}")
        self.order = order


def request_cancel(*, order_id: UUID | str, by: User) -> Order:
    """Withdraw an order that was not sent, else ask the venue to cancel it."""
    try:
        return _request(order_id, by=by)
    except TooLate as error:
        record(action="order.cancel_refused", subject=error.order, reason=str(error), by=by)
        raise


@transaction.atomic
def _request(order_id: UUID | str, *, by: User) -> Order:
    order = orders.lock(order_id)
    demand(by, Action.ORDER_CANCEL, order)
    if order.is_done:
        raise TooLate(order)
    if order.state in NOT_SENT_YET:
        here = order.state
        approvals.take_back(order, by=by)
        orders.advance(order, State.WITHDRAWN, at=timezone.now(), by=by.username)
        record(
            action="order.withdrawn",
            subject=order,
            before={"state": here},
            after={"state": State.WITHDRAWN},
            by=by,
        )
        return order
    if not order.is_cancel_requested:
        record(action="order.cancel_requested", subject=order, after={"state": order.state}, by=by)
        order.is_cancel_requested = True
        order.reason = f"{by.name} asked to cancel it."
        orders.write(order, fields=("is_cancel_requested", "reason"))
    doorbell.ring(doorbell.CANCEL, order.pk)
    return order


def send_cancel(order_id: UUID | str) -> bool:
    """Send one cancel; its proof is the order's own status, which is read whatever the answer.

    Tells whether the venue is there.
    """
    order = Order.objects.with_names().get(pk=order_id)
    if State(order.state) not in AT_THE_VENUE or not order.is_cancel_requested:
        return True
    with working_on(order), span("order.cancel", order_id=str(order.pk)):
        return _send(order)


def _send(order: Order) -> bool:
    Order.objects.filter(pk=order.pk).update(cancel_sent_at=timezone.now())
    try:
        call(order.account, lambda client: client.cancel_order(reference(order)))
    except VenueError as error:
        # A venue also refuses a cancel that arrived before, or an order that is over by now.
        log.info("order %s: cancel answered with: %s", order.pk, error)
    try:
        found = call(order.account, lambda client: client.get_order(reference(order)))
    except VenueError as error:
        # Asking twice does no harm: the sweep sends it again until the venue proves the end.
        log.warning("order %s: cancel not proven yet: %s", order.pk, error)
        return is_there(error)
    hear(account=order.account, heard_order=found, by="cancel", order_id=order.pk)
    return True
