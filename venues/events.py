"""What the outside hears about what venues' symbols stand for. Ids are ours; symbols are the venue's own words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from cqops.platform.events.schemas import Schema
from cqops.platform.events.services import emit

if TYPE_CHECKING:
    from venues.models import Listing, VenueSymbol

VENUE_SYMBOL = "venue_symbol"


class SymbolMapped(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's symbol stands for these assets, with two people behind it; also when it goes on after a stop."""

    listing_id: UUID
    symbol_id: UUID
    venue: str
    symbol: str
    base_id: UUID
    quote_id: UUID
    kind: str
    contract_size: Decimal
    valid_from: datetime | None


class SymbolChanged(msgspec.Struct, frozen=True, kw_only=True):
    """It stands for something else since `valid_from`; `former_id` is what was held to be true until now."""

    listing_id: UUID
    symbol_id: UUID
    former_id: UUID
    venue: str
    symbol: str
    base_id: UUID
    quote_id: UUID
    kind: str
    contract_size: Decimal
    valid_from: datetime | None
    traded_under_another: int


class TradedUnderAnother(msgspec.Struct, frozen=True, kw_only=True):
    """An order or a fill made while the symbol was held to stand for something else than it did then."""

    listing_id: UUID
    symbol_id: UUID
    under_id: UUID
    what: str
    what_id: UUID
    at: datetime
    words: str


class SymbolStopped(msgspec.Struct, frozen=True, kw_only=True):
    """No new exposure by this symbol: it is `suspended`, or `not_traded`. What gets out goes on."""

    listing_id: UUID
    venue: str
    symbol: str
    standing: str
    reason: str


class TermsChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The venue changed steps, bounds or the status of a symbol; what it stands for is as it was."""

    listing_id: UUID
    venue: str
    symbol: str
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    status: str


EVENTS = (
    Schema("venue_symbol.mapped", 1, VENUE_SYMBOL, SymbolMapped),
    Schema("venue_symbol.changed", 1, VENUE_SYMBOL, SymbolChanged),
    Schema("venue_symbol.traded_under_another", 1, VENUE_SYMBOL, TradedUnderAnother),
    Schema("venue_symbol.suspended", 1, VENUE_SYMBOL, SymbolStopped),
    Schema("venue_symbol.terms_changed", 1, VENUE_SYMBOL, TermsChanged),
)


def mapped(row: VenueSymbol) -> None:
    payload = SymbolMapped(
        listing_id=row.listing_id,
        symbol_id=row.pk,
        venue=row.venue.slug,
        symbol=row.symbol,
        base_id=row.base_id,
        quote_id=row.quote_id,
        kind=str(row.kind),
        contract_size=row.contract_size,
        valid_from=row.valid_from,
    )
    _of_a_symbol("venue_symbol.mapped", row.listing_id, payload)


def changed(row: VenueSymbol, *, former: VenueSymbol, traded: int) -> None:
    payload = SymbolChanged(
        listing_id=row.listing_id,
        symbol_id=row.pk,
        former_id=former.pk,
        venue=row.venue.slug,
        symbol=row.symbol,
        base_id=row.base_id,
        quote_id=row.quote_id,
        kind=str(row.kind),
        contract_size=row.contract_size,
        valid_from=row.valid_from,
        traded_under_another=traded,
    )
    _of_a_symbol("venue_symbol.changed", row.listing_id, payload)


def traded_under_another(payload: TradedUnderAnother) -> None:
    _of_a_symbol("venue_symbol.traded_under_another", payload.listing_id, payload)


def stopped(listing: Listing) -> None:
    payload = SymbolStopped(
        listing_id=listing.pk,
        venue=listing.venue.slug,
        symbol=listing.symbol,
        standing=str(listing.standing),
        reason=listing.why,
    )
    _of_a_symbol("venue_symbol.suspended", listing.pk, payload)


def terms_changed(listing: Listing) -> None:
    payload = TermsChanged(
        listing_id=listing.pk,
        venue=listing.venue.slug,
        symbol=listing.symbol,
        price_tick=listing.price_tick,
        quantity_step=listing.quantity_step,
        min_quantity=listing.min_quantity,
        min_notional=listing.min_notional,
        status=str(listing.status),
    )
    _of_a_symbol("venue_symbol.terms_changed", listing.pk, payload)


def _of_a_symbol(kind: str, listing_id: UUID, payload: msgspec.Struct) -> None:
    emit(
        kind=kind, version=1, aggregate=VENUE_SYMBOL, aggregate_id=str(listing_id), payload=payload
    )
