"""What a symbol is to stand for, as one line that whoever agrees reads and PostgreSQL holds the claim against.

A line ends with the ids in brackets: names are for the eye, and two assets may share them. `venues_said` of
the database writes the same brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError

from assets.models import Asset
from cqops.platform.approvals.instruction import NOW, Content
from venues.interface.numbers import plain
from venues.models import InstrumentKind, Listing, Standing, VenueSymbol

NOTHING = "nothing"
NAMED = 3
BATCHES = UUID("0c9a4f53-6a0f-4b7e-9a55-7a7a0f6a2d11")
_IDS = re.compile(r"\[([0-9a-f-]{36})/([0-9a-f-]{36})/([a-z]+)/([0-9.]+)\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody takes one listed symbol to stand for: the instrument is as the venue lists it."""

    listing_id: UUID
    base_id: UUID
    quote_id: UUID


def line(*, base: Asset, quote: Asset, kind: str, contract_size: Decimal) -> str:
    """Write what a symbol is to stand for."""
    size = plain(contract_size)
    each = "" if contract_size == 1 else f", {size} each"
    named = InstrumentKind(kind).label.lower()
    words = f"{base.label} paid with {quote.label}, {named}{each}"
    return f"{words} [{base.pk}/{quote.pk}/{kind}/{size}]"


def ids_in(text: str) -> tuple[UUID, UUID]:
    """Read back the two assets that a line is about."""
    found = _IDS.search(text)
    if found is None:
        message = f"This names no assets: {text}"
        raise ValueError(message)
    return UUID(found[1]), UUID(found[2])


def standing_line(listing: Listing, known: VenueSymbol | None) -> str:
    """Write what stands now and what the venue says: whoever changes either voids what was asked."""
    there = NOTHING
    if known is not None:
        meaning = line(
            base=known.base,
            quote=known.quote,
            kind=known.kind,
            contract_size=known.contract_size,
        )
        there = f"{meaning}, by claim {known.pk}"
    said = f"{listing.said_base}/{listing.said_quote} {listing.kind}"
    # A stop that somebody makes meanwhile voids what is asked, and nobody agrees past it unread.
    stopped = f"; suspended: {listing.why}" if listing.standing == Standing.SUSPENDED else ""
    return f"{there}; the venue says {said}, {plain(listing.contract_size)} each{stopped}"


def subject_of(listings: Sequence[Listing]) -> UUID:
    """Name the symbols as what a request is about."""
    if len(listings) == 1:
        return listings[0].pk
    return uuid5(BATCHES, ",".join(sorted(str(one.pk) for one in listings)))


def named(listings: Sequence[Listing]) -> str:
    first = ", ".join(str(one) for one in listings[:NAMED])
    return f"{first} and {len(listings) - NAMED} more" if len(listings) > NAMED else first


def line_of(listing: Listing, base_id: UUID, quote_id: UUID) -> str:
    found = Asset.objects.in_bulk({base_id, quote_id})
    missing = {
        name: "There is no such asset."
        for name, key in (("base_id", base_id), ("quote_id", quote_id))
        if key not in found
    }
    if missing:
        raise ValidationError(missing)
    return line(
        base=found[base_id],
        quote=found[quote_id],
        kind=listing.kind,
        contract_size=listing.contract_size,
    )


def about(listings: Sequence[Listing], lines: dict[str, str]) -> Content:
    """Write two lines a symbol: what is asked for, and what stands now."""
    known = VenueSymbol.objects.in_force().filter(listing__in=listings)
    standing = {row.listing_id: row for row in known.select_related("base", "quote")}
    content: dict[str, str] = {}
    for listing in listings:
        content[listing.key] = lines[listing.key]
        content[f"{listing.key}{NOW}"] = standing_line(listing, standing.get(listing.pk))
    return content


def touched(listings: Sequence[Listing], lines: dict[str, str]) -> set[UUID]:
    found = {key for text in lines.values() for key in ids_in(text)}
    for known in VenueSymbol.objects.in_force().filter(listing__in=listings):
        found |= {known.base_id, known.quote_id}
    return found
