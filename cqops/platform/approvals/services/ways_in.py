"""A new way in for somebody, with a second person: whoever opens one could come in as them.

A new password is kept as its hash, sealed, and only until it is used or the request is over; the
instruction carries a fingerprint of the hash, so that what is set is what was asked about.
"""

from __future__ import annotations

import hashlib

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from cqops.platform.access.models import User
from cqops.platform.access.people import OwnRoles
from cqops.platform.access.policy import Action
from cqops.platform.access.seals import seal, unseal
from cqops.platform.access.second_factor import has_one
from cqops.platform.access.ways_in import WayIn, open_way_in
from cqops.platform.approvals.errors import NothingChanges
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Proposal, Request
from cqops.platform.approvals.rules import NO_FACT, Facts
from cqops.platform.approvals.services.powers import carry_out, refuse_alone
from cqops.platform.approvals.services.requests import ask
from cqops.platform.approvals.states import OPEN

KIND = "access.way_in"


@sensitive_variables()
@transaction.atomic
def propose_way_in(
    *,
    person: User,
    by: User,
    new_password: str = "",
    is_factor_reset: bool = False,
    is_let_in: bool = False,
) -> Request:
    """Ask a second person to agree that somebody gets in anew."""
    if by.pk == person.pk:
        raise OwnRoles
    stored = User.objects.get(pk=person.pk)
    wanted = {
        "password": seal(make_password(new_password).encode()).decode() if new_password else "",
        "is_factor_reset": is_factor_reset and has_one(stored),
        "is_let_in": is_let_in and not stored.is_active,
    }
    if not any(wanted.values()):
        message = f"Nothing would change for {person.username}."
        raise NothingChanges(message)
    proposal = Proposal.objects.create(
        what=Proposal.What.WAY_IN,
        target_id=person.pk,
        content=wanted,
        proposed_by=by,
        proposed_at=timezone.now(),
    )
    request = ask(
        kind=KIND,
        subject_kind="access.user",
        subject_id=person.pk,
        instruction=instruction_of(proposal),
        snapshot=seen_now(str(person.pk)),
        requested_by=by,
        facts=Facts(),
        title=f"A new way in for {person.username}",
    )
    return refuse_alone(request)


def instruction_of(proposal: Proposal) -> Content:
    """Say what is opened; the database looks for these labels before it lets go of anything."""
    person = User.objects.get(pk=proposal.target_id)
    wanted = _wanted(proposal)
    lines = {"Person": person.username}
    if wanted.password:
        lines["Password"] = f"set anew, fingerprint {_fingerprint(wanted.password)}"
    if wanted.is_factor_reset:
        there = "there" if has_one(person) else "not there"
        lines["Second factor"] = f"{there} → taken away, and set up anew at the next sign-in"
    if wanted.is_let_in:
        lines["Let in again"] = f"{'may sign in' if person.is_active else 'disabled'} → may sign in"
    return lines


def _wanted(proposal: Proposal) -> WayIn:
    sealed = proposal.content["password"]
    hashed = unseal(sealed.encode()).decode() if sealed else ""
    return WayIn(**{**proposal.content, "password": hashed})


def _fingerprint(hashed: str) -> str:
    return hashlib.sha256(hashed.encode()).hexdigest()[:12]


def _latest(person_id: str) -> Proposal:
    return Proposal.objects.filter(what=Proposal.What.WAY_IN, target_id=person_id).latest(
        "proposed_at"
    )


def instruction_now(person_id: str) -> Content:
    return instruction_of(_latest(person_id))


def seen_now(person_id: str) -> Content:
    person = User.objects.get(pk=person_id)
    return {
        "Roles": ", ".join(sorted(person.roles)) or "none",
        "May sign in": "yes" if person.is_active else "no",
        "Second factor": "yes" if has_one(person) else "no",
    }


@transaction.atomic
def settle(request: Request) -> None:
    """Open the way once it is approved; whatever became of it, the hash is forgotten."""
    proposal = _latest(request.subject_id)

    def act() -> None:
        open_way_in(
            person=User.objects.get(pk=request.subject_id),
            wanted=_wanted(proposal),
            by=request.requested_by,
            approval=request.pk,
        )
        proposal.applied_at = timezone.now()
        proposal.save(update_fields=["applied_at"])

    carry_out(request, instruction=instruction_of(proposal), act=act)
    _forget(request.subject_id)


def _forget(person_id: str) -> None:
    """Drop the hashes of all questions about somebody that are over."""
    proposals = Proposal.objects.filter(what=Proposal.What.WAY_IN, target_id=person_id)
    if Request.objects.filter(kind=KIND, subject_id=person_id, state__in=OPEN).exists():
        proposals = proposals.exclude(pk=_latest(person_id).pk)
    for proposal in proposals.exclude(content__password=""):
        proposal.content = {**proposal.content, "password": ""}
        proposal.save(update_fields=["content"])


def page_of(person_id: str) -> str:
    return reverse("admin:access_user_change", args=[person_id])


way_in_kind = Kind(
    label="Way in of a person",
    asks=Action.PEOPLE_EDIT,
    decides=Action.ROLE_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
