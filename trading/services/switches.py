"""Whether trading is on: the strictest switch that applies to an order decides.

Stopping takes one person and is done here; whatever loosens waits for a second one (`switching`).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from assets.models import Asset
from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
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


class NeedsSecond(Exception):
    """Trading goes on again only when a second person agrees. Ask for it."""


def is_looser(there: str, *, than: str) -> bool:
    order = [mode.value for mode in STRICTEST_FIRST]
    return order.index(there) > order.index(than)


def present_mode(*, scope: SwitchScope, subject_id: UUID | None) -> SwitchMode:
    """Say how a switch stands. One that was never set stops nothing, and for the desk everything."""
    found = TradingSwitch.objects.filter(scope=scope, subject_id=subject_id).first()
    if found is not None:
        return SwitchMode(found.mode)
    return SwitchMode.OFF if scope == SwitchScope.DESK else SwitchMode.ON


@transaction.atomic
def set_mode(
    *, scope: SwitchScope, subject_id: UUID | None, mode: SwitchMode, reason: str, by: User
) -> TradingSwitch:
    """Set one switch as strict as it is or stricter, for every order not yet sent."""
    demand(by, Action.SWITCH_STOP, {})
    switch = hold(scope=scope, subject_id=subject_id)
    if is_looser(mode, than=switch.mode):
        raise NeedsSecond
    return write(switch, mode=mode, reason=reason, by=by)


def hold(*, scope: SwitchScope, subject_id: UUID | None) -> TradingSwitch:
    """Hold the row of a switch until commit; one that was never set gets its row as it stood."""
    switch, _ = TradingSwitch.objects.select_for_update(of=("self",)).get_or_create(
        scope=scope,
        subject_id=subject_id,
        defaults={"mode": present_mode(scope=scope, subject_id=subject_id)},
    )
    return switch


def write(
    switch: TradingSwitch,
    *,
    mode: SwitchMode,
    reason: str,
    by: User | None,
    approval: UUID | None = None,
) -> TradingSwitch:
    """Store the mode of a locked switch; the database asks for the approval behind a looser one."""
    before = {"mode": switch.mode, "reason": switch.reason}
    switch.mode = mode
    switch.reason = reason
    switch.changed_by = by
    switch.approval_id = approval
    switch.full_clean()
    switch.save()
    record(
        action="switch.set",
        subject=switch,
        before=before,
        after={"mode": switch.mode, "reason": switch.reason},
        reason=reason,
        decision_id=str(approval or ""),
        by=by,
    )
    return switch


def seed_mode(*, mode: SwitchMode) -> TradingSwitch:
    """Set the desk's switch where nobody is asked: the demo desk, benchmarks, tests."""
    with seeding():
        switch = hold(scope=SwitchScope.DESK, subject_id=None)
        return write(switch, mode=mode, reason="", by=None)
