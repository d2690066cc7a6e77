"""Lists of findings: filtered by what stands in the URL, the newest first, paged by key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from assets.models import Asset, Finding, FindingKind, FindingState
from assets.services import pages
from assets.services.findings import assets_of

PAGE = 50
NAMED = 4
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. Without a state: what nobody has decided about."""

    state: str = ""
    kind: str = ""
    text: str = ""
    asset: UUID | None = None

    @property
    def is_narrow(self) -> bool:
        return any((self.state, self.kind, self.text, self.asset))


@dataclass(frozen=True, slots=True)
class Named:
    """A finding with the first of its assets, and how many more there are."""

    finding: Finding
    assets: list[Asset]
    more: int


def rows(wanted: Filter) -> QuerySet[Finding]:
    found = Finding.objects.select_related("dismissed_by")
    if wanted.state in set(FindingState):
        found = found.filter(state=wanted.state)
    elif wanted.state != ALL:
        found = found.filter(state=FindingState.OPEN)
    if wanted.kind in set(FindingKind):
        found = found.filter(kind=wanted.kind)
    if wanted.text:
        found = found.filter(key__icontains=wanted.text.replace("\x00", ""))
    if wanted.asset is not None:
        found = found.filter(assets__contains=[wanted.asset])
    return found


def page(wanted: Filter, *, after: str) -> pages.Page[Finding]:
    return pages.page(rows(wanted), by="-opened_at", after=after, limit=PAGE)


def count(wanted: Filter) -> pages.Total:
    return pages.total(rows(wanted), exact=False)


def named(findings: list[Finding]) -> list[Named]:
    """Read the names of what a page shows at once."""
    known = assets_of(findings)
    found = []
    for one in findings:
        assets = [known[key] for key in one.assets if key in known]
        found.append(Named(one, assets[:NAMED], max(0, len(assets) - NAMED)))
    return found
