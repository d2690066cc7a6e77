"""What the desk holds, by its own books or by what a venue says: symbols somebody should look at first."""

from __future__ import annotations

from collections.abc import Iterable

from portfolio.models import UNRESOLVED, Break, Position
from portfolio.reconcile import Kind
from venues.services.interest import Interest


def at_stake() -> Iterable[Interest]:
    yield from _held()
    yield from _differing()


def _held() -> Iterable[Interest]:
    """Name the codes of what is held, at whichever venue they are listed."""
    there = Position.objects.exclude(quantity=0).order_by("asset__symbol")
    for symbol in there.values_list("asset__symbol", flat=True).distinct():
        yield Interest(words=f"the desk holds {symbol}", code=symbol)


def _differing() -> Iterable[Interest]:
    """Name the codes of balances that a venue reports otherwise than our books."""
    differing = Break.objects.filter(state__in=UNRESOLVED, kind=Kind.BALANCE)
    rows = differing.order_by("unit").values_list("account__venue", "unit").distinct()
    for venue_id, unit in rows:
        words = f"a break in the balance of {unit}"
        yield Interest(words=words, code=unit, venue_id=venue_id)
