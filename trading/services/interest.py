"""What the desk has open, or traded without knowing what it is: symbols somebody should look at first."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count

from trading.models import ExecutionReport, Order
from venues.services.interest import Interest


def at_stake() -> Iterable[Interest]:
    yield from _open_orders()
    yield from _stray_fills()


def _open_orders() -> Iterable[Interest]:
    """Name the symbols in which orders are open."""
    rows = Order.objects.open().values_list("symbol__venue", "symbol__symbol").order_by()
    for venue_id, symbol, count in rows.annotate(count=Count("pk")):
        words = f"{count} order{'s' if count > 1 else ''} open"
        yield Interest(words=words, symbol=symbol, venue_id=venue_id)


def _stray_fills() -> Iterable[Interest]:
    """Name the symbols of fills that could not be booked, because nobody said what they stand for."""
    strays = ExecutionReport.objects.filter(symbol=None)
    rows = strays.values_list("account__venue", "symbol_text").order_by()
    for venue_id, symbol, count in rows.annotate(count=Count("pk")):
        words = f"{count} fill{'s' if count > 1 else ''} not booked"
        yield Interest(words=words, symbol=symbol, venue_id=venue_id)
