"""A role given or taken with a second person: who gets it neither asks nor decides.

The subject is the person, so the engine itself keeps them from deciding about themselves, and only one
such question about somebody is open at a time.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.people import OwnRoles, grant_role, take_role
from cqops.platform.access.policy import Action, Role
from cqops.platform.access.scopes import Scope
from cqops.platform.approvals.errors import NotReleased
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Proposal, Request
from cqops.platform.approvals.rules import Facts
from cqops.platform.approvals.services.requests import ask, release
from cqops.platform.approvals.states import State

KIND = "access.role"


@transaction.atomic
def propose_role(
    *,
    person: User,
    role: Role,
    by: User,
    is_given: bool = True,
    scope: Scope = Scope.DESK,
    scope_id: UUID | None = None,
) -> Request:
    """Ask a second person to agree that somebody gets a role, or loses it."""
    if by.pk == person.pk:
        raise OwnRoles
    wanted = {
        "role": role.value,
        "is_given": is_given,
        "scope": scope.value,
        "scope_id": str(scope_id) if scope_id else None,
    }
    proposal = Proposal.objects.create(
        what=Proposal.What.ROLE,
        target_id=person.pk,
        content=wanted,
        proposed_by=by,
        proposed_at=timezone.now(),
    )
    verb = "becomes" if is_given else "is no longer"
    return ask(
        kind=KIND,
        subject_kind="access.user",
        subject_id=person.pk,
        instruction=instruction_of(proposal),
        snapshot={"Roles now": ", ".join(sorted(person.roles)) or "none"},
        requested_by=by,
        facts=Facts(),
        title=f"{person.username} {verb} {role.value}",
    )


def instruction_of(proposal: Proposal) -> Content:
    person = User.objects.get(pk=proposal.target_id)
    wanted = proposal.content
    part = f"one {wanted['scope']}: {wanted['scope_id']}" if wanted["scope_id"] else "the desk"
    return {
        "Person": person.username,
        "Role": wanted["role"],
        "For": part,
        "Has it": f"{_yes(_grant(wanted, person) is not None)} → {_yes(wanted['is_given'])}",
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _grant(wanted: dict[str, Any], person: User) -> RoleGrant | None:
    return person.role_grants.filter(
        role=wanted["role"], scope=wanted["scope"], scope_id=wanted["scope_id"]
    ).first()


def _latest(person_id: str) -> Proposal:
    return Proposal.objects.filter(what=Proposal.What.ROLE, target_id=person_id).latest(
        "proposed_at"
    )


def instruction_now(person_id: str) -> Content:
    return instruction_of(_latest(person_id))


def seen_now(person_id: str) -> Content:
    person = User.objects.get(pk=person_id)
    return {"Roles now": ", ".join(sorted(person.roles)) or "none"}


@transaction.atomic
def settle(request: Request) -> None:
    """Give or take the role once it is approved; anything else leaves everything as it is."""
    if request.state != State.APPROVED:
        return
    proposal = _latest(request.subject_id)
    try:
        release(request_id=request.pk, instruction=instruction_of(proposal))
    except NotReleased:
        return
    person = User.objects.get(pk=request.subject_id)
    wanted = proposal.content
    if wanted["is_given"]:
        grant_role(
            person=person,
            role=Role(wanted["role"]),
            by=request.requested_by,
            scope=Scope(wanted["scope"]),
            scope_id=UUID(wanted["scope_id"]) if wanted["scope_id"] else None,
        )
    elif grant := _grant(wanted, person):
        take_role(grant=grant, by=request.requested_by)
    proposal.applied_at = timezone.now()
    proposal.save(update_fields=["applied_at"])


def page_of(person_id: str) -> str:
    return reverse("admin:access_user_change", args=[person_id])


role_kind = Kind(
    label="Role of a person",
    asks=Action.PEOPLE_EDIT,
    decides=Action.ROLE_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
)
