"""Positions with what they are worth now, or in words why that is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from portfolio.models import Position
from venues.models import VenueSymbol
from venues.services.books import Touch, read_touches


@dataclass(frozen=True, slots=True)
class Valued:
    """One position; `mark` is the middle of a live book, and absent when there is none to trust."""

    position: Position
    symbol: VenueSymbol | None
    touch: Touch | None
    mark: Decimal | None
    value: Decimal | None
    unrealised: Decimal | None


def value_all(positions: list[Position], *, now: datetime) -> list[Valued]:
    symbols = {
        (row.venue_id, row.base_id, row.quote_id): row
        for row in VenueSymbol.objects.current().select_related("venue")
    }
    touches = read_touches(list(symbols.values()), now=now)
    return [_value(position, symbols, touches) for position in positions]


def _value(
    position: Position,
    symbols: dict[tuple[UUID, UUID, UUID], VenueSymbol],
    touches: dict[str, Touch],
) -> Valued:
    symbol = symbols.get((position.account.venue_id, position.asset_id, position.quote_id))
    touch = touches.get(symbol.key) if symbol else None
    mark = touch.mid if touch is not None and touch.is_trusted else None
    if mark is None:
        return Valued(position, symbol, touch, None, None, None)
    return Valued(
        position=position,
        symbol=symbol,
        touch=touch,
        mark=mark,
        value=position.quantity * mark,
        unrealised=position.holding.unrealised(mark),
    )
