from __future__ import annotations

from django.urls import reverse

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.events.models import Event
from cqops.platform.overview import OverviewRow, Severity


def rows(user: User) -> list[OverviewRow]:
    """Name events that nobody outside will hear of before somebody acts."""
    if not may(user, Action.AUDIT_VIEW):
        return []
    dead = Event.objects.filter(published_at=None, is_dead=True)
    worst = dead.first()
    if worst is None:
        return []
    return [
        OverviewRow(
            title="Events that could not be published",
            detail=f"Programs outside do not hear of them. The first says: {worst.error} "
            "Once that is mended: manage.py events redrive.",
            url=reverse("statusz"),
            severity=Severity.ATTENTION,
            count=dead.count(),
        )
    ]
