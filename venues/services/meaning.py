"""What a venue's symbol means, as an answer of the registry: its base asset, and what that is paid with."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from assets.hot.kinds import Found
from assets.hot.lookups import HOUR, cache
from assets.models import Merge
from assets.services.resolution import Candidate, Clocks, Resolution, answered, concluded
from assets.services.standing import coming, soonest
from venues.models import VenueSymbol


def by_venue_symbol(
    *,
    venue: str,
    symbol: str,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Resolution:
    """Find the asset that a venue's symbol buys and sells; also one that is suspended means what it means."""
    if as_of is None and known_at is None:
        found = meaning.get((venue, symbol)) or ()
        return concluded(f"{symbol} at {venue}", found, Clocks.at(None, None))
    return _read(venue, symbol, Clocks.at(as_of, known_at))


def _read(venue: str, symbol: str, clocks: Clocks) -> Resolution:
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


def _meaning(key: tuple[str, str], now: datetime) -> Found[tuple[Candidate, ...]]:
    venue, symbol = key
    rows = VenueSymbol.objects.filter(venue__slug=venue, symbol=symbol)
    until = soonest(now, coming(rows, now), coming(Merge.objects.all(), now))
    return Found(_read(venue, symbol, Clocks(now, now)).candidates, until)


meaning = cache.kind(
    "venue_symbol",
    areas=["assets", "merges", "venue_symbols"],
    ttl=HOUR,
    read=_meaning,
    shape=tuple[Candidate, ...],
)
