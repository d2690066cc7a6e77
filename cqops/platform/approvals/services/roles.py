"""Roles given with a second person: who gets them neither asks nor decides.

The subject is the person, so the engine itself keeps them from deciding about themselves, and only one
such question about somebody is open at a time. Taking a role away needs nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access import parts
from cqops.platform.access.models import User
from cqops.platform.access.people import OwnRoles, grant_role, refuse_together
from cqops.platform.access.policy import Action, Role
from cqops.platform.access.scopes import Grant, Scope
from cqops.platform.approvals.errors import NothingChanges, Refused
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Proposal, Request
from cqops.platform.approvals.rules import NO_FACT, Facts
from cqops.platform.approvals.services.powers import carry_out, refuse_alone
from cqops.platform.approvals.services.requests import ask

KIND = "access.role"


@transaction.atomic
def propose_roles(*, person: User, grants: Sequence[Grant], by: User) -> Request:
    """Ask a second person to agree that somebody gets these roles, each for the desk or a part."""
    if by.pk == person.pk:
        raise OwnRoles
    held = set(person.role_grants.values_list("role", "scope", "scope_id"))
    wanted = [grant for grant in grants if (grant.role, grant.scope, grant.scope_id) not in held]
    if not wanted:
        message = f"{person.username} has this already."
        raise NothingChanges(message)
    if len({grant.role for grant in wanted}) < len(wanted):
        message = "Ask for one part of the desk at a time."
        raise Refused(message)
    refuse_together({role for role, _, _ in held} | {grant.role for grant in wanted})
    proposal = Proposal.objects.create(
        what=Proposal.What.ROLE,
        target_id=person.pk,
        content={"grants": [_as_json(grant) for grant in wanted]},
        proposed_by=by,
        proposed_at=timezone.now(),
    )
    names = ", ".join(grant.role for grant in wanted)
    request = ask(
        kind=KIND,
        subject_kind="access.user",
        subject_id=person.pk,
        instruction=instruction_of(proposal),
        snapshot=seen_now(str(person.pk)),
        requested_by=by,
        facts=Facts(),
        title=f"{person.username} becomes {names}",
    )
    return refuse_alone(request)


def _as_json(grant: Grant) -> dict[str, str | None]:
    key = str(grant.scope_id) if grant.scope_id else None
    return {"role": Role(grant.role).value, "scope": Scope(grant.scope).value, "scope_id": key}


def grants_of(proposal: Proposal) -> list[Grant]:
    stored: list[dict[str, Any]] = proposal.content["grants"]
    return [
        Grant(one["role"], one["scope"], UUID(one["scope_id"]) if one["scope_id"] else None)
        for one in stored
    ]


def instruction_of(proposal: Proposal) -> Content:
    """Name each role and its reach as the database compares them with the grant that comes of it."""
    person = User.objects.get(pk=proposal.target_id)
    given = {f"Becomes {grant.role}": _reach(grant) for grant in grants_of(proposal)}
    return {"Person": _who(person), **given}


def _who(person: User) -> str:
    full = person.get_full_name()
    return f"{person.username} ({full})" if full else person.username


def _reach(grant: Grant) -> str:
    if grant.scope == Scope.DESK:
        return "the whole desk"
    return f"{grant.scope} {grant.scope_id} {parts.name_of(grant.scope, grant.scope_id)}"


def _latest(person_id: str) -> Proposal:
    return Proposal.objects.filter(what=Proposal.What.ROLE, target_id=person_id).latest(
        "proposed_at"
    )


def instruction_now(person_id: str) -> Content:
    """Read it again; a role that was given meanwhile makes it another instruction."""
    proposal = _latest(person_id)
    held = set(User.objects.get(pk=person_id).role_grants.values_list("role", "scope", "scope_id"))
    if any((one.role, one.scope, one.scope_id) in held for one in grants_of(proposal)):
        return {**instruction_of(proposal), "Meanwhile": "has it already"}
    return instruction_of(proposal)


def seen_now(person_id: str) -> Content:
    person = User.objects.get(pk=person_id)
    return {
        "Roles now": ", ".join(sorted(person.roles)) or "none",
        "May sign in": "yes" if person.is_active else "no",
        "Here since": f"{person.date_joined:%Y-%m-%d}",
    }


@transaction.atomic
def settle(request: Request) -> None:
    """Give the roles once they are approved; anything else leaves everything as it is."""
    proposal = _latest(request.subject_id)

    def act() -> None:
        for grant in grants_of(proposal):
            grant_role(
                person=User.objects.get(pk=request.subject_id),
                role=Role(grant.role),
                by=request.requested_by,
                approval=request.pk,
                scope=Scope(grant.scope),
                scope_id=grant.scope_id,
            )
        proposal.applied_at = timezone.now()
        proposal.save(update_fields=["applied_at"])

    carry_out(request, instruction=instruction_now(request.subject_id), act=act)


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
    tells=NO_FACT,
)
