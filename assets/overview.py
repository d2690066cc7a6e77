from __future__ import annotations

from django.urls import reverse

from assets.models import FindingKind
from assets.services.findings import counts
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.overview import OverviewRow, Severity

# Two that share an address or its ends are seldom a coincidence; two of one ticker often are.
_GRAVE = (FindingKind.ADDRESS, FindingKind.NEAR)


def rows(user: User) -> list[OverviewRow]:
    """Name what the scan found for whoever may decide about it."""
    if not may(user, Action.REGISTRY_EDIT):
        return []
    found = counts()
    count = sum(found.values())
    if not count:
        return []
    grave = sum(found[kind] for kind in _GRAVE)
    told = f"{grave} of them by an address." if grave else "None of them by an address."
    return [
        OverviewRow(
            title="Assets that may be one thing twice, or pose as another",
            detail=f"The scan found them, and nobody has decided yet. {told}",
            url=reverse("findings"),
            severity=Severity.ATTENTION if grave else Severity.INFO,
            count=count,
        )
    ]
