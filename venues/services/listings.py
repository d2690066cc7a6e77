"""What a venue lists is followed: new symbols wait to be mapped, steps and status are taken over, the gone end.

What a symbol stands for is never followed. A venue that says something else of an instrument than before has
it stopped at once, and whatever was asked about it is void: a steward looks at it again, and a second person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from assets.services import claims
from cqops.platform.approvals.services import void
from cqops.platform.audit.services import record, record_saved, stored
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues import events
from venues.interface.numbers import plain
from venues.interface.types import Instrument
from venues.models import Listing, Standing, SymbolStatus, Venue, VenueSymbol
from venues.services.recording import TERMS, in_force, terms_of
from venues.services.stopping import held, is_asked_about, is_known, moved

STEPS = ("price_tick", "quantity_step")
SAID = ("said_base", "said_quote", "kind", "contract_size")
# A list that is cut short once must end nothing.
GONE_AFTER = timedelta(hours=24)
LONGEST_SYMBOL, LONGEST_NAME = 80, 40
STATED = "The venue states it so."
GONE = "The venue lists it no longer."


def follow(venue: Venue, instruments: Sequence[Instrument], *, now: datetime) -> int:
    """Take over what a venue lists, and say how many of the symbols known here changed."""
    listed = {one.symbol: one for one in Listing.objects.listed().filter(venue=venue)}
    stated = {one.symbol: one for one in instruments if _fits(one)}
    _list_new(venue, [one for name, one in stated.items() if name not in listed], now=now)
    changed = 0
    for name, listing in listed.items():
        found = stated.get(name)
        if found is None:
            changed += _miss(listing, now=now)
        elif listing.missing_since or _differs(listing, found):
            changed += _take_over(listing, found)
    VenueSymbol.objects.in_force().filter(venue=venue, symbol__in=stated).update(synced_at=now)
    return changed


def _fits(one: Instrument) -> bool:
    """Leave out what no venue calls anything: a name as long as a sentence."""
    is_short = max(len(one.base), len(one.quote)) <= LONGEST_NAME
    return is_short and 0 < len(one.symbol) <= LONGEST_SYMBOL


def _list_new(venue: Venue, found: Sequence[Instrument], *, now: datetime) -> None:
    """List what is new, as nothing that anybody may trade yet."""
    if not found:
        return
    rows = [Listing(venue=venue, symbol=one.symbol, listed_at=now, **_stated(one)) for one in found]
    with transaction.atomic():
        Listing.objects.bulk_create(rows, ignore_conflicts=True)
        names = [one.symbol for one in found]
        record(
            action="symbols.listed",
            subject=venue,
            after={"symbols": len(names), "first": ", ".join(names[:20])},
            reason=STATED,
        )


def _stated(one: Instrument) -> dict[str, object]:
    has_steps = one.price_tick > 0 and one.quantity_step > 0
    return {
        "said_base": one.base,
        "said_quote": one.quote,
        "kind": one.kind.value,
        "contract_size": one.contract_size,
        "price_tick": one.price_tick,
        "quantity_step": one.quantity_step,
        "min_quantity": one.min_quantity,
        "min_notional": one.min_notional,
        "status": SymbolStatus.TRADABLE if one.is_tradable and has_steps else SymbolStatus.HALTED,
    }


def _differs(listing: Listing, found: Instrument) -> bool:
    return any(getattr(listing, name) != value for name, value in _stated(found).items())


@transaction.atomic
def _take_over(listing: Listing, found: Instrument) -> bool:
    """Follow steps and status; what the symbol stands for stays as two people said."""
    (listing,) = held({listing.pk})
    if listing.gone_at is not None:
        return False
    old, before = stored(listing), _says(listing)
    for name, value in _stated(found).items():
        setattr(listing, name, value)
    listing.missing_since = None
    says = _says(listing)
    if says != before:
        _stop(listing, f"The venue says {says}, and said {before} before.")
    listing.save()
    _hand_on(listing)
    entry = record_saved(kind="symbol", old=old, new=listing, fields=(*SAID, *TERMS), reason=STATED)
    if entry is None:
        return False
    if {*TERMS} & {*(entry.after or {})}:
        events.terms_changed(listing)
    _tell_changed(listing, entry.before or {}, entry.after or {})
    return True


def _says(listing: Listing) -> str:
    """Write what the venue says an instrument is."""
    size = plain(listing.contract_size)
    return f"{listing.said_base}/{listing.said_quote} {listing.kind}, {size} each"


def _stop(listing: Listing, why: str) -> None:
    """Let nobody trade by it, or agree to what was asked of it, until it was looked at again."""
    if listing.request is not None and is_asked_about(listing):
        void(request_id=listing.request.pk, reason=why)
    match listing.standing:
        case Standing.MAPPED:
            moved(listing, Standing.SUSPENDED, why=why, by=None)
        case Standing.PROPOSED | Standing.NOT_TRADED:
            there = Standing.SUSPENDED if is_known(listing) else Standing.UNMAPPED
            moved(listing, there, why=why, by=None)
        case _:
            listing.why = why


def _hand_on(listing: Listing) -> None:
    """Let the claim in force have the steps and the status of its listing."""
    known = in_force(listing)
    if known is None:
        return
    for name, value in terms_of(listing).items():
        if value or name not in STEPS:
            setattr(known, name, value)
    known.save(update_fields=TERMS)


@transaction.atomic
def _miss(listing: Listing, *, now: datetime) -> bool:
    """Stop what the venue does not list any more; end it once it was missing for a day."""
    (listing,) = held({listing.pk})
    if listing.gone_at is not None:
        return False
    if listing.missing_since is None:
        old = stored(listing)
        listing.missing_since, listing.status = now, SymbolStatus.GONE
        listing.save()
        _hand_on(listing)
        record_saved(kind="symbol", old=old, new=listing, fields=("status",), reason=GONE)
        events.terms_changed(listing)
        if listing.standing != Standing.UNMAPPED:
            _tell_gone(listing)
        return True
    if now - listing.missing_since < GONE_AFTER:
        return False
    _end(listing, since=listing.missing_since, now=now)
    return True


def _end(listing: Listing, *, since: datetime, now: datetime) -> None:
    listing.gone_at = now
    _stop(listing, GONE)
    listing.save()
    known = in_force(listing)
    if known is not None:
        claims.ended(known, at=since, by=None, source=str(listing.venue))
    record(
        action="symbol.ended",
        subject=listing,
        before=claims.said(known) if known else None,
        after={"valid_to": since},
        reason=GONE,
    )


def _tell_gone(listing: Listing) -> None:
    tell(
        "instrument.gone",
        f"{listing.venue} no longer lists {listing.symbol}.",
        severity=Severity.ATTENTION,
        labels={"venue": listing.venue.slug, "symbol": listing.symbol},
    )


def _tell_changed(listing: Listing, before: dict[str, object], after: dict[str, object]) -> None:
    if listing.standing == Standing.UNMAPPED:
        return
    was = ", ".join(
        f"{name.replace('_', ' ')} {before[name]} is now {after[name]}" for name in sorted(after)
    )
    tell(
        "instrument.changed",
        f"{listing.venue} changed {listing.symbol}: {was}.",
        severity=Severity.ATTENTION,
        labels={"venue": listing.venue.slug, "symbol": listing.symbol},
    )
