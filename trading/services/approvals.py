"""Large orders wait for a second person: what exactly is asked, and what follows from the answer.

The instruction is written from the order's own row, so the same function gives what the approver saw,
what is compared before the decision, and what is released in the transaction that claims the order.
A market order carries the worst price the approver accepts; the book is held against it at the send.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import (
    Facts,
    NotReleased,
    TooLate,
    ask,
    confirm_released,
    release,
    void,
    withdraw,
)
from cqops.platform.approvals.states import State as RequestState
from trading import doorbell
from trading.models import Order
from trading.services import evidence, orders
from trading.services.checks import Circumstances, Verdict
from trading.services.holdings import held
from trading.services.worth import REPORTING
from trading.states import State, can_move
from venues.interface.numbers import exactly, plain
from venues.interface.types import Side
from venues.services.books import Touch, read_touch

log = logging.getLogger(__name__)
KIND = "trading.order"
BY = "approvals"


class PastTheBound(Exception):
    """The book is worse than the approver accepted."""


class NotComparable(Exception):
    """There is no book now to hold the accepted price against."""


def worst_price(*, side: Side, touch: Touch, tick: Decimal) -> Decimal | None:
    """Give a market order the bound a limit would have had: the touch and the price collar."""
    facing = touch.facing(side)
    if facing is None:
        return None
    share = Decimal(settings.ORDER_PRICE_COLLAR_PERCENT) / 100
    if side is Side.BUY:
        return (facing * (1 + share) / tick).to_integral_value(ROUND_FLOOR) * tick
    return (facing * (1 - share) / tick).to_integral_value(ROUND_CEILING) * tick


def instruction_of(order: Order) -> Content:
    """Write down everything that would be sent, as it stands in the order's row, and what it is for."""
    purpose = {"Purpose": order.purpose} if order.purpose else {}
    return {
        "Side": order.side,
        "Quantity": order.quantity,
        "Asset": order.symbol.base.symbol,
        "Symbol": order.symbol.symbol,
        "Venue": order.symbol.venue.name,
        "Type": order.order_type,
        "Limit price": order.limit_price,
        "Worst price accepted": order.worst_price,
        "Priced in": order.symbol.quote.symbol,
        "Time in force": order.time_in_force,
        "Post only": "yes" if order.post_only else "no",
        "Account": order.account.name,
        "Portfolio": order.portfolio.name,
        "Client order id": order.client_order_id,
        **purpose,
    }


def ask_for(order: Order, seen: Circumstances, verdicts: Iterable[Verdict]) -> Request:
    """Ask a second person about an order that was just stored."""
    facts = Facts(
        notional=seen.worth.value,
        currency=REPORTING,
        venue=order.symbol.venue.slug,
        account=order.account.name,
        portfolio=order.portfolio.name,
        asset_group=order.symbol.base.kind,
    )
    return ask(
        kind=KIND,
        subject_kind="trading.order",
        subject_id=order.pk,
        instruction=instruction_of(order),
        snapshot=_seen(order, seen.touch, seen.held),
        requested_by=order.placed_by,
        facts=facts,
        deadline=order.placed_at + timedelta(minutes=settings.ORDER_APPROVAL_WITHIN_MINUTES),
        title=_title(order),
        about=order,
        findings=evidence.findings_of(order, verdicts),
    )


def _title(order: Order) -> str:
    what = f"{order.side.title()} {plain(order.quantity)} {order.symbol.base.symbol}"
    if order.limit_price is None:
        return f"{what} at the market"
    bound = "most" if order.side == Side.BUY else "least"
    return f"{what} at {bound} {plain(order.limit_price)} {order.symbol.quote.symbol}"


def _seen(order: Order, touch: Touch, quantity: Decimal) -> Content:
    """Show what was only seen beside the instruction: it may change without voiding it."""
    price = order.limit_price or touch.facing(Side(order.side))
    fee = evidence.expected_fee(order, touch)
    with exactly():
        after = quantity + (order.quantity if order.side == Side.BUY else -order.quantity)
        value = None if price is None else order.quantity * price
    return {
        "Best bid": touch.bid,
        "Best ask": touch.ask,
        "Book": touch.state,
        "Value": "not known" if value is None else value,
        "Expected fee": "not known" if fee is None else fee,
        "Held before": quantity,
        "Held after a complete fill": after,
    }


