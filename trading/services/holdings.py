"""What a portfolio holds, and what of it is on its way out already.

The quantity is asked of whoever keeps the positions: a need that points upwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import F, Sum
from django.utils.module_loading import import_string

from trading.models import Order, Portfolio
from trading.states import State
from venues.interface.types import Side
from venues.models import Account, VenueSymbol


def held(*, portfolio: Portfolio, account: Account, symbol: VenueSymbol) -> Decimal:
    """Return the signed quantity of the symbol's base asset."""
    provider = import_string(settings.TRADING_HELD_QUANTITY)
    quantity: Decimal = provider(portfolio=portfolio, account=account, symbol=symbol)
    return quantity


def on_the_way(
    *,
    portfolio: Portfolio,
    account: Account,
    symbol: VenueSymbol,
    side: Side,
    states: Iterable[State],
    besides: UUID | None = None,
) -> Decimal:
    """Add up what other orders of this side may still fill: two exits of one position are one too many."""
    others = Order.objects.filter(
        portfolio=portfolio,
        account=account,
        symbol__base=symbol.base_id,
        symbol__quote=symbol.quote_id,
        side=side,
        state__in=frozenset(states),
    )
    if besides is not None:
        others = others.exclude(pk=besides)
    found = others.filter(quantity__gt=F("filled_quantity")).aggregate(
        rest=Sum(F("quantity") - F("filled_quantity"))
    )
    return found["rest"] or Decimal(0)
