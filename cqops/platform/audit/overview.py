from __future__ import annotations

from django.urls import reverse

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.audit import proof
from cqops.platform.audit.models import Review
from cqops.platform.overview import OverviewRow, Severity


def rows(user: User) -> list[OverviewRow]:
    """Say at once when the last verification found that somebody changed the log."""
    last = proof.last(Review.Kind.VERIFIED) if may(user, Action.AUDIT_VIEW) else None
    if last is None or last.is_good:
        return []
    return [
        OverviewRow(
            title="The audit log was tampered with",
            detail=last.words,
            url=reverse("audit"),
            severity=Severity.URGENT,
            checked_at=last.at,
        )
    ]
