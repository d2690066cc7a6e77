"""Whether trading is on: the strictest switch that applies to an order decides."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from assets.models import Asset
from cqops.platform.access.models import User
from cqops.platform.audit.services import record
from trading.models import SwitchMode, SwitchScope, TradingSwitch
from venues.models import Account

STRICTEST_FIRST = [SwitchMode.OFF, SwitchMode.REDUCE_ONLY, SwitchMode.ON]


@dataclass(frozen=True, slots=True)
class Position:
    """Which switch decides, and how."""

    mode: SwitchMode
    words: str


def in_force(*, account: Account, asset: Asset, consumer_id: UUID, lock: bool = False) -> Position:
    """Read the switches of desk, venue, account, asset and consumer; `lock` holds them until commit."""
    switches = TradingSwitch.objects.filter(
        Q(scope=SwitchScope.DESK)
        | Q(scope=SwitchScope.VENUE, subject_id=account.venue_id)
        | Q(scope=SwitchScope.ACCOUNT, subject_id=account.pk)
        | Q(scope=SwitchScope.ASSET, subject_id=asset.pk)
        | Q(scope=SwitchScope.CONSUMER, subject_id=consumer_id)
    )
    if lock:
        switches = switches.select_for_update()
    found = sorted(switches, key=lambda switch: STRICTEST_FIRST.index(SwitchMode(switch.mode)))
    if not found:
        return Position(SwitchMode.OFF, "No trading switch exists yet, so trading is off.")
    strictest = found[0]
    reason = f": {strictest.reason}" if strictest.reason else ""
    return Position(SwitchMode(strictest.mode), f"{strictest}{reason}")


@transaction.atomic
def set_mode(
    *, scope: SwitchScope, subject_id: UUID | None, mode: SwitchMode, reason: str, by: User | None
) -> TradingSwitch:
    """Set one switch; it takes effect for every order not yet sent."""
    switch, is_new = TradingSwitch.objects.select_for_update().get_or_create(
        scope=scope, subject_id=subject_id
    )
    before = None if is_new else {"mode": switch.mode, "reason": switch.reason}
    switch.mode = mode
    switch.reason = reason
    switch.changed_by = by
    switch.full_clean()
    switch.save()
    record(
        action="switch.set",
        subject=switch,
        before=before,
        after={"mode": switch.mode, "reason": switch.reason},
        reason=reason,
        by=by,
    )
    return switch
