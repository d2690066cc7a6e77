"""What venues' symbols stand for is asked for by one person, agreed to by another, and carried out once.

Many new symbols are asked about in one request where all rest on the same kind of evidence. A symbol is
asked about once at a time: whoever comes second is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from assets.errors import Conflict
from assets.services.guarding import (
    ALWAYS,
    Impact,
    as_content,
    asking,
    carrying_out,
    impact_on,
    moment,
)
from assets.services.holding import demand_edit, in_use
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.errors import AlreadyAsked, NothingChanges
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.services.powers import latest
from cqops.platform.approvals.states import OPEN
from venues.models import Listing, Standing, VenueSymbol
from venues.services.recording import change_meaning, go_on, in_force, record_meaning
from venues.services.stopping import held, is_asked_about
from venues.services.suggesting import suggestions_for
from venues.services.traded import Traded, as_impact, traded_wrong
from venues.services.wanted import Wanted, about, ids_in, line_of, named, subject_of, touched
from venues.suggestions import Evidence, weighed

KIND = "venues.symbol"
MOST = 500
LONGEST_TITLE = 200


class Change(StrEnum):
    MAP = "map"
    CHANGE = "change"
    RESUME = "resume"


VERBS = {Change.MAP: "Map", Change.CHANGE: "Change", Change.RESUME: "Resume"}


@transaction.atomic
def propose_mappings(
    *,
    wanted: Sequence[Wanted],
    evidence: Evidence,
    reason: str,
    by: User,
    since: datetime | None = None,
) -> Request:
    """Ask a second person to agree what new symbols stand for, all by the same kind of evidence.

    Without a moment each is taken to have stood for it as long as nothing else is known of it.
    """
    if not 0 < len(wanted) <= MOST:
        raise ValidationError({"wanted": f"Ask about at least one symbol and at most {MOST}."})
    return _propose(
        Change.MAP, wanted, evidence=evidence, reason=reason, by=by, since=since, check=_is_new
    )


@transaction.atomic
def propose_change(
    *,
    wanted: Wanted,
    evidence: Evidence,
    reason: str,
    by: User,
    since: datetime | None = None,
) -> Request:
    """Ask a second person to agree that a symbol stands for something else; without a moment it always did.

    They read what was traded under the wrong one since then.
    """
    return _propose(
        Change.CHANGE,
        [wanted],
        evidence=evidence,
        reason=reason,
        by=by,
        since=since,
        check=_differs,
    )


@transaction.atomic
def propose_resume(*, listing_id: UUID, reason: str, by: User) -> Request:
    """Ask a second person to agree that a suspended symbol stands for what it stood for, and trades on."""
    known = VenueSymbol.objects.in_force().filter(listing=listing_id).first()
    if known is None:
        message = "Nothing is known of what it stands for. Map it instead."
        raise Conflict(message)
    same = Wanted(listing_id=listing_id, base_id=known.base_id, quote_id=known.quote_id)
    return _propose(
        Change.RESUME, [same], evidence=None, reason=reason, by=by, since=None, check=_may_go_on
    )


def _propose(  # noqa: PLR0913 -- a request is all of this
    change: Change,
    wanted: Sequence[Wanted],
    *,
    evidence: Evidence | None,
    reason: str,
    by: User,
    since: datetime | None,
    check: Callable[[Listing, VenueSymbol | None, Wanted], None],
) -> Request:
    if since is not None and since > timezone.now():
        raise ValidationError({"since": "Say it once it is so: this is in the future."})
    by_id = {one.listing_id: one for one in wanted}
    if len(by_id) != len(wanted):
        raise ValidationError({"wanted": "One symbol is named twice."})
    listings = held(by_id)
    for listing in listings:
        _is_free(listing)
        check(listing, in_force(listing), by_id[listing.pk])
    lines = {
        one.key: line_of(one, by_id[one.pk].base_id, by_id[one.pk].quote_id) for one in listings
    }
    content: dict[str, str | datetime | int] = {
        "Change": change.value,
        "Rests on": evidence.value if evidence else "what was agreed before",
        "True since": since or ALWAYS,
        "Because": reason.strip(),
        "Symbols": len(listings),
    }
    request = asking(
        kind=KIND,
        subject_id=subject_of(listings),
        title=f"{VERBS[change]} {named(listings)}"[:LONGEST_TITLE],
        instruction={**content, **about(listings, lines)},
        assets=touched(listings, lines),
        by=by,
        reason=reason,
        also=_traded(change, listings, lines, since),
    )
    for listing in listings:
        listing.request = request
        if listing.standing == Standing.UNMAPPED:
            listing.standing = Standing.PROPOSED
        listing.save()
    return request


def _is_free(listing: Listing) -> None:
    if listing.gone_at is not None:
        message = f"{listing} is no longer listed."
        raise Conflict(message, listing)
    if is_asked_about(listing):
        message = (
            f"{listing} is being asked about already ({listing.request}), and waits for an answer."
        )
        raise AlreadyAsked(message)


def _is_new(listing: Listing, known: VenueSymbol | None, wanted: Wanted) -> None:  # noqa: ARG001
    if known is not None:
        message = f"{listing} stands for something already. Change that instead."
        raise Conflict(message, listing)
    if listing.standing == Standing.NOT_TRADED:
        message = f"{listing} is not traded: {listing.why}. Take it up first."
        raise Conflict(message, listing)


def _differs(listing: Listing, known: VenueSymbol | None, wanted: Wanted) -> None:
    if known is None:
        message = f"{listing} stands for nothing yet. Map it instead."
        raise Conflict(message, listing)
    there = (known.base_id, known.quote_id, known.kind, known.contract_size)
    if there == (wanted.base_id, wanted.quote_id, listing.kind, listing.contract_size):
        message = f"{listing} stands for exactly that already."
        raise NothingChanges(message)


def _may_go_on(listing: Listing, known: VenueSymbol | None, wanted: Wanted) -> None:  # noqa: ARG001
    if listing.standing != Standing.SUSPENDED:
        message = f"{listing} is {listing.get_standing_display().lower()}, not suspended."
        raise Conflict(message, listing)
    if known and (known.kind, known.contract_size) != (listing.kind, listing.contract_size):
        message = f"{listing} is another instrument at the venue now. Change what it stands for."
        raise Conflict(message, listing)


def _traded(
    change: str, listings: Sequence[Listing], lines: dict[str, str], since: datetime | None
) -> list[Impact]:
    """List what a correction finds traded under the wrong one; a new symbol was traded by nobody."""
    if change != Change.CHANGE:
        return []
    found: list[Traded] = []
    for listing in listings:
        instead = (*ids_in(lines[listing.key]), str(listing.kind), listing.contract_size)
        found.extend(traded_wrong(listing, instead=instead, since=since))
    return [as_impact(found)]


def _asked_about(request: Request) -> tuple[list[Listing], dict[str, str], dict[str, str]]:
    """Read back the symbols of a request, what each is to stand for now, and the rest that was asked."""
    rows = request.instruction_texts
    listings = list(Listing.objects.filter(request=request).select_related("venue").order_by("pk"))
    lines = {one.key: line_of(one, *ids_in(rows[one.key])) for one in listings}
    rest = {name: text for name, text in rows.items() if ":" not in name}
    return listings, lines, rest


def _instruction(request: Request) -> Content:
    listings, lines, rest = _asked_about(request)
    return {**rest, **about(listings, lines)}


def instruction_now(subject_id: str) -> Content:
    """Write what is asked for over what is known now and what the venue says now."""
    return _instruction(latest(KIND, subject_id))


def seen_now(subject_id: str) -> Content:
    listings, lines, rest = _asked_about(latest(KIND, subject_id))
    traded = _traded(rest["Change"], listings, lines, moment(rest["True since"]))
    return as_content([*impact_on(touched(listings, lines)), *traded])


@transaction.atomic
def settle(request: Request) -> None:
    """Do what was agreed to; anything else leaves what stands, and frees the symbols to be asked about."""
    ids = Listing.objects.filter(request=request).values_list("pk", flat=True)
    listings = held(set(ids))
    carrying_out(request, instruction=_instruction(request), act=lambda: _act(request, listings))
    if Request.objects.get(pk=request.pk).state in OPEN:
        return
    for listing in held(set(ids)):
        if listing.standing == Standing.PROPOSED:
            listing.standing = Standing.UNMAPPED
            listing.save()


def _act(request: Request, listings: Sequence[Listing]) -> None:
    by, rows = request.requested_by, request.instruction_texts
    demand_edit(by)
    since, reason = moment(rows["True since"]), rows["Because"]
    # Always in one order: whoever maps other symbols of the same assets waits, and is not waited for.
    for asset_id in sorted({key for one in listings for key in ids_in(rows[one.key])}):
        in_use(asset_id)
    for listing in listings:
        base_id, quote_id = ids_in(rows[listing.key])
        known = in_force(listing)
        match rows["Change"], known:
            case Change.RESUME, VenueSymbol():
                go_on(listing, known, reason=reason, by=by)
            case Change.CHANGE, VenueSymbol():
                change_meaning(
                    listing,
                    known,
                    base_id=base_id,
                    quote_id=quote_id,
                    source=f"{by.name}, by {rows['Rests on']}",
                    since=since,
                    by=by,
                    approval=request.pk,
                    reason=reason,
                )
            case _:
                record_meaning(
                    listing,
                    base_id=base_id,
                    quote_id=quote_id,
                    source=f"{by.name}, by {rows['Rests on']}",
                    since=since or _free_since(listing),
                    by=by,
                    approval=request.pk,
                    reason=reason,
                )


def _free_since(listing: Listing) -> datetime | None:
    """Find since when nothing else is known of a symbol: always, or the end of what it stood for last."""
    earlier = VenueSymbol.objects.known().filter(venue=listing.venue_id, symbol=listing.symbol)
    ends: datetime | None = (
        earlier.exclude(valid_to=None)
        .order_by("-valid_to")
        .values_list("valid_to", flat=True)
        .first()
    )
    return ends


def weighed_now(subject_id: str) -> Content:
    """Say of each symbol what the registry knows for its reading, and against it."""
    listings, lines, _ = _asked_about(latest(KIND, subject_id))
    found = suggestions_for(listings)
    return {one.key: weighed(found[one.pk], *ids_in(lines[one.key])) for one in listings}


def page_of(subject_id: str) -> str:
    if Listing.objects.filter(pk=subject_id).exists():
        return reverse("admin:venues_listing_change", args=[subject_id])
    request = latest(KIND, subject_id)
    chosen = urlencode({"request__id__exact": str(request.pk)})
    return f"{reverse('admin:venues_listing_changelist')}?{chosen}"


symbol_kind = Kind(
    label="What a venue's symbol stands for",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    context=weighed_now,
    page=page_of,
    tells=NO_FACT,
)
