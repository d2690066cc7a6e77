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
from cqops.platform.approvals.errors import Impossible, NothingChanges, Refused
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
from cqops.platform.approvals.rules import NO_FACT, Facts
from cqops.platform.approvals.services import rulebook
from cqops.platform.approvals.services.powers import carry_out, refuse_alone
from cqops.platform.approvals.services.requests import ask
from cqops.platform.approvals.services.stand_ins import overlap
from cqops.platform.audit.services import record

RULES, STAND_INS = "approvals.rule", "approvals.stand_in"
What = Proposal.What


def propose_rule(*, draft: RuleDraft, by: User, rule_id: UUID | None = None) -> Request:
    """Ask a second person to agree to a new or changed rule that somebody could meet."""
    _refuse_impossible(draft)
    return _propose(What.RULE, draft, target=rule_id, by=by)


def propose_group(*, draft: GroupDraft, by: User, group_id: UUID | None = None) -> Request:
    return _propose(What.GROUP, draft, target=group_id, by=by)


def propose_stand_in(*, draft: StandInDraft, by: User) -> Request:
    """Name somebody who takes an absent person's seat for some days."""
    if draft.absent == draft.stand_in or draft.ends_at <= draft.starts_at:
        message = "A stand-in is somebody else, and ends after it starts."
        raise Refused(message)
    _refuse_overlap(draft)
    return _propose(What.STAND_IN, draft, target=None, by=by)


def _refuse_impossible(draft: RuleDraft) -> None:
    words = rulebook.impossible(draft.terms(), at=timezone.now()) if draft.is_enabled else ""
    if words:
        raise Impossible(words)


def _refuse_overlap(draft: StandInDraft) -> None:
    if words := overlap(draft):
        raise Refused(words)


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
    request = ask(
        kind=STAND_INS if what is What.STAND_IN else RULES,
        subject_kind="approvals.proposal",
        subject_id=proposal.pk,
        instruction=instruction_of(proposal),
        snapshot={},
        requested_by=by,
        facts=Facts(),
        title=f"{verb} {what.label.lower()}: {name}",
    )
    return refuse_alone(request)


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
        case What.ROLE | What.WAY_IN:
            return None  # given and never changed: see roles.py and ways_in.py


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
    """Carry an approved change out, once; what nobody could meet any more is not put in force."""
    proposal = Proposal.objects.select_for_update().get(pk=request.subject_id)
    before, draft = _as_it_is(proposal), draft_of(proposal)

    def act() -> None:
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

    carry_out(request, instruction=instruction_of(proposal), act=act)


def _apply(proposal: Proposal, draft: Draft, request: Request) -> None:
    match draft:
        case RuleDraft():
            _refuse_impossible(draft)
            _apply_rule(proposal.target_id, draft)
        case GroupDraft():
            _apply_group(proposal.target_id, draft)
        case StandInDraft():
            _refuse_overlap(draft)
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
    tells=NO_FACT,
)
stand_in_kind = Kind(
    label="Stand-in",
    asks=Action.APPROVAL_DECIDE,
    decides=Action.ROLE_APPROVE,
    settle=settle,
    instruction=instruction_now,
    page=page_of,
    tells=NO_FACT,
)
