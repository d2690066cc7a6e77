"""What an order counts for against the desk's bounds: one currency, whatever it is priced in.

Bounds are in US dollars. USDC counts as one dollar: its issuer redeems it at par, and the venues that
list both keep one book for them, so a second book would only add noise. Everything else, USDT too,
counts what a live book says; the desk cannot redeem it, and its price has left par before. Without
such a book the value is not known, and what is not known is never small.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from assets.models import Asset, AssetKind
from venues.interface.numbers import exactly, plain
from venues.interface.types import Side
from venues.models import VenueSymbol
from venues.services.books import Touch, read_touches

REPORTING = "USD"
# A ticker is nobody's identity: a token that calls itself USD or USDC is of another kind.
_AT_PAR = frozenset({("USD", AssetKind.FIAT), ("USDC", AssetKind.STABLECOIN)})


@dataclass(frozen=True, slots=True)
class Worth:
    """A value in the reporting currency, or `None` with the reason in words."""

    value: Decimal | None
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What one unit of a currency counts for, and where that was read."""

    price: Decimal
    source: str


def counted_price(*, side: Side, limit_price: Decimal | None, touch: Touch) -> Decimal | None:
    """Return the price an order counts at.

    A buy pays its limit at most. A sell's limit is the least it takes: the book may pay more, so it
    counts at the better of the two, and without a book nobody knows.
    """
    facing = touch.facing(side)
    if side is Side.BUY:
        return limit_price or facing
    if facing is None:
        return None
    return max(limit_price or facing, facing)


def worth(*, quantity: Decimal, price: Decimal | None, quote: Asset, now: datetime) -> Worth:
    """Value an order in the reporting currency."""
    if price is None:
        return Worth(None, "The order's value is not known without a price.")
    with exactly():
        value = quantity * price
        mark = mark_of(quote, now=now)
        if mark is None:
            words = f"No live book tells what {quote} is worth in {REPORTING}."
            return Worth(None, words)
        counted = value * mark.price
    words = f"{counted:,.2f} {REPORTING}"
    return Worth(counted, f"{words} ({mark.source})" if mark.source else words)


def mark_of(asset: Asset, *, now: datetime) -> Mark | None:
    """Find what one unit counts for; of several live books the dearest, so that none makes it small."""
    if _is_at_par(asset):
        return Mark(Decimal(1), "" if asset.symbol == REPORTING else f"{asset} counted as 1")
    books = [
        row
        for row in VenueSymbol.objects.current().filter(base=asset).select_related("venue", "quote")
        if _is_at_par(row.quote)
    ]
    touches = read_touches(books, now=now)
    marks = [
        Mark(touch.ask, f"{asset} at {plain(touch.ask)} of {row}")
        for row in books
        if (touch := touches[row.key]).is_trusted and touch.ask is not None
    ]
    return max(marks, key=lambda mark: mark.price, default=None)


def _is_at_par(asset: Asset) -> bool:
    return (asset.symbol, asset.kind) in _AT_PAR
