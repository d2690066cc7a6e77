"""What the outside hears about positions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from cqops.platform.events.schemas import Schema
from cqops.platform.events.services import emit

if TYPE_CHECKING:
    from portfolio.models import Position

POSITION = "position"


class PositionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A position after one more execution; `executions` counts them, and only ever grows."""

    position_id: UUID
    portfolio_id: UUID
    account_id: UUID
    asset_id: UUID
    quote_id: UUID
    quantity: Decimal
    cost: Decimal
    realised: Decimal
    fees: Decimal
    executions: int


EVENTS = (Schema("position.changed", 1, POSITION, PositionChanged),)


def changed(position: Position) -> None:
    payload = PositionChanged(
        position_id=position.pk,
        portfolio_id=position.portfolio_id,
        account_id=position.account_id,
        asset_id=position.asset_id,
        quote_id=position.quote_id,
        quantity=position.quantity,
        cost=position.cost,
        realised=position.realised,
        fees=position.fees,
        executions=position.executions,
    )
    emit(
        kind="position.changed",
        version=1,
        aggregate=POSITION,
        aggregate_id=str(position.pk),
        payload=payload,
    )
