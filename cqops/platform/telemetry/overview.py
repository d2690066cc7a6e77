from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.overview import OverviewRow, Severity
from cqops.platform.telemetry.models import OpsEvent

LATELY = timedelta(hours=1)


def rows(user: User) -> list[OverviewRow]:
    """Point at what was urgent lately, also when it has passed meanwhile."""
    if not may(user, Action.OPS_VIEW):
        return []
    now = timezone.now()
    urgent = OpsEvent.objects.filter(severity=Severity.URGENT, at__gt=now - LATELY)
    newest = urgent.first()
    if newest is None:
        return []
    return [
        OverviewRow(
            title="Urgent events of the last hour",
            detail=f"The newest: {newest.words}",
            url=f"{reverse('operations')}?severity={Severity.URGENT}",
            severity=Severity.ATTENTION,
            count=urgent.count(),
            checked_at=now,
        )
    ]
