"""What a portfolio holds, asked of whoever keeps the positions: a need that points upwards."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string

from trading.models import Portfolio
from venues.models import Account, VenueSymbol


def held(*, portfolio: Portfolio, account: Account, symbol: VenueSymbol) -> Decimal:
    """Return the signed quantity of the symbol's base asset."""
    provider = import_string(settings.TRADING_HELD_QUANTITY)
    quantity: Decimal = provider(portfolio=portfolio, account=account, symbol=symbol)
    return quantity
