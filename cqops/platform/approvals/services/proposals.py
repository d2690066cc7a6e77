"""Changes of the powers themselves: rules, groups and stand-ins wait for a second person.

What is proposed is shown line by line as `before → after`. When the row changed in the meantime, a line
reads otherwise, the hash differs, and the approval is void.
"""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.drafts import Draft, GroupDraft, RuleDraft, StandInDraft
from cqops.platform.approvals.errors import NotReleased, Refused
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import (
    Group,
    Membership,
    Proposal,
    Request,
    Rule,
    RuleNeed,
    StandIn,
)
from cqops.platform.approvals.rules import Facts
from cqops.platform.approvals.services import rulebook
from cqops.platform.approvals.services.requests import ask, release
from cqops.platform.approvals.states import State
from cqops.platform.audit.services import record

RULES, STAND_INS = "approvals.rule", "approvals.stand_in"
What = Proposal.What


class Impossible(Refused):
    """Nobody could ever meet this rule."""


class NothingChanges(Refused):
    """It is like this already."""


def propose_rule(*, draft: RuleDraft, by: User, rule_id: UUID | None = None) -> Request:
    """Ask a second person to agree to a new or changed rule that somebody could meet."""
    if draft.is_enabled:
        words = rulebook.impossible(draft.quorum(), kind=draft.kind, at=timezone.now())
        if words:
            raise Impossible(words)
    return _propose(What.RULE, draft, target=rule_id, by=by)


def propose_group(*, draft: GroupDraft, by: User, group_id: UUID | None = None) -> Request:
    return _propose(What.GROUP, draft, target=group_id, by=by)


def propose_stand_in(*, draft: StandInDraft, by: User) -> Request:
    """Name somebody who takes an absent person's seat for some days."""
    if draft.absent == draft.stand_in or draft.ends_at <= draft.starts_at:
        message = "A stand-in is somebody else, and ends after it starts."
        raise Refused(message)
    return _propose(What.STAND_IN, draft, target=None, by=by)


@transaction.atomic
def _propose(what: Proposal.What, draft: Draft, *, target: UUID | None, by: User) -> Request:
    proposal = Proposal.objects.create(
        what=what,
        target_id=target or uuid.uuid4(),
        content=draft.as_json(),
        proposed_by=by,
        proposed_at=timezone.now(),
    )
    before = _as_it_is(proposal)
    if before is not None and before.lines() == draft.lines():
        message = "Nothing would change."
        raise NothingChanges(message)
    name = next(iter(draft.lines().values()))
    verb = "New" if before is None else "Change"
    return ask(
        kind=STAND_INS if what is What.STAND_IN else RULES,
        subject_kind="approvals.proposal",
        subject_id=proposal.pk,
        instruction=instruction_of(proposal),
        snapshot={},
        requested_by=by,
        facts=Facts(),
        title=f"{verb} {what.label.lower()}: {name}",
    )


def draft_of(proposal: Proposal) -> Draft:
    reader: type[Draft] = _DRAFTS[Proposal.What(proposal.what)]
    return reader.from_json(proposal.content)


_DRAFTS: dict[Proposal.What, type[Draft]] = {
    What.RULE: RuleDraft,
    What.GROUP: GroupDraft,
    What.STAND_IN: StandInDraft,
}


def _as_it_is(proposal: Proposal) -> Draft | None:
    """Read the row that would change, as it is now; nothing for a new one."""
    match Proposal.What(proposal.what):
        case What.RULE:
            rule = Rule.objects.filter(pk=proposal.target_id).first()
            return None if rule is None else RuleDraft.of(rule)
        case What.GROUP:
            group = Group.objects.filter(pk=proposal.target_id).first()
            return None if group is None else GroupDraft.of(group)
        case What.STAND_IN:
            row = StandIn.objects.filter(pk=proposal.target_id).first()
            return None if row is None else StandInDraft.of(row)
        case What.ROLE:
            return None  # a grant is given or taken, never changed: see roles.py


