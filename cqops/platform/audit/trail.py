"""The log as people read it: filtered by what stands in the URL, paged by key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from cqops.platform.audit import chain
from cqops.platform.audit.models import Entry, Seal

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. `before` is the number of the entry that the next page starts under."""

    kind: str = ""
    subject: str = ""
    person: str = ""
    since: str = ""
    until: str = ""
    door: str = ""
    request: str = ""
    action: str = ""
    before: str = ""

    @property
    def is_narrow(self) -> bool:
        return self != Filter()

    def problems(self) -> list[str]:
        """Say which parts cannot be understood; the list then shows nothing rather than all."""
        found = [
            f"{value} is not a time such as 2026-03-02 or 2026-03-02T14:30."
            for value in (self.since, self.until)
            if value and instant(value) is None
        ]
        if self.before and not self.before.isdigit():
            found.append("This page link is broken. Start again from the first page.")
        return found


def instant(text: str, *, is_end: bool = False) -> datetime | None:
    """Read a day or a time in the person's zone; the end of a range takes in its whole last day."""
    try:
        if day := parse_date(text):
            at = datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
            return at + timedelta(days=1) if is_end else at
        at_time = parse_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at_time is None:
        return None
    return at_time if timezone.is_aware(at_time) else timezone.make_aware(at_time)


def rows(wanted: Filter) -> QuerySet[Entry]:
    """Return every entry that fits, newest first."""
    found = Entry.objects.order_by("-pk")
    if wanted.problems():
        return found.none()
    exact = {
        "subject_kind": wanted.kind,
        "door": wanted.door,
        "request_id": wanted.request,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if wanted.subject:
        found = found.filter(_about(wanted.subject))
    if wanted.person:
        found = found.filter(_by(wanted.person))
    if wanted.action:
        found = found.filter(action__startswith=wanted.action)
    if since := instant(wanted.since):
        found = found.filter(at__gte=since)
    if until := instant(wanted.until, is_end=True):
        found = found.filter(at__lt=until)
    return found


def _by(text: str) -> Q:
    try:
        return Q(who_id=str(UUID(text)))
    except ValueError:
        return Q(who=text)


def _about(text: str) -> Q:
    """Take an id for its object alone, and look for other words in the object's name."""
    try:
        return Q(subject_id=str(UUID(text)))
    except ValueError:
        return Q(subject_id=text) | Q(subject_text__icontains=text)


def page(wanted: Filter, *, size: int = PAGE) -> tuple[list[Entry], str]:
    """Return one page and the cursor of the next, empty at the end."""
    taken = list(from_here_on(wanted)[: size + 1])
    return taken[:size], str(taken[size - 1].pk) if len(taken) > size else ""


def from_here_on(wanted: Filter) -> QuerySet[Entry]:
    """Return every page of the list from the wanted one on, which is what an export holds."""
    found = rows(wanted)
    if wanted.before and not wanted.problems():
        return found.filter(pk__lt=int(wanted.before))
    return found


def seal_of(entry: Entry) -> Seal | None:
    return Seal.objects.filter(entry_id=entry.pk).first()


@dataclass(frozen=True, slots=True)
class Line:
    """One field, as it was and as it became."""

    name: str
    before: Any
    after: Any
    is_changed: bool


def side_by_side(entry: Entry) -> list[Line]:
    before, after = entry.before or {}, entry.after or {}
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [Line("value", before, after, before != after)]
    return [
        Line(name, before.get(name), after.get(name), before.get(name) != after.get(name))
        for name in sorted({*before, *after})
    ]


def is_whole(entry: Entry) -> bool:
    """Tell whether an entry is still what it was when it was written and sealed."""
    found = chain.entry_hash(entry.content())
    seal = seal_of(entry)
    return found == entry.hash and (seal is None or seal.entry_hash == found)


def as_text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
