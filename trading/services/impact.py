"""What a change of the registry would touch of trading, for whoever agrees to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from assets.services.guarding import Impact
from trading.models import ExecutionReport, Order, SwitchMode, SwitchScope, TradingSwitch
from venues.interface.numbers import plain
from venues.models import VenueSymbol
from venues.services.traded import Traded


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


def traded_under(symbols: Collection[UUID], since: datetime | None) -> list[Traded]:
    """List the orders and fills made under these claims since a moment, as they came."""
    orders = Order.objects.filter(symbol__in=symbols).select_related("symbol")
    fills = ExecutionReport.objects.filter(symbol__in=symbols)
    if since is not None:
        orders, fills = orders.filter(placed_at__gte=since), fills.filter(executed_at__gte=since)
    found = [
        *(_traded("order", one, one.placed_at, one.symbol.symbol) for one in orders),
        *(_traded("fill", one, one.executed_at, one.symbol_text) for one in fills),
    ]
    return sorted(found, key=lambda one: (one.at, one.what_id))


def _traded(what: str, row: Order | ExecutionReport, at: datetime, symbol: str) -> Traded:
    assert row.symbol_id is not None  # noqa: S101 -- it was found by it
    return Traded(
        what=what,
        what_id=row.pk,
        under_id=row.symbol_id,
        at=at,
        words=f"{what} to {row.side} {plain(row.quantity)} {symbol}",
    )
