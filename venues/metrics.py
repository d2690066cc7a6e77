"""What the desk's collectors hear about books."""

from __future__ import annotations

from django.utils import timezone

from cqops.platform.telemetry.metrics import Reading
from venues.models import VenueSymbol
from venues.services.books import read_touches


def books() -> list[Reading]:
    """Tell state and age of every book as the desk sees it."""
    symbols = list(VenueSymbol.objects.current().select_related("venue"))
    touches = read_touches(symbols, now=timezone.now())
    readings = []
    for symbol in symbols:
        touch = touches[symbol.key]
        labels = {"venue": symbol.venue.slug, "symbol": symbol.symbol}
        readings.append(
            Reading(
                name="cqops_book_state",
                what="The state each book is in now.",
                labels={**labels, "state": touch.state},
                value=1,
            )
        )
        if touch.age_seconds is not None:
            readings.append(
                Reading(
                    name="cqops_book_age_seconds",
                    what="How old each book is.",
                    labels=labels,
                    value=touch.age_seconds,
                )
            )
    return readings
