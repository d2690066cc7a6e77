"""What venues tell about our orders, recorded exactly once in whatever order it arrives.

A stream is a hint and the fills list is the proof: executions come from the venue's own list, are
unique by its execution id, and an order's sums are always recomputed from them. A late fill is booked
always. An order is called filled only once its executions are here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from cqops.platform.telemetry.spans import span
from trading import events
from trading.metrics import EXECUTIONS
from trading.models import ExecutionReport, Order
from trading.services import orders
from trading.services.following import to_work_on, working_on
from trading.signals import executions_recorded
from trading.states import AT_THE_VENUE, DONE, State, can_move, heard
from venues.interface.types import Fill
from venues.interface.types import Order as VenueOrder
from venues.models import Account, VenueSymbol

log = logging.getLogger(__name__)
ENDS = frozenset({State.FILLED, State.CANCELLED, State.EXPIRED})


@transaction.atomic
def hear(
    *, account: Account, heard_order: VenueOrder, by: str, order_id: UUID | None = None
) -> bool:
    """Take in the venue's word on one order; true when it was filled further than we have booked."""
    found = _find(account, heard_order, order_id)
    if found is None:
        return False
    order = orders.lock(found)
    with working_on(order):
        return _take_in(order, heard_order, by=by)


def _take_in(order: Order, heard_order: VenueOrder, *, by: str) -> bool:
    # Some venues write our id back in lower case; whoever names another order is not believed.
    if heard_order.client_order_id.lower() not in {"", order.client_order_id.lower()}:
        log.error("order %s: the venue told of another order, nothing is believed", order.pk)
        return False
    if not order.venue_order_id and heard_order.venue_order_id:
        order.venue_order_id = heard_order.venue_order_id
        orders.write(order, fields=("venue_order_id",))
        _adopt_strays(order, by=by)
    there = heard(heard_order.status)
    if there is None:
        log.warning("order %s: unknown status from the venue, nothing moved", order.pk)
        return False
    misses_fills: bool = order.filled_quantity < heard_order.filled_quantity
    if misses_fills and there in ENDS:
        # Not over for us before its fills are booked; acknowledge it meanwhile.
        there = State.ACKNOWLEDGED
    _step(order, there, by=by, venue=heard_order)
    return misses_fills


def _step(order: Order, there: State, *, by: str, venue: VenueOrder | None) -> None:
    """Move where the table allows; an old message that would go back in time moves nothing."""
    here = State(order.state)
    if there in AT_THE_VENUE:
        there = State.PARTIALLY_FILLED if order.filled_quantity else State.ACKNOWLEDGED
    if here == there or not can_move(here, there):
        return
    evidence = {"venue_status": dict(venue.raw).get("status", "")} if venue else {}
    reason = venue.reason if venue else ""
    orders.advance(order, there, at=timezone.now(), by=by, reason=reason, evidence=evidence)


def _find(account: Account, venue_order: VenueOrder, order_id: UUID | None) -> UUID | None:
    """Find our order by the venue's id, else by ours."""
    if order_id is not None:
        return order_id
    mine = Order.objects.filter(account=account)
    keys = (
        mine.filter(venue_order_id=venue_order.venue_order_id)
        if venue_order.venue_order_id
        else mine.none()
    )
    return (
        keys.values_list("pk", flat=True).first()
        or mine.filter(client_order_id=venue_order.client_order_id)
        .values_list("pk", flat=True)
        .first()
    )


def traceparent_of(account: Account, venue_order: VenueOrder) -> str:
    """Say where in which trace the order behind a message was placed; empty for a stranger's."""
    key = _find(account, venue_order, None)
    return "" if key is None else to_work_on(key).traceparent


def record(*, account: Account, fills: Iterable[Fill], by: str) -> int:
    """Book executions, each once; one transaction an order, so that no order waits for another."""
    by_order: dict[str, list[Fill]] = {}
    for fill in _not_booked(account, list(fills)):
        by_order.setdefault(fill.venue_order_id, []).append(fill)
    return sum(
        _record_for_order(account, venue_order_id, batch, by)
        for venue_order_id, batch in sorted(by_order.items())
    )


def _not_booked(account: Account, fills: list[Fill]) -> list[Fill]:
    """Leave out what its order already has: a sweep reads minutes that were read before."""
    booked = set(
        ExecutionReport.objects.filter(
            account=account,
            order__isnull=False,
            venue_execution_id__in=[fill.venue_execution_id for fill in fills],
        ).values_list("venue_execution_id", flat=True)
    )
    return [fill for fill in fills if fill.venue_execution_id not in booked]


