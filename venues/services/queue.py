"""The symbols that wait for somebody to say what they stand for: what the desk has at stake comes first.

Pages go by key over the order they are worked in: what changed, what is at stake, then venue by venue. What
a symbol may stand for is no column, so a filter by its evidence reads on until a page is full, within bounds.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from cqops.platform.approvals.states import OPEN
from venues.models import InstrumentKind, Listing, Standing
from venues.services.interest import Stakes, stakes
from venues.services.suggesting import suggestions_for
from venues.suggestions import Evidence, Suggestion

WAITS, STOPPED, NOT_TRADED = "waits", "stopped", "not_traded"
TABS = (WAITS, STOPPED, NOT_TRADED)
UNSURE = "unsure"
EVIDENCES = (*(one for one in Evidence if one is not Evidence.DOCUMENT), UNSURE)
SIZES = (50, 100, 300)
CHUNK, MOST_READ = 500, 3000
CHANGED, AT_STAKE, REST = range(3)


class BadCursor(ValueError):
    """The cursor is not one of ours."""

    def __init__(self) -> None:
        super().__init__("This page link is broken. Start again from the first page.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. `after` is the cursor of the next page."""

    tab: str = WAITS
    venue: str = ""
    kind: str = ""
    evidence: str = ""
    text: str = ""
    after: str = ""
    size: int = SIZES[0]

    @property
    def is_narrow(self) -> bool:
        return any((self.venue, self.kind, self.evidence, self.text, self.after))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One symbol that waits: what the venue says, what it may stand for, and why it matters."""

    listing: Listing
    suggestion: Suggestion
    stakes: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """Say what the one reading rests on; unsure, where there is none that nothing speaks against."""
        best = self.suggestion.best
        return best.evidence.value if best else UNSURE


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[Line]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many wait, are stopped, wait for a second person, and are not traded."""

    waits: int
    stopped: int
    asked: int
    not_traded: int


def waiting() -> QuerySet[Listing]:
    """Those that stand for nothing yet, and that nobody asks about; also of venues still switched off."""
    return Listing.objects.listed().filter(standing=Standing.UNMAPPED)


def rows(wanted: Filter, at_stake: Stakes) -> QuerySet[Listing]:
    """Return every symbol that fits, in the order they are worked in; evidence is not looked at."""
    found = _of_tab(wanted.tab)
    if wanted.venue:
        found = found.filter(venue__slug=wanted.venue)
    if wanted.kind in set(InstrumentKind.values):
        found = found.filter(kind=wanted.kind)
    if wanted.text:
        text = wanted.text
        found = found.filter(
            Q(symbol__icontains=text) | Q(said_base__iexact=text) | Q(said_quote__iexact=text)
        )
    first = Case(
        When(~Q(why="") & Q(standing=Standing.UNMAPPED), then=Value(CHANGED)),
        When(at_stake.condition, then=Value(AT_STAKE)),
        default=Value(REST),
        output_field=IntegerField(),
    )
    return (
        found.annotate(first=first, place=F("venue__name"))
        .select_related("venue", "request__requested_by")
        .order_by("first", "place", "symbol", "pk")
    )


def page(wanted: Filter) -> Page:
    """Return one page of lines, and the cursor of the next."""
    shown: list[Line] = []
    after, is_more = wanted.after, True
    read = 0
    # Without a filter by evidence one chunk is the page.
    step = CHUNK if wanted.evidence else wanted.size
    at_stake = stakes()
    while is_more and len(shown) < wanted.size and read < MOST_READ:
        chunk, is_more = _chunk(replace(wanted, after=after), at_stake, step)
        for line in lines_of(chunk, at_stake):
            after = cursor_of(line.listing)
            if not wanted.evidence or line.evidence == wanted.evidence:
                shown.append(line)
            if len(shown) == wanted.size:
                is_more = is_more or line.listing != chunk[-1]
                break
        read += len(chunk)
    return Page(shown, after if is_more else "")


def every_line(wanted: Filter) -> Iterator[Line]:
    """Give all that fits, chunk by chunk, for a download of exactly what the list shows."""
    at_stake, after, is_more = stakes(), "", True
    while is_more:
        chunk, is_more = _chunk(replace(wanted, after=after), at_stake, CHUNK)
        for line in lines_of(chunk, at_stake):
            after = cursor_of(line.listing)
            if not wanted.evidence or line.evidence == wanted.evidence:
                yield line


def lines_of(listings: list[Listing], at_stake: Stakes) -> list[Line]:
    found = suggestions_for(listings)
    return [
        Line(listing=one, suggestion=found[one.pk], stakes=at_stake.words(one)) for one in listings
    ]


def counts() -> Counts:
    return Counts(
        waits=waiting().count(),
        stopped=_of_tab(STOPPED).count(),
        asked=Listing.objects.listed().filter(request__state__in=OPEN).count(),
        not_traded=_of_tab(NOT_TRADED).count(),
    )


def _of_tab(tab: str) -> QuerySet[Listing]:
    if tab == STOPPED:
        return Listing.objects.listed().filter(standing=Standing.SUSPENDED)
    if tab == NOT_TRADED:
        return Listing.objects.listed().filter(standing=Standing.NOT_TRADED)
    return waiting()


def _chunk(wanted: Filter, at_stake: Stakes, size: int) -> tuple[list[Listing], bool]:
    found = rows(wanted, at_stake)
    if wanted.after:
        first, place, symbol, key = _read(wanted.after)
        found = found.filter(
            Q(first__gt=first)
            | Q(first=first, place__gt=place)
            | Q(first=first, place=place, symbol__gt=symbol)
            | Q(first=first, place=place, symbol=symbol, pk__gt=key)
        )
    taken = list(found[: size + 1])
    return taken[:size], len(taken) > size


def cursor_of(row: Listing) -> str:
    parts = (row.first, row.venue.name, row.symbol, str(row.pk))  # type: ignore[attr-defined]
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def _read(text: str) -> tuple[int, str, str, UUID]:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        first, place, symbol, key = msgspec.json.decode(raw, type=tuple[int, str, str, str])
        if not 0 <= first <= REST or "\x00" in place + symbol:
            raise BadCursor
        return first, place, symbol, UUID(key)
    except (UnicodeError, binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise BadCursor from error
