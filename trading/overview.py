from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.overview import OverviewRow, Severity
from trading.models import SwitchMode, TradingSwitch
from trading.services.blotter import visible
from trading.states import AT_THE_VENUE, State

CANCEL_OVERDUE = timedelta(seconds=30)
LATELY = timedelta(hours=24)


def rows(user: User) -> list[OverviewRow]:
    """Name orders that need a person, and switches that are not on."""
    if not may(user, Action.ORDER_VIEW):
        return []
    now = timezone.now()
    blotter = reverse("blotter")
    seen = visible(user)
    doubt = seen.filter(state=State.IN_DOUBT).count()
    stuck = seen.filter(
        state__in=AT_THE_VENUE, is_cancel_requested=True, updated_at__lt=now - CANCEL_OVERDUE
    ).count()
    unsent = seen.filter(
        state__in=[State.UNSENT, State.REJECTED, State.DENIED, State.VOIDED],
        placed_by=user,
        placed_at__gt=now - LATELY,
    ).count()
    found = [
        OverviewRow(
            title="Orders in doubt",
            detail="The venue has not confirmed them. Nothing is sent again while it is being asked.",
            url=f"{blotter}?state={State.IN_DOUBT}",
            severity=Severity.URGENT,
            count=doubt,
        ),
        OverviewRow(
            title="Cancels without an answer",
            detail="Asked for more than 30 s ago; they are being sent again.",
            url=f"{blotter}?state=open",
            severity=Severity.URGENT,
            count=stuck,
        ),
        OverviewRow(
            title="Your orders that did not go through today",
            detail="Refused by the venue or a second person, or never sent. Each says why.",
            url=f"{blotter}?state=failed",
            severity=Severity.INFO,
            count=unsent,
        ),
    ]
    return [row for row in found if row.count] + _switches()


def _switches() -> list[OverviewRow]:
    return [
        OverviewRow(
            title=f"Trading is {switch.get_mode_display().lower()}: {switch.get_scope_display()}",
            detail=switch.reason or "No reason was given.",
            url=reverse("admin:trading_tradingswitch_changelist"),
            severity=Severity.ATTENTION,
        )
        for switch in TradingSwitch.objects.exclude(mode=SwitchMode.ON)
    ]