def instruction_of(proposal: Proposal) -> Content:
    """Show each line as it is and as it shall be."""
    before = _as_it_is(proposal)
    after = draft_of(proposal).lines()
    if before is None:
        return dict(after)
    was = before.lines()
    return {
        label: text if was[label] == text else f"{was[label]} → {text}"
        for label, text in after.items()
    }


def instruction_now(proposal_id: str) -> Content:
    return instruction_of(Proposal.objects.get(pk=proposal_id))


@transaction.atomic
def settle(request: Request) -> None:
    """Carry an approved change out, once; anything else leaves everything as it is."""
    if request.state != State.APPROVED:
        return
    proposal = Proposal.objects.select_for_update().get(pk=request.subject_id)
    if proposal.applied_at is not None:
        return
    before = _as_it_is(proposal)
    try:
        release(request_id=request.pk, instruction=instruction_of(proposal))
    except NotReleased:
        return  # it ended meanwhile, or the row changed: the request says which
    draft = draft_of(proposal)
    _apply(proposal, draft, request)
    proposal.applied_at = timezone.now()
    proposal.save(update_fields=["applied_at"])
    record(
        action=f"approval_{proposal.what}.{'created' if before is None else 'changed'}",
        subject_kind=f"approvals.{proposal.what}",
        subject_id=str(proposal.target_id),
        before=None if before is None else before.lines(),
        after=draft.lines(),
        decision_id=str(request.pk),
        by=request.requested_by,
    )


def _apply(proposal: Proposal, draft: Draft, request: Request) -> None:
    match draft:
        case RuleDraft():
            _apply_rule(proposal.target_id, draft)
        case GroupDraft():
            _apply_group(proposal.target_id, draft)
        case StandInDraft():
            _apply_stand_in(proposal.target_id, draft, request)


def _apply_rule(rule_id: UUID, draft: RuleDraft) -> None:
    values = {name: value for name, value in draft.as_json().items() if name != "needs"}
    values["notional_from"] = draft.notional_from
    rule, _ = Rule.objects.update_or_create(pk=rule_id, defaults=values)
    rule.needs.all().delete()
    for group, quorum in draft.needs:
        RuleNeed.objects.create(rule=rule, group_id=group, quorum=quorum)


def _apply_group(group_id: UUID, draft: GroupDraft) -> None:
    group, _ = Group.objects.update_or_create(
        pk=group_id, defaults={"name": draft.name, "role": draft.role}
    )
    group.memberships.exclude(person_id__in=draft.people).delete()
    for person in draft.people:
        Membership.objects.get_or_create(group=group, person_id=person)


def _apply_stand_in(row_id: UUID, draft: StandInDraft, request: Request) -> None:
    accepted = request.decisions.order_by("at").last()
    assert accepted is not None  # noqa: S101 -- the database lets no request be approved by nobody
    StandIn.objects.create(
        pk=row_id,
        absent_id=draft.absent,
        stand_in_id=draft.stand_in,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        named_by=request.requested_by,
        accepted_by=accepted.by,
        accepted_at=accepted.at,
    )


def page_of(proposal_id: str) -> str:
    proposal = Proposal.objects.get(pk=proposal_id)
    model = {What.RULE: "rule", What.GROUP: "group", What.STAND_IN: "standin"}[What(proposal.what)]
    return reverse(f"admin:approvals_{model}_changelist")


rule_kind = Kind(
    label="Change of an approval rule",
    asks=Action.RULE_EDIT,
    decides=Action.RULE_APPROVE,
    settle=settle,
    instruction=instruction_now,
    page=page_of,
)
stand_in_kind = Kind(
    label="Stand-in",
    asks=Action.APPROVAL_DECIDE,
    decides=Action.ROLE_APPROVE,
    settle=settle,
    instruction=instruction_now,
    page=page_of,
)
