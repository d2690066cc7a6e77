"""The unmapped queue: what symbols may stand for, worked down many at a time by two people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from assets.errors import Conflict, Unfounded
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.services import inbox, progress
from cqops.platform.exports import csv_response
from venues.models import InstrumentKind, Listing, Venue
from venues.services import queue
from venues.services.accepting import accept
from venues.services.mapping import KIND, propose_resume
from venues.services.queue import Filter, Line
from venues.services.stopping import set_aside, take_up
from venues.services.wanted import Wanted

ASKED = "asked"
SHOWN_ON_TOP = 20


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.REGISTRY_VIEW)
def unmapped(request: DeskRequest) -> HttpResponse:
    if request.method == "POST":
        return _work(request)
    if request.GET.get("format") == "csv":
        return _export(_filter(request.GET))
    try:
        return _show(request)
    except (queue.BadCursor, inbox.BadCursor) as error:
        messages.error(request, str(error))
        return redirect("unmapped")


@requires(Action.REGISTRY_EDIT)
def _work(request: DeskRequest) -> HttpResponse:
    """Do with all that is ticked what the button says; a refusal leaves the ticks where they are."""
    do = DOES.get(request.POST.get("do", ""))
    if do is None:
        return _show(request, problem="Choose what to do with what is ticked.", status=422)
    try:
        words = do(request.POST, request.user)
    except Refused as error:
        return _show(request, problem=str(error), status=422)
    except ValidationError as error:
        return _show(request, problem=" ".join(error.messages), status=422)
    messages.success(request, words)
    return redirect(f"{reverse('unmapped')}?{request.GET.urlencode()}")


def _filter(asked: QueryDict) -> Filter:
    tab, evidence = asked.get("tab", ""), asked.get("evidence", "")
    size = asked.get("size", "")
    return Filter(
        tab=tab if tab in queue.TABS else queue.WAITS,
        venue=asked.get("venue", ""),
        kind=asked.get("kind", ""),
        evidence=evidence if evidence in queue.EVIDENCES else "",
        text=asked.get("q", "").strip().replace("\x00", ""),
        after=asked.get("after", ""),
        size=int(size) if size in map(str, queue.SIZES) else queue.SIZES[0],
    )


def _show(request: DeskRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    wanted = _filter(request.GET)
    is_asked = request.GET.get("tab") == ASKED
    context: dict[str, Any] = {
        "filter": wanted,
        "tab": ASKED if is_asked else wanted.tab,
        "counts": queue.counts(),
        "venues": Venue.objects.all(),
        "kinds": InstrumentKind.choices,
        "evidences": queue.EVIDENCES,
        "sizes": queue.SIZES,
        "may_edit": may(request.user, Action.REGISTRY_EDIT),
        "may_open": may(request.user, Action.VENUE_VIEW),
        "problem": problem,
        "reason": request.POST.get("reason", ""),
        "checked_at": timezone.now(),
    }
    context |= _requests(request) if is_asked else _lines(request, wanted)
    return render(request, "venues/unmapped.html", context, status=status)


def _lines(request: DeskRequest, wanted: Filter) -> dict[str, Any]:
    found = queue.page(wanted)
    ticked = {one.partition(":")[0] for one in request.POST.getlist("tick")}
    chosen = set(request.POST.getlist("choice"))
    stopped: list[Line] = []
    if wanted.tab == queue.WAITS and not wanted.is_narrow:
        stopped = queue.page(Filter(tab=queue.STOPPED, size=SHOWN_ON_TOP)).lines
    return {
        "lines": [(line, str(line.listing.pk) in ticked) for line in found.lines],
        "chosen": chosen,
        "next_cursor": found.next,
        "stopped": stopped,
    }


def _requests(request: DeskRequest) -> dict[str, Any]:
    """List who asked for what, and what waits for whom."""
    wanted = inbox.Filter(
        tab=inbox.ALL, kind=KIND, state="open", before=request.GET.get("after", "")
    )
    found, following = inbox.page(wanted, by=request.user)
    texts = [(one, one.instruction_texts) for one in found]
    return {
        "requests": [
            (one, said.get("Symbols", ""), said.get("Rests on", ""), progress(one))
            for one, said in texts
        ],
        "next_cursor": following,
    }


def _ticked(posted: QueryDict) -> list[UUID]:
    try:
        found = [UUID(one.partition(":")[0]) for one in posted.getlist("tick")]
    except ValueError as error:
        raise Conflict(BROKEN) from error
    if not found:
        message = "Tick at least one symbol."
        raise Unfounded(message)
    return found


def _wanted(posted: QueryDict) -> list[Wanted]:
    """Read what each ticked symbol is to stand for: as chosen in its row, or else as suggested."""
    ids = _ticked(posted)
    readings = {**_readings(posted.getlist("tick")), **_readings(posted.getlist("choice"))}
    missing = [key for key in ids if key not in readings]
    if missing:
        names = Listing.objects.filter(pk__in=missing).select_related("venue")
        first = ", ".join(str(one) for one in names[:3])
        message = f"Choose first what these stand for ({len(missing)}): {first}."
        raise Unfounded(message)
    return [readings[key] for key in ids]


def _readings(texts: Iterable[str]) -> dict[UUID, Wanted]:
    found = {}
    for text in texts:
        if text.count(":") == 2:  # noqa: PLR2004 -- symbol, base and quote
            try:
                listing_id, base_id, quote_id = (UUID(part) for part in text.split(":"))
            except ValueError as error:
                raise Conflict(BROKEN) from error
            found[listing_id] = Wanted(listing_id=listing_id, base_id=base_id, quote_id=quote_id)
    return found


def _accept(posted: QueryDict, by: User) -> str:
    asked = accept(wanted=_wanted(posted), reason=posted.get("reason", ""), by=by)
    return f"Asked a second person: {asked.title}."


def _set_aside(posted: QueryDict, by: User) -> str:
    rows = set_aside(listing_ids=set(_ticked(posted)), reason=posted.get("reason", ""), by=by)
    return f"Not traded, until they change at the venue: {len(rows)}."


def _take_up(posted: QueryDict, by: User) -> str:
    rows = take_up(listing_ids=set(_ticked(posted)), reason=posted.get("reason", ""), by=by)
    return f"Taken up again: {len(rows)}."


def _resume(posted: QueryDict, by: User) -> str:
    """Ask to let one go on: each is a question of its own."""
    (key, *others) = _ticked(posted)
    if others:
        message = "Each symbol that was stopped is looked at by itself: tick one."
        raise Conflict(message)
    asked = propose_resume(listing_id=key, reason=posted.get("reason", ""), by=by)
    return f"Asked a second person: {asked.title}."


DOES = {"accept": _accept, "set_aside": _set_aside, "take_up": _take_up, "resume": _resume}
BROKEN = "This form is broken. Read the page again."


def _export(wanted: Filter) -> HttpResponse:
    header = [
        *("venue", "symbol", "says_base", "says_quote", "kind", "contract_size", "standing"),
        *("because", "at_stake", "base", "base_id", "quote", "quote_id", "rests_on", "why"),
        *("other_candidates", "warnings", "listed_at_utc", "listing_id"),
    ]
    return csv_response("unmapped-symbols", header, map(_cells, queue.every_line(wanted)))


def _cells(line: Line) -> list[object]:
    one, best = line.listing, line.suggestion.best
    others = [pair.words for pair in line.suggestion.choices if pair != best]
    read: list[object] = [""] * 4
    if best:
        read = [best.base.label, best.base.asset_id, best.quote.label, best.quote.asset_id]
    why = f"{best.base.words} {best.quote.words}" if best else ""
    return [
        *(one.venue.slug, one.symbol, one.said_base, one.said_quote, one.kind, one.contract_size),
        *(one.standing, one.why, "; ".join(line.stakes), *read, line.evidence, why),
        *("; ".join(others), "; ".join(line.suggestion.warnings), one.listed_at, one.pk),
    ]
