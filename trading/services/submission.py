"""Sends an order at most once, and never guesses what became of it.

The claim is committed before anything leaves: whoever dies after it leaves an order in SENDING, which
the sweep turns into IN_DOUBT and resolves by asking the venue.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cqops.platform.approvals.services import NotReleased
from cqops.platform.audit.services import record
from trading.models import Order, SwitchMode
from trading.services import approvals, orders, switches
from trading.services.checks import only_reduces
from trading.services.executions import hear
from trading.services.holdings import held
from trading.states import State
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.interface.types import OrderRef, OrderRequest, OrderType, Side, TimeInForce
from venues.services.clients import call

log = logging.getLogger(__name__)
WORKER = "worker"
FIRST_LOOK_AFTER = timedelta(seconds=2)
RETRY_CAUSES = frozenset({Cause.TEMPORARY, Cause.RATE_LIMITED})


def submit(order_id: UUID | str) -> None:
    """Claim a queued order, send it, and write down what the venue said."""
    order = _claim(order_id)
    if order is None:
        return
    try:
        answer = call(order.account, lambda client: client.place_order(_request(order)))
    except NotSent as error:
        _not_sent(order, error)
    except Rejected as error:
        _finish(order, State.REJECTED, str(error), code=error.venue_code)
    except OutcomeUnknown as error:
        _doubt(order, str(error))
    except Exception:
        # Whatever failed on our side, the request may have left: doubt, never failure.
        log.exception("order %s: unexpected failure while sending", order.pk)
        _doubt(order, "Something failed on our side while sending; the venue is being asked.")
    else:
        hear(account=order.account, heard_order=answer, by=WORKER, order_id=order.pk)


@transaction.atomic
def _claim(order_id: UUID | str) -> Order | None:
    """Take the order for sending; the switch is read and held in this same transaction."""
    order = orders.lock(order_id)
    if order.state != State.QUEUED:
        return None
    now = timezone.now()
    if now > order.send_before:
        reason = (
            "It waited too long to be sent, so it was not sent. Place it again if still wanted."
        )
        orders.advance(order, State.UNSENT, at=now, by=WORKER, reason=reason)
        return None
    switch = switches.in_force(
        account=order.account, asset=order.symbol.base, consumer_id=order.placed_by_id, lock=True
    )
    if not _switch_allows(switch, order):
        reason = f"The trading switch changed before it was sent. {switch.words}."
        orders.advance(order, State.REFUSED, at=now, by=WORKER, reason=reason)
        record(action="order.refused", subject=order, after={"state": order.state}, reason=reason)
        return None
    if not _release(order, now=now):
        return None
    order.sent_at = now
    order.next_look_at = now + timedelta(seconds=settings.ORDER_SETTLE_SECONDS)
    order.save(update_fields=["sent_at", "next_look_at", "released_at"])
    orders.advance(order, State.SENDING, at=now, by=WORKER)
    return order


def _release(order: Order, *, now: datetime) -> bool:
    """Use the approval behind the order, where it needs one; without it nothing is sent."""
    try:
        approvals.release_order(order, now=now)
    except approvals.NotComparable as error:
        # The book may come back; until then the order waits in the queue, as long as it may.
        order.reason = f"Not sent yet: {error}"
        orders.write(order, fields=("reason",))
        return False
    except (NotReleased, approvals.PastTheBound) as error:
        reason = f"Not sent. {error}"
        approvals.give_up(order, reason=reason)
        orders.advance(order, State.VOIDED, at=now, by=WORKER, reason=reason)
        record(action="order.voided", subject=order, after={"state": order.state}, reason=reason)
        return False
    return True


def _switch_allows(switch: switches.Position, order: Order) -> bool:
    if switch.mode is SwitchMode.REDUCE_ONLY:
        quantity = held(portfolio=order.portfolio, account=order.account, symbol=order.symbol)
        return only_reduces(side=Side(order.side), quantity=order.quantity, held=quantity)
    return switch.mode is SwitchMode.ON


def _request(order: Order) -> OrderRequest:
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol.symbol,
        side=Side(order.side),
        order_type=OrderType(order.order_type),
        quantity=order.quantity,
        limit_price=order.limit_price,
        time_in_force=TimeInForce(order.time_in_force),
        post_only=order.post_only,
    )


def reference(order: Order) -> OrderRef:
    return OrderRef(
        symbol=order.symbol.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        sent_at=order.sent_at,
        side=Side(order.side),
    )


def _not_sent(order: Order, error: NotSent) -> None:
    """Nothing left this machine: try again while there is time, unless trying cannot help."""
    if error.cause in RETRY_CAUSES:
        _finish(order, State.QUEUED, f"Not sent yet: {error}")
    else:
        _finish(order, State.UNSENT, str(error), code=error.venue_code)


def _doubt(order: Order, reason: str) -> None:
    with transaction.atomic():
        locked = orders.lock(order.pk)
        if locked.state != State.SENDING:
            return
        locked.next_look_at = timezone.now() + FIRST_LOOK_AFTER
        locked.save(update_fields=["next_look_at"])
        orders.advance(locked, State.IN_DOUBT, at=timezone.now(), by=WORKER, reason=reason)


def _finish(order: Order, there: State, reason: str, *, code: str = "") -> None:
    with transaction.atomic():
        locked = orders.lock(order.pk)
        # The private stream may have been faster with the truth.
        if locked.state == State.SENDING:
            evidence = {"venue_code": code} if code else {}
            orders.advance(
                locked, there, at=timezone.now(), by=WORKER, reason=reason, evidence=evidence
            )


def look_up(order_id: UUID | str) -> None:
    """Ask the venue about an order in doubt. Absence is believed only after the settling time."""
    order = Order.objects.with_names().get(pk=order_id)
    if order.state != State.IN_DOUBT:
        return
    asked_at = timezone.now()
    try:
        found = call(order.account, lambda client: client.get_order(reference(order)))
    except Rejected as error:
        if error.cause is Cause.NOT_FOUND:
            _absent(order_id, asked_at=asked_at)
            return
        _look_again(order_id, str(error))
    except VenueError as error:
        _look_again(order_id, str(error))
    else:
        hear(account=order.account, heard_order=found, by="look-up", order_id=order.pk)


@transaction.atomic
def _absent(order_id: UUID | str, *, asked_at: datetime) -> None:
    order = orders.lock(order_id)
    if order.state != State.IN_DOUBT or order.sent_at is None:
        return
    proven_after = order.sent_at + 2 * timedelta(seconds=settings.ORDER_SETTLE_SECONDS)
    if asked_at < proven_after:
        _schedule_look(order, "The venue does not know it yet; it is asked again.")
        return
    reason = "The venue has no such order, asked again after the settling time: it never arrived."
    orders.advance(
        order,
        State.UNSENT,
        at=asked_at,
        by="look-up",
        reason=reason,
        evidence={"asked_at": asked_at},
    )


@transaction.atomic
def _look_again(order_id: UUID | str, reason: str) -> None:
    order = orders.lock(order_id)
    if order.state == State.IN_DOUBT:
        _schedule_look(order, reason)


def _schedule_look(order: Order, reason: str) -> None:
    order.next_look_at = timezone.now() + timedelta(seconds=5)
    order.reason = reason[:500]
    orders.write(order, fields=("next_look_at", "reason"))
