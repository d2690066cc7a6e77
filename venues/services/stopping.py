"""Where the desk stands with a symbol, as far as one person says so: stopping takes one, going on takes two.

What is stopped adds no exposure any more; what gets out goes on, by the checks of trading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from django.db import transaction

from assets.errors import Conflict, Unfounded
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.approvals.errors import NothingChanges
from cqops.platform.approvals.states import OPEN
from cqops.platform.audit.services import record
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues import events
from venues.models import Listing, Standing, VenueSymbol

LONGEST = 500


def held(listing_ids: Collection[UUID | str]) -> list[Listing]:
    """Hold listings for change, always in one order; whoever wants one of them waits."""
    rows = Listing.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=listing_ids)
    # What is asked is read once the rows are ours: joined to them, it would be read as it was before the wait.
    found = list(rows.select_related("venue").prefetch_related("request").order_by("pk"))
    if len(found) != len(set(listing_ids)):
        message = "One of these symbols is not there. Look again."
        raise Conflict(message)
    return found


def is_asked_about(listing: Listing) -> bool:
    """Tell whether a request about it still waits for an answer, or for being carried out."""
    return listing.request is not None and listing.request.state in OPEN


def is_known(listing: Listing) -> bool:
    """Tell whether two people ever said what it stands for, and nothing ended that."""
    return VenueSymbol.objects.in_force().filter(listing=listing).exists()


@transaction.atomic
def suspend(*, listing_id: UUID, reason: str, by: User) -> Listing:
    """Stop new exposure by a symbol, at once. Whoever may raise a flag may do this."""
    demand(by, Action.FLAG_RAISE, {})
    (listing,) = held({listing_id})
    if listing.standing == Standing.SUSPENDED:
        message = f"{listing} is suspended already: {listing.why}"
        raise NothingChanges(message)
    if listing.standing != Standing.MAPPED:
        message = f"{listing} is {listing.get_standing_display().lower()}: nobody trades by it."
        raise Conflict(message, listing)
    moved(listing, Standing.SUSPENDED, why=reason, by=by)
    return listing


@transaction.atomic
def set_aside(*, listing_ids: Collection[UUID], reason: str, by: User) -> list[Listing]:
    """Say that the desk does not trade these, until what they stand for changes at the venue."""
    return _each(listing_ids, reason=reason, by=by, act=_set_aside)


def _set_aside(listing: Listing, reason: str, by: User) -> None:
    if listing.standing == Standing.NOT_TRADED:
        message = f"{listing} is not traded already: {listing.why}"
        raise NothingChanges(message)
    moved(listing, Standing.NOT_TRADED, why=reason, by=by)


@transaction.atomic
def take_up(*, listing_ids: Collection[UUID], reason: str, by: User) -> list[Listing]:
    """Look again at what was not traded: it waits to be mapped, or to go on, which both take two."""
    return _each(listing_ids, reason=reason, by=by, act=_take_up)


def _take_up(listing: Listing, reason: str, by: User) -> None:
    if listing.standing != Standing.NOT_TRADED:
        message = f"{listing} is {listing.get_standing_display().lower()}, so it was not set aside."
        raise Conflict(message, listing)
    there = Standing.SUSPENDED if is_known(listing) else Standing.UNMAPPED
    moved(listing, there, why=reason, by=by)


def _each(
    listing_ids: Collection[UUID],
    *,
    reason: str,
    by: User,
    act: Callable[[Listing, str, User], None],
) -> list[Listing]:
    demand(by, Action.REGISTRY_EDIT, {})
    found = held(listing_ids)
    for listing in found:
        if is_asked_about(listing):
            message = (
                f"Somebody asks about {listing} already: {listing.request}. Answer that first."
            )
            raise Conflict(message, listing)
        act(listing, reason, by)
    return found


def moved(
    listing: Listing,
    there: Standing,
    *,
    why: str,
    by: User | None,
    decision_id: str = "",
) -> None:
    """Let a held listing stand otherwise, for a reason; the audit, the desk and programs are told."""
    if not why.strip():
        message = "Say why: whoever looks at it next reads it, and so does the audit."
        raise Unfounded(message)
    here = listing.standing
    listing.standing, listing.why = there, why.strip()[:LONGEST]
    listing.save()
    record(
        action=f"symbol.{there}",
        subject=listing,
        before={"standing": here},
        after={"standing": there},
        reason=listing.why,
        decision_id=decision_id,
        by=by,
    )
    if here == Standing.MAPPED:
        events.stopped(listing)
        tell(
            "instrument.stopped",
            f"{listing} is {listing.get_standing_display().lower()}: {listing.why}",
            severity=Severity.URGENT,
            labels={"venue": listing.venue.slug, "symbol": listing.symbol},
        )