@transaction.atomic
def _record_for_order(account: Account, venue_order_id: str, fills: list[Fill], by: str) -> int:
    found = (
        Order.objects.filter(account=account, venue_order_id=venue_order_id)
        .values_list("pk", flat=True)
        .first()
    )
    order = orders.lock(found) if found else None
    known = set(
        ExecutionReport.objects.filter(
            account=account, venue_execution_id__in=[fill.venue_execution_id for fill in fills]
        ).values_list("venue_execution_id", flat=True)
    )
    fresh = {f.venue_execution_id: f for f in fills if f.venue_execution_id not in known}
    reports = [_report(account, order, fill) for fill in fresh.values()]
    with _booking(order, reports, by=by):
        ExecutionReport.objects.bulk_create(reports, ignore_conflicts=True)
        if order is not None:
            _tell(order, reports)
            _adopt_strays(order, by=by)
            _resum(order, by=by)
        if reports:
            transaction.on_commit(partial(EXECUTIONS.labels(str(account)).inc, len(reports)))
            _announce()
    return len(reports)


@contextmanager
def _booking(order: Order | None, reports: list[ExecutionReport], *, by: str) -> Iterator[None]:
    """Book in the order's trace; a sweep that finds nothing new leaves no span in it."""
    with ExitStack() as stack:
        if order is not None:
            stack.enter_context(working_on(order))
        if reports:
            known = str(order.pk) if order is not None else "not known yet"
            stack.enter_context(span("executions.book", order_id=known, count=len(reports), by=by))
        yield


def _adopt_strays(order: Order, *, by: str) -> None:
    """Take in executions that were booked before we knew the venue's id of their order."""
    strays = list(
        ExecutionReport.objects.filter(
            account=order.account, venue_order_id=order.venue_order_id, order=None
        )
    )
    keys = [stray.pk for stray in strays]
    # One that was booked under what its symbol stood for stays so, also where the order meant another.
    symbol = Coalesce(F("symbol"), Value(order.symbol_id))
    ExecutionReport.objects.filter(pk__in=keys).update(order=order, symbol=symbol)
    if strays:
        _tell(order, strays)
        _resum(order, by=by)
        _announce()


def _tell(order: Order, executions: Iterable[ExecutionReport]) -> None:
    for execution in executions:
        events.executed(order, execution)


def _announce() -> None:
    transaction.on_commit(lambda: executions_recorded.send(sender=ExecutionReport))


def _resum(order: Order, *, by: str) -> None:
    """Recompute what is filled from the executions themselves, and draw the conclusion."""
    sums = order.executions.aggregate(filled=Sum("quantity"), paid=Sum(F("quantity") * F("price")))
    quantity = sums["filled"] or Decimal(0)
    if quantity == order.filled_quantity:
        return
    order.filled_quantity = quantity
    order.filled_value = sums["paid"] or Decimal(0)
    orders.write(order, fields=("filled_quantity", "filled_value"))
    if quantity > order.quantity:
        log.error("order %s: filled %s of %s, more than asked", order.pk, quantity, order.quantity)
    if quantity >= order.quantity:
        _step(order, State.FILLED, by=by, venue=None)
    elif State(order.state) not in DONE:
        _step(order, State.PARTIALLY_FILLED, by=by, venue=None)


def _report(account: Account, order: Order | None, fill: Fill) -> ExecutionReport:
    symbol = order.symbol if order else _symbol(account, fill)
    return ExecutionReport(
        account=account,
        venue_execution_id=fill.venue_execution_id,
        order=order,
        symbol=symbol,
        symbol_text=fill.symbol,
        venue_order_id=fill.venue_order_id,
        side=fill.side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        liquidity=fill.liquidity,
        executed_at=fill.executed_at,
        received_at=fill.received_at,
        raw=dict(fill.raw),
    )


def _symbol(account: Account, fill: Fill) -> VenueSymbol | None:
    """Find what the symbol is held to have stood for when it was filled."""
    rows = VenueSymbol.objects.at(as_of=fill.executed_at, known_at=timezone.now())
    found: VenueSymbol | None = rows.filter(venue=account.venue, symbol=fill.symbol).first()
    return found
