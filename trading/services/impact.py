"""What a change of the registry would touch of trading, for whoever agrees to it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from assets.services.guarding import Impact
from trading.models import Order, SwitchMode, SwitchScope, TradingSwitch
from venues.models import VenueSymbol


def orders_on(assets: Collection[UUID]) -> list[Impact]:
    """Count the symbols that trade these assets, the orders open in them, and the switches set."""
    symbols = VenueSymbol.objects.current().filter(Q(base__in=assets) | Q(quote__in=assets))
    names = sorted({f"{one.symbol} at {one.venue}" for one in symbols.select_related("venue")})
    working = Order.objects.open().filter(Q(symbol__base__in=assets) | Q(symbol__quote__in=assets))
    count = working.count()
    switches = TradingSwitch.objects.filter(scope=SwitchScope.ASSET, subject_id__in=assets)
    stopped = switches.exclude(mode=SwitchMode.ON).count()
    return [
        Impact("Symbols in force", ", ".join(names) or "none"),
        Impact("Orders open", str(count), is_grave=count > 0),
        Impact("Trading switches set", str(stopped)),
    ]
