"""How it is recorded what a symbol stands for: as two people agreed, or while a desk is seeded.

PostgreSQL takes nothing else. Steps and status are taken over from the listing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from assets.services import claims
from assets.services.holding import in_use
from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import User
from cqops.platform.audit.services import record, stored
from venues import events
from venues.events import TradedUnderAnother
from venues.models import Listing, Standing, VenueSymbol
from venues.services.traded import Traded, meaning_of, traded_wrong

TERMS = ("price_tick", "quantity_step", "min_quantity", "min_notional", "status")
WORDS = {
    "venue_symbol_means_one_thing": "It stands for something at that time already.",
    "venue_symbol_is_not_paid_with_itself": "It cannot be paid with itself.",
    "venue_symbol_steps_positive": "The venue states no step of price or quantity for it yet.",
}


def in_force(listing: Listing) -> VenueSymbol | None:
    """Find what two people hold a listed symbol to stand for."""
    rows = VenueSymbol.objects.in_force().filter(listing=listing)
    found: VenueSymbol | None = rows.select_related("venue", "base", "quote").first()
    return found


def terms_of(listing: Listing) -> dict[str, Any]:
    return {name: getattr(listing, name) for name in TERMS}


def record_meaning(  # noqa: PLR0913 -- a claim is all of this
    listing: Listing,
    *,
    base_id: UUID,
    quote_id: UUID,
    source: str,
    since: datetime | None,
    by: User | None,
    approval: UUID | None = None,
    reason: str = "",
) -> VenueSymbol:
    """Record what a held listing stands for, where nothing stands yet."""
    claim = VenueSymbol(
        listing=listing,
        venue=listing.venue,
        symbol=listing.symbol,
        base=in_use(base_id),
        quote=in_use(quote_id),
        kind=listing.kind,
        contract_size=listing.contract_size,
        valid_from=since,
        source=source,
        **terms_of(listing),
    )
    with claims.telling(WORDS):
        claims.recorded(claim, by=by, approval=approval)
    _mapped(listing)
    _written("symbol.mapped", claim, reason=reason, by=by)
    events.mapped(claim)
    return claim


def change_meaning(  # noqa: PLR0913 -- a claim is all of this
    listing: Listing,
    known: VenueSymbol,
    *,
    base_id: UUID,
    quote_id: UUID,
    source: str,
    since: datetime | None,
    by: User,
    approval: UUID,
    reason: str,
) -> VenueSymbol:
    """Let a held listing stand for something else since a moment, and tell what was traded meanwhile."""
    before = claims.said(known)
    changes = {
        "base_id": in_use(base_id).pk,
        "quote_id": in_use(quote_id).pk,
        "kind": listing.kind,
        "contract_size": listing.contract_size,
        **terms_of(listing),
    }
    with claims.telling(WORDS):
        claim = claims.changed(
            known, since=since, changes=changes, by=by, source=source, approval=approval
        )
    _mapped(listing)
    _written("symbol.remapped", claim, before=before, reason=reason, by=by)
    wrong = traded_wrong(listing, instead=meaning_of(claim), since=claim.valid_from)
    events.changed(claim, former=known, traded=len(wrong))
    for one in wrong:
        events.traded_under_another(_as_event(claim, one))
    return claim


def go_on(listing: Listing, known: VenueSymbol, *, reason: str, by: User) -> None:
    """Let a held listing be traded again for what it stood for all along."""
    _mapped(listing)
    _written("symbol.resumed", known, reason=reason, by=by)
    events.mapped(known)


@transaction.atomic
def seed_meaning(*, listing: Listing, base_id: UUID, quote_id: UUID, source: str) -> VenueSymbol:
    """List and map a symbol of a desk that is only being set up; what stands already stays."""
    with seeding():
        known = in_force(listing)
        if known is not None:
            return known
        if stored(listing) is None:
            listing.listed_at = timezone.now()
            listing.full_clean(validate_constraints=False)
            listing.save(force_insert=True)
        return record_meaning(
            listing, base_id=base_id, quote_id=quote_id, source=source, since=None, by=None
        )


def _mapped(listing: Listing) -> None:
    listing.standing, listing.why = Standing.MAPPED, ""
    listing.save()


def _written(
    action: str,
    claim: VenueSymbol,
    *,
    reason: str,
    by: User | None,
    before: dict[str, Any] | None = None,
) -> None:
    record(
        action=action,
        subject=claim.listing,
        before=before,
        after=claims.said(claim),
        reason=reason,
        by=by,
    )


def _as_event(claim: VenueSymbol, one: Traded) -> TradedUnderAnother:
    return TradedUnderAnother(
        listing_id=claim.listing_id,
        symbol_id=claim.pk,
        under_id=one.under_id,
        what=one.what,
        what_id=one.what_id,
        at=one.at,
        words=one.words,
    )
