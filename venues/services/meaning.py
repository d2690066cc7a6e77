"""What a venue's symbol means, as an answer of the registry: its base asset, and what that is paid with."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from assets.services.resolution import Candidate, Clocks, Resolution, answered
from venues.models import VenueSymbol


def by_venue_symbol(
    *,
    venue: str,
    symbol: str,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Resolution:
    """Find the asset that a venue's symbol buys and sells; also one that is suspended means what it means."""
    clocks = Clocks.at(as_of, known_at)
    ended = min(clocks.as_of, clocks.known_at)
    rows = VenueSymbol.objects.at(as_of=clocks.as_of, known_at=clocks.known_at).filter(
        Q(base__retired_at=None) | Q(base__retired_at__gt=ended), venue__slug=venue, symbol=symbol
    )
    candidates = [
        Candidate(
            asset_id=row.base_id,
            symbol=row.base.symbol,
            name=row.base.name,
            kind=row.base.kind,
            why=(
                f"{row.venue.name} trades it as {row.symbol}, paid with {row.quote.label},"
                f" says {row.source}."
            ),
            claim_id=row.pk,
        )
        for row in rows.select_related("venue", "base", "quote")
    ]
    return answered(f"{symbol} at {venue}", candidates, clocks)
