"""What a venue's symbol means, as an answer of the registry: its base asset, and what that is paid with."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
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
    """Find the asset that a venue's symbol buys and sells. What it meant is dated by one clock only."""
    if known_at is not None:
        message = "It is not recorded when a venue's symbol became known here. Leave this out."
        raise ValidationError({"known_at": message})
    clocks = Clocks.at(as_of, None)
    rows = VenueSymbol.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=clocks.as_of),
        venue__slug=venue,
        symbol=symbol,
        valid_from__lte=clocks.as_of,
    )
    candidates = [
        Candidate(
            asset_id=row.base_id,
            symbol=row.base.symbol,
            name=row.base.name,
            kind=row.base.kind,
            why=f"{row.venue.name} trades it as {row.symbol}, paid with {row.quote.label}.",
            claim_id=row.pk,
        )
        for row in rows.select_related("venue", "base", "quote")
    ]
    return answered(f"{symbol} at {venue}", candidates, clocks)
