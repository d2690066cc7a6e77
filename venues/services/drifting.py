"""Drift reports: what a venue wrote that we have no meaning for, told once a kind.

An adapter that meets one only counts it here, in memory: neither a parse nor a transaction ever waits for
the database or fails for it. A thread writes, and while the database is away the counts wait.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record
from cqops.platform.telemetry import ops
from cqops.platform.telemetry.notes import Severity
from venues.adapters.contract import UNKNOWN_FIELD
from venues.adapters.registry import ADAPTERS
from venues.models import DriftReport, Venue
from venues.transport.redact import redact_text

log = logging.getLogger(__name__)
# Beyond this many kinds at once a venue has changed its whole language; the first ones say so.
MOST_KINDS = 500
_NUMBER = re.compile(r"\d+")
_PLACE = re.compile(r" - at `([^`]*)`")


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes two sightings the same: numbers and positions do not."""

    venue: str
    place: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    sample: str
    version: str
    first: datetime
    last: datetime
    count: int = 1


class Drift:
    """What this process met and has not written down yet."""

    def __init__(self, *, clock: Callable[[], datetime] = timezone.now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._met: dict[Kind, Sighting] = {}

    def listener(self, venue: str, adapter: str, where: str) -> Callable[[str, str], None]:
        """Return what a client of this venue is given as `on_drift`."""
        return partial(self._meet, venue, version_of(adapter), where)

    def _meet(self, venue: str, version: str, where: str, kind: str, detail: str) -> None:
        try:
            met = kind_of(venue=venue, where=where, kind=kind, detail=detail)
            now = self._clock()
            with self._lock:
                before = self._met.get(met)
                if before is not None:
                    self._met[met] = replace(before, last=now, count=before.count + 1)
                elif len(self._met) < MOST_KINDS:
                    sample = _clean(detail, 500)
                    self._met[met] = Sighting(sample=sample, version=version, first=now, last=now)
        except Exception:  # telling of it must never break the parse that met it
            log.exception("drift at %s was not taken", venue)

    def write_out(self) -> int:
        """Write what was met; what cannot be written now waits and goes on counting."""
        with self._lock:
            met, self._met = self._met, {}
        written = 0
        for kind, sighting in met.items():
            try:
                write_down(kind, sighting)
                written += 1
            except DatabaseError as error:
                log.warning("drift reports wait: %s", error)
                self._put_back(kind, sighting)
        return written

    def end(self) -> None:
        self.write_out()

    def _put_back(self, kind: Kind, older: Sighting) -> None:
        with self._lock:
            newer = self._met.get(kind)
            if newer is not None:
                older = replace(newer, first=older.first, count=older.count + newer.count)
            self._met[kind] = older


def kind_of(*, venue: str, where: str, kind: str, detail: str) -> Kind:
    """Name the place where the message names one, else who was listening; leave numbers out."""
    found = _PLACE.search(detail)
    place = f"{where} {found[1]}" if found else where
    # A member is one report whatever is in it; a word is one report a word.
    value = _PLACE.sub("", detail if kind != UNKNOWN_FIELD else detail.partition(" = ")[0])
    return Kind(
        venue,
        _clean(_NUMBER.sub("#", place), 100),
        _clean(kind, 60),
        _clean(_NUMBER.sub("#", value), 200),
    )


def write_down(kind: Kind, sighting: Sighting) -> None:
    """Count one more, or open a report and tell of it; what is known and comes changed is told again."""
    report, news = _counted(kind, sighting)
    if report is None or not news:
        return
    words = f"{report.venue} wrote something unknown, which {news}: {report.kind}, {report.value}"
    labels = {"venue": report.venue.slug, "place": report.place, "kind": report.kind}
    ops.tell("venue.drift", words, severity=Severity.ATTENTION, labels=labels)


@transaction.atomic
def _counted(kind: Kind, sighting: Sighting) -> tuple[DriftReport | None, str]:
    venue = Venue.objects.filter(slug=kind.venue).first()
    if venue is None:
        return None, ""
    key = {"venue": venue, "place": kind.place, "kind": kind.kind, "value": kind.value}
    report, is_new = DriftReport.objects.select_for_update().get_or_create(
        **key,
        defaults={
            "sample": sighting.sample,
            "first_seen": sighting.first,
            "last_seen": sighting.last,
            "count": sighting.count,
            "version": sighting.version,
        },
    )
    if is_new:
        return report, _news(report)
    is_changed = report.is_known and report.version != sighting.version
    DriftReport.objects.filter(pk=report.pk).update(
        last_seen=max(report.last_seen, sighting.last),
        count=F("count") + sighting.count,
        version=sighting.version,
        sample=sighting.sample,
        **({"is_known": False} if is_changed else {}),
    )
    if not is_changed:
        return report, ""
    record(
        action="drift.back",
        subject=report,
        before={"is_known": True, "version": report.version},
        after={"is_known": False, "version": sighting.version},
        reason="It was marked as known, and another version of the adapter meets it.",
    )
    return report, "was known, and comes back under another version of the adapter"


def _news(report: DriftReport) -> str:
    is_beside_known = (
        DriftReport.objects.filter(
            venue=report.venue, place=report.place, kind=report.kind, is_known=True
        )
        .exclude(pk=report.pk)
        .exists()
    )
    return "is new, and differs from one that is known" if is_beside_known else "is new"


@transaction.atomic
def mark_known(*, report: DriftReport, note: str, by: User) -> DriftReport:
    """Say that a kind of drift was looked at and does no harm; it needs a reason."""
    report = DriftReport.objects.select_for_update().select_related("venue").get(pk=report.pk)
    demand(by, Action.VENUE_NOTE, report)
    before = {"is_known": report.is_known, "note": report.note}
    report.is_known, report.note = True, note.strip()[:300]
    report.known_by, report.known_at = by, timezone.now()
    report.save(update_fields=["is_known", "note", "known_by", "known_at"])
    record(
        action="drift.known",
        subject=report,
        before=before,
        after={"is_known": True, "note": report.note},
        reason=report.note,
        by=by,
    )
    return report


@cache
def version_of(adapter: str) -> str:
    """Name the adapter's code by what it says: a change of it is another version."""
    module = inspect.getmodule(ADAPTERS[adapter].build) if adapter in ADAPTERS else None
    folder = Path(module.__file__).parent if module and module.__file__ else None
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")) if folder else ():
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return f"{adapter[:27]} {digest.hexdigest()[:12]}"


def _clean(text: str, size: int) -> str:
    return redact_text(text).replace("\x00", "").encode("utf-8", "replace").decode()[:size]


@cache
def drift() -> Drift:
    """Return the drift of this process."""
    return Drift()
