"""Positions follow from executions: each booked exactly once, as if in the order they happened.

Whatever order they arrive in, the result is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce

from assets.fields import AmountField
from portfolio import events
from portfolio.live import positions_changed
from portfolio.models import Position, PositionEntry
from portfolio.pnl import Holding, apply
from trading.models import ExecutionReport, Portfolio
from venues.interface.types import Side
from venues.models import Account, VenueSymbol

BATCH = 500
IN_ORDER = ("executed_at", "venue_execution_id")


def absorb_executions() -> int:
    """Book every execution that is not in a position yet; a lost signal costs only a moment."""
    waiting = (
        ExecutionReport.objects.filter(
            position_entry=None, order__isnull=False, symbol__isnull=False
        )
        .order_by(*IN_ORDER)
        .values_list("pk", flat=True)[:BATCH]
    )
    return sum(_book(key) for key in list(waiting))


@transaction.atomic
def _book(execution_id: UUID) -> int:
    """Book one execution; the entry's key makes a second booking impossible."""
    execution = ExecutionReport.objects.select_related("order__portfolio", "symbol").get(
        pk=execution_id
    )
    if execution.order is None or execution.symbol is None:
        return 0
    position, _ = Position.objects.get_or_create(
        portfolio=execution.order.portfolio,
        account_id=execution.account_id,
        asset_id=execution.symbol.base_id,
        quote_id=execution.symbol.quote_id,
    )
    position = Position.objects.select_for_update().get(pk=position.pk)
    is_late = _booked(position).filter(executed_at__gt=execution.executed_at).exists()
    _, is_new = PositionEntry.objects.get_or_create(
        execution=execution, defaults={"position": position}
    )
    if not is_new:
        return 0
    if is_late:
        # Average cost depends on the order of fills, so a late one is put where it belongs.
        _write(position, _replayed(_booked(position)))
    else:
        _write(position, _with(position.holding, execution))
    return 1


def _booked(position: Position) -> QuerySet[ExecutionReport]:
    return ExecutionReport.objects.filter(position_entry__position=position).order_by(*IN_ORDER)


def _replayed(executions: Iterable[ExecutionReport]) -> Holding:
    holding = Holding()
    for execution in executions:
        holding = _with(holding, execution)
    return holding


def _with(holding: Holding, execution: ExecutionReport) -> Holding:
    return apply(
        holding,
        signed_quantity=execution.quantity * (1 if execution.side == Side.BUY else -1),
        price=execution.price,
        fee=execution.fee,
    )


def _write(position: Position, holding: Holding) -> None:
    position.quantity = holding.quantity
    position.cost = holding.cost
    position.realised = holding.realised
    position.fees = holding.fees
    position.executions += 1
    position.save()
    positions_changed(position)
    events.changed(position)


def held_quantity(*, portfolio: Portfolio, account: Account, symbol: VenueSymbol) -> Decimal:
    """Return what the portfolio holds of the symbol's base asset at this account, signed.

    An execution counts from when it is recorded: between that and its booking here it belongs neither
    to a working order nor to a position, and must not be sold a second time. Both are read in one
    statement, so that none is counted twice.
    """
    waiting = ExecutionReport.objects.filter(
        position_entry=None,
        account=account,
        order__portfolio=portfolio,
        symbol__base=symbol.base_id,
        symbol__quote=symbol.quote_id,
    )
    signed = Case(When(side=Side.BUY, then=F("quantity")), default=-F("quantity"))
    total = waiting.order_by().values("account").annotate(total=Sum(signed)).values("total")
    found = (
        Position.objects.filter(
            portfolio=portfolio, account=account, asset=symbol.base_id, quote=symbol.quote_id
        )
        .annotate(waiting=Coalesce(Subquery(total), Decimal(0), output_field=AmountField()))
        .values_list("quantity", "waiting")
        .first()
    )
    if found is None:
        return waiting.aggregate(total=Sum(signed))["total"] or Decimal(0)
    quantity: Decimal = sum(found, Decimal(0))
    return quantity
