"""Seeds the symbols of a SIMULATED desk's venues. What people changed stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from assets.demo import SOURCE
from assets.models import Asset
from venues import curated
from venues.models import Listing, Venue, VenueSymbol
from venues.services.recording import seed_meaning

TICK, STEP = Decimal("0.01"), Decimal("0.00000001")


def seed_symbols(*, venue: Venue, known: Mapping[str, Asset]) -> None:
    """Make the mappings; the venue itself states the steps at the next sync of instruments."""
    there = set(VenueSymbol.objects.filter(venue=venue).values_list("symbol", flat=True))
    for new in curated.SYMBOLS[venue.slug]:
        if new.symbol not in there:
            listed = Listing.objects.listed().filter(venue=venue, symbol=new.symbol).first()
            seed_meaning(
                listing=listed or _listing(venue, new),
                base_id=known[new.base].pk,
                quote_id=known[new.quote].pk,
                source=SOURCE,
            )


def _listing(venue: Venue, new: curated.NewSymbol) -> Listing:
    return Listing(
        venue=venue,
        symbol=new.symbol,
        said_base=new.said_base,
        said_quote=new.said_quote,
        kind=new.kind,
        price_tick=TICK,
        quantity_step=STEP,
        min_quantity=STEP,
        min_notional=Decimal(1),
    )
