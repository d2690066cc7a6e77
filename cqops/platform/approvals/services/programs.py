"""A token that may do more than read, with a second person: until then it opens nothing.

The owner copies it once, as ever, and hands it to the program; the day it is agreed to, it works. What
became of the request otherwise ends the token.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.urls import reverse

from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.policy import Action
from cqops.platform.access.tokens import create_token, release_token, revoke_token
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT, Facts
from cqops.platform.approvals.services.powers import carry_out, refuse_alone
from cqops.platform.approvals.services.requests import ask, void
from cqops.platform.approvals.states import OPEN, State

KIND = "access.token"


@transaction.atomic
def make_token(
    *, owner: User, name: str, scopes: Collection[str], days: int
) -> tuple[ApiToken, str, Request | None]:
    """Make a token, and ask a second person where it may do more than read."""
    token, text = create_token(owner=owner, name=name, scopes=scopes, days=days)
    if token.released_at is not None:
        return token, text, None
    request = ask(
        kind=KIND,
        subject_kind="access.apitoken",
        subject_id=token.pk,
        instruction=instruction_of(token),
        snapshot=_seen(owner),
        requested_by=owner,
        facts=Facts(),
        title=f"A program of {owner.username} that writes: {name}",
    )
    return token, text, refuse_alone(request)


def instruction_of(token: ApiToken) -> Content:
    """Say what it opens; the database compares the line `May` with what it releases."""
    if token.revoked_at is not None:
        return {"Token": f"{token.name}, revoked"}
    return {
        "Token": token.name,
        "Owner": token.user.username,
        "May": ", ".join(token.scopes),
        "Ends": token.expires_at,
    }


def instruction_now(token_id: str) -> Content:
    return instruction_of(ApiToken.objects.select_related("user").get(pk=token_id))


def seen_now(token_id: str) -> Content:
    return _seen(ApiToken.objects.select_related("user").get(pk=token_id).user)


def _seen(owner: User) -> Content:
    return {"Roles of its owner": ", ".join(sorted(owner.roles)) or "none"}


@transaction.atomic
def settle(request: Request) -> None:
    """Let the token open what was agreed to, or end it."""
    token = ApiToken.objects.select_for_update(of=("self",)).get(pk=request.subject_id)
    carry_out(
        request,
        instruction=instruction_of(token),
        act=lambda: release_token(token=token, by=request.requested_by),
    )
    if State(Request.objects.get(pk=request.pk).state) not in OPEN and token.released_at is None:
        revoke_token(token=token, by=request.requested_by)


@transaction.atomic
def end_token(*, token: ApiToken, by: User) -> None:
    """Revoke a token, and with it the question about one that waits."""
    revoke_token(token=token, by=by)
    waiting = Request.objects.filter(kind=KIND, subject_id=str(token.pk), state__in=OPEN)
    for key in waiting.values_list("pk", flat=True):
        void(request_id=key, reason="The token was revoked.", by=by)


def page_of(token_id: str) -> str:
    return reverse("admin:access_apitoken_change", args=[token_id])


token_kind = Kind(
    label="Program that writes",
    asks=Action.DESK_VIEW,
    decides=Action.PROGRAM_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