def seen_now(order_id: str) -> Content:
    order = _order(order_id)
    touch = read_touch(order.symbol, now=timezone.now())
    return _seen(order, touch, _held(order))


def instruction_now(order_id: str) -> Content:
    return instruction_of(_order(order_id))


def page_of(order_id: str) -> str:
    return reverse("order", args=[order_id])


def _order(order_id: str) -> Order:
    return Order.objects.with_names().get(pk=order_id)


def _held(order: Order) -> Decimal:
    return held(portfolio=order.portfolio, account=order.account, symbol=order.symbol)


@transaction.atomic
def settle(request: Request) -> None:
    """Move the order on by what became of its request; a repeat finds nothing left to do."""
    order = orders.lock(request.subject_id)
    now = timezone.now()
    found = Request.objects.get(pk=request.pk)
    if order.state == State.AWAITING_APPROVAL and found.state == RequestState.APPROVED:
        order.send_before = now + timedelta(seconds=settings.ORDER_SEND_WITHIN_SECONDS)
        order.save(update_fields=["send_before"])
        orders.advance(order, State.QUEUED, at=now, by=BY, reason=_approved_by(found))
        doorbell.ring(doorbell.SUBMIT, order.pk)
        return
    there = _ENDS.get(RequestState(found.state))
    if there is not None and can_move(State(order.state), there):
        orders.advance(order, there, at=now, by=BY, reason=found.reason)


_ENDS = {
    RequestState.REFUSED: State.DENIED,
    RequestState.VOIDED: State.VOIDED,
    RequestState.EXPIRED: State.VOIDED,
    RequestState.WITHDRAWN: State.WITHDRAWN,
}


def _approved_by(request: Request) -> str:
    names = ", ".join(one.by.name for one in request.decisions.select_related("by"))
    return f"Approved by {names}."


def take_back(order: Order, *, by: User) -> None:
    """End the request of a locked order that is withdrawn before it was sent."""
    if order.approval_id is None:
        return
    try:
        if by.pk == order.placed_by_id:
            withdraw(request_id=order.approval_id, by=by, reason="The order was withdrawn.")
        else:
            give_up(order, reason=f"{by.name} withdrew the order.", by=by)
    except TooLate:
        # The request is over already; nothing ever stands in the way of taking an order back.
        log.info("order %s: withdrawn after its request ended", order.pk)


def give_up(order: Order, *, reason: str, by: User | None = None) -> None:
    """Void what is left of the approval of a locked order that will not be sent."""
    if order.approval_id is not None:
        void(request_id=order.approval_id, by=by, reason=reason)


def release_order(order: Order, *, seen: Circumstances, is_way_out: bool) -> None:
    """Use the approval of a locked order in the transaction that claims it, and check its bound.

    Raises `NotReleased` where no approval stands behind it, `PastTheBound` where the book is worse
    than was accepted, and `NotComparable` where there is no book to tell.
    """
    if order.approval_id is None:
        if order.needs_approval:
            message = "It needs a second person, and nobody was asked."
            raise NotReleased(message)
        return
    _within_the_bound(order, seen.touch, is_way_out=is_way_out)
    if order.released_at is None:
        release(request_id=order.approval_id, instruction=instruction_of(order))
        order.released_at = seen.now
    else:
        # Released before, and nothing left this machine then: the same approval, still in time.
        confirm_released(request_id=order.approval_id, instruction=instruction_of(order))


def _within_the_bound(order: Order, touch: Touch, *, is_way_out: bool) -> None:
    if order.worst_price is None:
        return
    side = Side(order.side)
    facing = touch.facing(side) if touch.is_trusted else None
    if facing is None:
        # The way out is never blocked by a book that is away.
        if is_way_out:
            return
        message = "There is no live book to hold the accepted price against."
        raise NotComparable(message)
    if facing > order.worst_price if side is Side.BUY else facing < order.worst_price:
        bound = plain(order.worst_price)
        message = f"The book is at {plain(facing)}, worse than the accepted {bound}."
        raise PastTheBound(message)


order_kind = Kind(
    label="Order above the threshold",
    asks=Action.ORDER_PLACE,
    decides=Action.ORDER_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    forecast=evidence.forecast_of,
    context=evidence.context_of,
    clock=evidence.clock_of,
    timeline=evidence.timeline_of,
)
