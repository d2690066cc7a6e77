"""Which venues have a symbol of a spelling, for the registry's look-up: what it means is asked for apart."""

from __future__ import annotations

from venues.models import Venue, VenueSymbol

LONGEST = 80


def venues_having(text: str) -> list[tuple[str, str]]:
    """Name each venue and its symbol, as it is spelt or in capitals."""
    if len(text) > LONGEST:
        return []
    # By venue too: that is how the index of symbols begins.
    found = VenueSymbol.objects.filter(
        venue__in=Venue.objects.all(), symbol__in={text, text.upper()}
    )
    pairs = found.values_list("venue__slug", "symbol").distinct()
    return sorted(pairs)
