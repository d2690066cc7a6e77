"""What was traded while a symbol was held to stand for something else than it did: told by whoever trades.

That is a need that points upwards, so the teller is named in settings.REGISTRY_TRADED_UNDER.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from assets.services.guarding import Impact
from venues.models import Listing, VenueSymbol

LABEL = "Traded under the wrong one"
SHOWN = 20
Meaning = tuple[UUID, UUID, str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """An order or a fill, and the claim it was made under."""

    what: str
    what_id: UUID
    under_id: UUID
    at: datetime
    words: str


Teller = Callable[[Collection[UUID], datetime | None], Sequence[Traded]]


def meaning_of(row: VenueSymbol) -> Meaning:
    """Say what a claim is about, apart from when it holds."""
    return row.base_id, row.quote_id, str(row.kind), row.contract_size


def traded_wrong(listing: Listing, *, instead: Meaning, since: datetime | None) -> list[Traded]:
    """List what was traded by this symbol since a moment as something else than it stands for by then."""
    rows = VenueSymbol.objects.filter(listing=listing)
    others = {row.pk for row in rows if meaning_of(row) != instead}
    teller: Teller = import_string(settings.REGISTRY_TRADED_UNDER)
    return list(teller(others, since)) if others else []


def as_impact(found: Sequence[Traded]) -> Impact:
    told = [f"{one.at:%Y-%m-%d %H:%M:%S} UTC {one.words}" for one in found[:SHOWN]]
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return Impact(LABEL, "; ".join([*told, *more]) or "nothing", is_grave=bool(found))
