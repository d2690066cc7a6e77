"""The two moments a page is asked about, as they stand in its address.

People type them in their own zone. The address then holds them in UTC, so that whoever is sent it sees
the same, wherever they sit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from assets.services.resolution import Clocks
from cqops.platform.access.doors import DeskRequest
from cqops.platform.audit.trail import instant

NAMES = ("as_of", "known_at")
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
FIELD = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, slots=True)
class Moments:
    """What the address asks for: each moment, where one is named, and what cannot be read."""

    as_of: datetime | None
    known_at: datetime | None
    problems: tuple[str, ...]

    @property
    def is_now(self) -> bool:
        return self.as_of is None and self.known_at is None and not self.problems

    @property
    def clocks(self) -> Clocks:
        return Clocks.at(self.as_of, self.known_at)

    @property
    def as_of_field(self) -> str:
        return _field(self.as_of)

    @property
    def known_at_field(self) -> str:
        return _field(self.known_at)

    @property
    def query(self) -> str:
        """The part of an address that asks another page about the same moments."""
        named = zip(NAMES, (self.as_of, self.known_at), strict=True)
        found = urlencode({name: in_utc(at) for name, at in named if at is not None})
        return f"?{found}" if found else ""


def moments(request: DeskRequest) -> Moments:
    problems: list[str] = []
    found = [_read(request.GET.get(name, "").strip(), problems) for name in NAMES]
    return Moments(found[0], found[1], tuple(problems))


def with_zone(request: DeskRequest) -> str:
    """Return the address with its moments in UTC, where somebody typed one without a zone."""
    query = request.GET.copy()
    for name in NAMES:
        text = request.GET.get(name, "").strip()
        at = _read(text, [])
        if at is not None and _has_no_zone(text):
            query[name] = in_utc(at)
    return f"{request.path}?{query.urlencode()}" if query != request.GET else ""


def pinned(request: DeskRequest, clocks: Clocks) -> str:
    """Return the address that gives this answer for ever."""
    query = request.GET.copy()
    query["as_of"], query["known_at"] = in_utc(clocks.as_of), in_utc(clocks.known_at)
    return f"{request.path}?{query.urlencode()}"


def in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read(text: str, problems: list[str]) -> datetime | None:
    if not text:
        return None
    at = instant(text)
    if at is None:
        problems.append(f"{text[:40]} is not a time such as 2026-03-02 or 2026-03-02T14:30.")
    elif not FIRST <= at <= LAST:
        problems.append("A moment lies between the years 1970 and 2200.")
        return None
    return at


def _has_no_zone(text: str) -> bool:
    try:
        at = parse_datetime(text)
    except ValueError:
        return False
    return at is None or timezone.is_naive(at)


def _field(at: datetime | None) -> str:
    return "" if at is None else timezone.localtime(at).strftime(FIELD)
