"""Sends an order at most once, and never guesses what became of it.

The claim is committed before anything leaves: whoever dies after it leaves an order in SENDING, which
the sweep turns into IN_DOUBT and resolves by asking the venue. In the claim's transaction everything
that let the order be placed is checked again. What is done here answers whether the venue is there, so
that a sweep knows when to leave one alone.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from cqops.platform.approvals.services import NotReleased
from cqops.platform.audit.services import record
from cqops.platform.telemetry.spans import span
from trading.models import Order
from trading.services import approvals, orders
from trading.services.checks import Circumstances, Ticket, Verdict, blocked, needing_approval, run
from trading.services.circumstances import at_the_send
from trading.services.executions import hear
from trading.services.following import to_work_on, working_on
from trading.states import State
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.interface.types import OrderRef, OrderRequest, OrderType, Side, TimeInForce
from venues.services.clients import absence_seconds, call, send_order

log = logging.getLogger(__name__)
WORKER = "worker"
FIRST_LOOK_AFTER = timedelta(seconds=2)
LOOK_AGAIN_AFTER = timedelta(seconds=5)
# A claim this old was overtaken, as after a pause of the machine; others may have drawn conclusions.
CLAIM_GOOD_FOR = timedelta(seconds=10)
RETRY_CAUSES = frozenset({Cause.TEMPORARY, Cause.RATE_LIMITED})


def submit(order_id: UUID | str) -> bool:
    """Claim a queued order, send it, and write down what the venue said."""
    with working_on(to_work_on(order_id)), span("order.submit", order_id=str(order_id)):
        return _submit(order_id)


def _submit(order_id: UUID | str) -> bool:
    order = _claim(order_id)
    if order is None:
        return True
    try:
        answer = send_order(order.account, _request(order), not_after=_last_moment(order))
    except NotSent as error:
        _not_sent(order, error)
        return is_there(error)
    except Rejected as error:
        _finish(order, State.REJECTED, str(error), code=error.venue_code)
    except OutcomeUnknown as error:
        _doubt(order, str(error))
        return is_there(error)
    except Exception:
        # Whatever failed on our side, the request may have left: doubt, never failure.
        log.exception("order %s: unexpected failure while sending", order.pk)
        _doubt(order, "Something failed on our side while sending; the venue is being asked.")
    else:
        hear(account=order.account, heard_order=answer, by=WORKER, order_id=order.pk)
    return True


def is_there(error: VenueError) -> bool:
    """Tell whether a venue that failed us is worth asking about the next order at once."""
    return error.cause not in RETRY_CAUSES


def _last_moment(order: Order) -> datetime:
    assert order.sent_at is not None  # noqa: S101 -- the claim wrote it
    return order.sent_at + CLAIM_GOOD_FOR


@transaction.atomic
def _claim(order_id: UUID | str) -> Order | None:
    """Take the order for sending; what it is checked against is held in this same transaction."""
    order = orders.lock(order_id)
    if order.state != State.QUEUED:
        return None
    now = timezone.now()
    if order.is_cancel_requested:
        _withdraw(order, now=now)
        return None
    if now > order.send_before:
        reason = (
            "It waited too long to be sent, so it was not sent. Place it again if still wanted."
        )
        approvals.give_up(order, reason=reason)
        orders.advance(order, State.UNSENT, at=now, by=WORKER, reason=reason)
        return None
    ticket = Ticket.of(order)
    seen = at_the_send(ticket, order_id=order.pk, now=now)
    if not (_still_allowed(order, ticket, seen) and _release(order, ticket, seen)):
        return None
    order.sent_at = now
    order.next_look_at = now + _settling_time(order)
    order.save(update_fields=["sent_at", "next_look_at", "released_at"])
    orders.advance(order, State.SENDING, at=now, by=WORKER)
    return order


def _withdraw(order: Order, *, now: datetime) -> None:
    """End a locked order whose cancel was asked for while it was on its way, and that never left."""
    reason = "Its cancel was asked for before it was sent."
    approvals.give_up(order, reason=reason)
    orders.advance(order, State.WITHDRAWN, at=now, by=WORKER, reason=reason)
    record(action="order.withdrawn", subject=order, after={"state": order.state}, reason=reason)


def _still_allowed(order: Order, ticket: Ticket, seen: Circumstances) -> bool:
    """Ask every check again; what may pass is waited for, as long as the order may wait."""
    stops = _stops(order, ticket, seen)
    if not stops:
        return True
    words = " ".join(verdict.words for verdict in stops)
    if all(verdict.may_pass for verdict in stops):
        order.reason = f"Not sent yet: {words}"[:500]
        orders.write(order, fields=("reason",))
        return False
    reason = f"Not sent, for something changed after it was placed. {words}"
    approvals.give_up(order, reason=reason)
    orders.advance(order, State.REFUSED, at=seen.now, by=WORKER, reason=reason)
    record(action="order.refused", subject=order, after={"state": order.state}, reason=reason)
    return False


def _stops(order: Order, ticket: Ticket, seen: Circumstances) -> list[Verdict]:
    """Find what holds it back now: a block, or a value that grew until it needs a second person."""
    verdicts = run(ticket, seen)
    grown = [] if order.needs_approval or seen.is_way_out(ticket) else needing_approval(verdicts)
    return blocked(verdicts) + grown


def _release(order: Order, ticket: Ticket, seen: Circumstances) -> bool:
    """Use the approval behind the order, where it needs one; without it nothing is sent."""
    try:
        approvals.release_order(order, seen=seen, is_way_out=seen.is_way_out(ticket))
    except approvals.NotComparable as error:
        # The book may come back; until then the order waits in the queue, as long as it may.
        order.reason = f"Not sent yet: {error}"
        orders.write(order, fields=("reason",))
        return False
    except (NotReleased, approvals.PastTheBound) as error:
        reason = f"Not sent. {error}"
        approvals.give_up(order, reason=reason)
        orders.advance(order, State.VOIDED, at=seen.now, by=WORKER, reason=reason)
        record(action="order.voided", subject=order, after={"state": order.state}, reason=reason)
        return False
    return True


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
            if there is State.QUEUED and locked.is_cancel_requested:
                _withdraw(locked, now=timezone.now())


def look_up(order_id: UUID | str) -> bool:
    """Ask the venue about an order in doubt. Absence is believed only after the settling time."""
    order = Order.objects.with_names().get(pk=order_id)
    if order.state != State.IN_DOUBT:
        return True
    with working_on(order), span("order.look_up", order_id=str(order.pk)):
        return _ask(order)


def _ask(order: Order) -> bool:
    asked_at = timezone.now()
    try:
        found = call(order.account, lambda client: client.get_order(reference(order)))
    except Rejected as error:
        if error.cause is Cause.NOT_FOUND:
            _absent(order.pk, asked_at=asked_at)
        else:
            _look_again(order.pk, str(error))
    except VenueError as error:
        _look_again(order.pk, str(error))
        return is_there(error)
    else:
        hear(account=order.account, heard_order=found, by="look-up", order_id=order.pk)
    return True


@transaction.atomic
def _absent(order_id: UUID | str, *, asked_at: datetime) -> None:
    order = orders.lock(order_id)
    if order.state != State.IN_DOUBT or order.sent_at is None:
        return
    if asked_at < _absence_counts_from(order, order.sent_at):
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


def _absence_counts_from(order: Order, sent_at: datetime) -> datetime:
    """Count from the send and also from the doubt: until then the request may have been leaving."""
    settle = _settling_time(order)
    doubted = order.moves.filter(there=State.IN_DOUBT).aggregate(at=Max("at"))["at"] or sent_at
    return max(sent_at + 2 * settle, doubted + settle)


def _settling_time(order: Order) -> timedelta:
    """Wait as long as this desk says, and longer where the venue lists an order late."""
    return timedelta(seconds=max(settings.ORDER_SETTLE_SECONDS, absence_seconds(order.account)))


@transaction.atomic
def _look_again(order_id: UUID | str, reason: str) -> None:
    order = orders.lock(order_id)
    if order.state == State.IN_DOUBT:
        _schedule_look(order, reason)


def _schedule_look(order: Order, reason: str) -> None:
    order.next_look_at = timezone.now() + LOOK_AGAIN_AFTER
    order.reason = reason[:500]
    orders.write(order, fields=("next_look_at", "reason"))
