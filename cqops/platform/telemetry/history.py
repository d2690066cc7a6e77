"""Ops events as people read them: filtered by what stands in the URL, paged by key."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import QuerySet

from cqops.platform.audit.trail import instant
from cqops.platform.telemetry.models import OpsEvent
from cqops.platform.telemetry.notes import Severity

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. `before` is the number of the event that the next page starts under."""

    severity: str = ""
    kind: str = ""
    process: str = ""
    since: str = ""
    until: str = ""
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
        if self.severity and self.severity not in list(Severity):
            found.append(f"{self.severity} is no severity: {', '.join(Severity)}.")
        if self.before and not (self.before.isascii() and self.before.isdigit()):
            found.append("This page link is broken. Start again from the first page.")
        return found


def rows(wanted: Filter) -> QuerySet[OpsEvent]:
    """Return every event that fits, newest first."""
    found = OpsEvent.objects.order_by("-pk")
    if wanted.problems():
        return found.none()
    exact = {"severity": wanted.severity, "process": wanted.process}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if wanted.kind:
        found = found.filter(kind__startswith=wanted.kind)
    if since := instant(wanted.since):
        found = found.filter(at__gte=since)
    if until := instant(wanted.until, is_end=True):
        found = found.filter(since__lt=until)
    return found


def page(wanted: Filter, *, size: int = PAGE) -> tuple[list[OpsEvent], str]:
    """Return one page and the cursor of the next, empty at the end."""
    found = rows(wanted)
    if wanted.before and not wanted.problems():
        found = found.filter(pk__lt=int(wanted.before))
    taken = list(found[: size + 1])
    return taken[:size], str(taken[size - 1].pk) if len(taken) > size else ""


def all_of(wanted: Filter) -> QuerySet[OpsEvent]:
    """Return what an export of this list holds: every page of it."""
    return rows(replace(wanted, before=""))


def labels_of(event: OpsEvent) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(event.labels.items()))
