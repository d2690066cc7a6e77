"""Which assets are counted together. Who belongs is one person's to say, who is canonical takes two."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from assets.errors import Conflict, NeedsSecond, Unfounded
from assets.models import AssetGroup, GroupMember
from assets.services.claims import changed, end_claim, recorded, said, telling
from assets.services.guarding import (
    ALWAYS,
    as_content,
    asking,
    carrying_out,
    impact_on,
    moment,
)
from assets.services.holding import demand_edit, held, in_use, locked, next_version, refuse_retired
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.errors import NothingChanges
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.services.powers import latest
from cqops.platform.audit.services import record, record_saved, stored

KIND = "assets.canonical_member"
OF_A_GROUP = ("canonical_symbol", "name", "metadata")
WORDS = {
    "member_of_a_group_once": "It belongs to this group at that time already.",
    "one_canonical_member": "This group has another canonical member at that time.",
    "one_group_for_risk": "Risk counts it in another group at that time. Take it out there first.",
    "one_group_for_pnl": "PnL counts it in another group at that time. Take it out there first.",
}
TAKEN = "There is a group of this symbol already."


@transaction.atomic
def create_group(*, group: AssetGroup, by: User | None = None) -> AssetGroup:
    demand_edit(by)
    group.version = 1
    group.full_clean(validate_constraints=False)
    with telling({"group_symbol_once": TAKEN}):
        group.save(force_insert=True)
    record_saved(kind="group", old=None, new=group, fields=OF_A_GROUP, by=by)
    return group


@transaction.atomic
def save_group(*, group: AssetGroup, reason: str = "", by: User | None = None) -> AssetGroup:
    """Validate and store a new or changed group, from whichever door it came."""
    old = stored(group)
    if old is None:
        return create_group(group=group, by=by)
    demand_edit(by)
    locked(AssetGroup, group.pk, group.version)
    group.full_clean(validate_constraints=False)
    with telling({"group_symbol_once": TAKEN}):
        next_version(group)
    record_saved(kind="group", old=old, new=group, fields=OF_A_GROUP, reason=reason, by=by)
    return group


@transaction.atomic
def add_member(  # noqa: PLR0913 -- a claim is all of this
    *,
    group_id: UUID,
    asset_id: UUID,
    source: str,
    by: User | None,
    is_for_risk: bool = False,
    is_for_pnl: bool = False,
    is_canonical: bool = False,
    valid_from: datetime | None = None,
    reason: str = "",
) -> GroupMember:
    """Count an asset in a group. The canonical one is asked for; it is only seeded like this."""
    demand_edit(by)
    if is_canonical and by is not None:
        message = "Which member is canonical takes two people. Ask for it."
        raise NeedsSecond(message)
    group = _group(group_id)
    asset = in_use(asset_id)
    claim = GroupMember(
        group=group,
        asset=asset,
        is_canonical=is_canonical,
        is_for_risk=is_for_risk,
        is_for_pnl=is_for_pnl,
        valid_from=valid_from,
        source=source,
    )
    with telling(WORDS):
        recorded(claim, by=by)
    record(action="member.recorded", subject=group, after=said(claim), reason=reason, by=by)
    return claim


@transaction.atomic
def count_member(
    *, member: GroupMember, is_for_risk: bool, is_for_pnl: bool, since: datetime, by: User
) -> GroupMember:
    """Choose whether risk and PnL go by this group for the asset, from a moment on."""
    demand_edit(by)
    group = _group(member.group_id)
    in_use(member.asset_id, also_merged=True)
    _refuse_canonical(member)
    before = said(member)
    with telling(WORDS):
        claim = changed(
            member,
            since=since,
            changes={"is_for_risk": is_for_risk, "is_for_pnl": is_for_pnl},
            by=by,
            source=by.name,
        )
    record(action="member.changed", subject=group, before=before, after=said(claim), by=by)
    return claim


@transaction.atomic
def remove_member(
    *, member: GroupMember, at: datetime, reason: str, by: User
) -> GroupMember | None:
    """Count an asset in a group no longer. The canonical member is replaced by two people first."""
    demand_edit(by)
    if not reason.strip():
        message = "Say why it leaves the group: exposure is added up by it."
        raise Unfounded(message)
    group = _group(member.group_id)
    held(member.asset_id)
    _refuse_canonical(member)
    return end_claim(member, action="member.ended", subject=group, at=at, reason=reason, by=by)


def _refuse_canonical(member: GroupMember) -> None:
    if member.is_canonical:
        message = f"{member.asset} is the canonical member: two people replace it first."
        raise NeedsSecond(message)


def canonical(group_id: UUID | str) -> GroupMember | None:
    now = timezone.now()
    members = GroupMember.objects.at(as_of=now, known_at=now).select_related("asset")
    return members.filter(group=group_id, is_canonical=True).first()


@transaction.atomic
def propose_canonical(
    *,
    group_id: UUID,
    asset_id: UUID,
    reason: str,
    by: User,
    since: datetime | None = None,
) -> Request:
    """Ask a second person to agree that a group goes by another member."""
    group = _group(group_id)
    asset = in_use(asset_id)
    member = _member(group, asset.pk)
    there = canonical(group.pk)
    if there is not None and there.pk == member.pk:
        message = f"{asset.label} is the canonical member of {group} already."
        raise NothingChanges(message)
    return asking(
        kind=KIND,
        subject_id=group.pk,
        title=f"{group} goes by {asset.label}",
        instruction={
            "Group": group.name,
            "Symbol": group.canonical_symbol,
            "Becomes canonical": asset.label,
            "Asset id": asset.pk,
            "True since": since or ALWAYS,
            "Because": reason.strip(),
            **_instead(group.pk),
        },
        assets={asset.pk, *([there.asset_id] if there else [])},
        by=by,
        reason=reason,
    )


def _member(group: AssetGroup, asset_id: UUID | str) -> GroupMember:
    now = timezone.now()
    members = GroupMember.objects.at(as_of=now, known_at=now).select_related("asset")
    found: GroupMember | None = members.filter(group=group, asset=asset_id).first()
    if found is None:
        message = f"It does not belong to {group} now. Add it first."
        raise Conflict(message)
    return found


def _instead(group_id: UUID | str) -> Content:
    there = canonical(group_id)
    return {
        "Canonical now": there.asset.label if there else "none",
        "Claim that stands": there.pk if there else None,
    }


def _group(group_id: UUID | str) -> AssetGroup:
    group = locked(AssetGroup, group_id, None)
    refuse_retired(group)
    return group


def instruction_now(group_id: str) -> Content:
    return {**latest(KIND, group_id).instruction_texts, **_instead(group_id)}


def seen_now(group_id: str) -> Content:
    there = canonical(group_id)
    wanted = UUID(latest(KIND, group_id).instruction_texts["Asset id"])
    return as_content(impact_on({wanted, *([there.asset_id] if there else [])}))


@transaction.atomic
def settle(request: Request) -> None:
    """Let the group go by the member that was agreed to; anything else leaves it as it is."""
    rows = request.instruction_texts
    group = locked(AssetGroup, request.subject_id, None)
    carrying_out(
        request,
        instruction={**rows, **_instead(group.pk)},
        act=lambda: _act(group, request, rows),
    )


def _act(group: AssetGroup, request: Request, rows: dict[str, str]) -> None:
    by = request.requested_by
    demand_edit(by)
    since = moment(rows["True since"])
    there = canonical(group.pk)
    member = _member(group, in_use(rows["Asset id"]).pk)

    def turned(row: GroupMember, *, is_canonical: bool) -> GroupMember:
        return changed(
            row,
            since=since,
            changes={"is_canonical": is_canonical},
            by=by,
            source=by.name,
            approval=request.pk,
        )

    with telling(WORDS):
        if there is not None:
            turned(there, is_canonical=False)
        claim = turned(member, is_canonical=True)
    record(
        action="member.canonical",
        subject=group,
        before={"canonical": there.asset.label} if there else None,
        after={"canonical": claim.asset.label, "since": since},
        reason=rows["Because"],
        decision_id=str(request.pk),
        by=by,
    )


def page_of(group_id: str) -> str:
    return reverse("admin:assets_assetgroup_change", args=[group_id])


canonical_kind = Kind(
    label="Canonical member of a group",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
