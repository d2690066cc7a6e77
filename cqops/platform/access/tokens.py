"""API tokens: made once, shown once, stored as a hash, refused as soon as they end.

A token may do what it names and its owner still may: taking a role from a person takes it from their
programs too. One that only reads works at once; one that does more works once a second person agreed,
and one that is seeded never decides. The database holds this as well.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.policy import SECOND_PERSON, Action, NotAllowed, may
from cqops.platform.access.second_factor import must_enrol
from cqops.platform.audit.services import record

PREFIX = "cqops_"
LIFETIME = timedelta(days=90)
LONGEST_DAYS = 365
READS = ".view"


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token_text() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def own_actions(user: User) -> list[Action]:
    """List what this person may do at all: the most a token of theirs can carry."""
    return [action for action in Action if may(user, action)]


def only_reads(scopes: Collection[str]) -> bool:
    return all(scope.endswith(READS) for scope in scopes)


def issue(*, user: User, name: str, token: str | None = None) -> str:
    """Seed or replace the named token of a user, with their powers but deciding, and return its text.

    For the demo desk, benchmarks and tests, where nobody is asked: everybody else uses `create_token`.
    """
    text = token or new_token_text()
    now = timezone.now()
    with seeding():
        made, is_new = ApiToken.objects.update_or_create(
            user=user,
            name=name,
            defaults={
                "digest": digest_of(text),
                "scopes": [one.value for one in own_actions(user) if one not in SECOND_PERSON],
                "expires_at": now + LIFETIME,
                "released_at": now,
                "revoked_at": None,
            },
        )
        _recorded("token.seeded" if is_new else "token.replaced", made)
    return text


def _recorded(action: str, token: ApiToken, by: User | None = None) -> None:
    told = {
        "name": token.name,
        "owner": token.user.username,
        "scopes": token.scopes,
        "expires_at": token.expires_at,
    }
    record(action=action, subject=token, after=told, by=by)


@transaction.atomic
def create_token(
    *, owner: User, name: str, scopes: Collection[str], days: int
) -> tuple[ApiToken, str]:
    """Make a token with some of its owner's powers, and return its text this once.

    Where it may do more than read it opens nothing yet: `approvals.services.programs` asks.
    """
    beyond = set(scopes) - {action.value for action in own_actions(owner)}
    if beyond or not scopes:
        message = f"You cannot give what you do not have: {', '.join(sorted(beyond))}."
        raise ValidationError({"scopes": message if beyond else "Choose what it may do."})
    if not 1 <= days <= LONGEST_DAYS:
        raise ValidationError({"days": f"A token lasts from 1 to {LONGEST_DAYS} days."})
    if ApiToken.objects.filter(user=owner, name=name).exists():
        raise ValidationError({"name": "You have used this name already. Choose another one."})
    text = new_token_text()
    token = ApiToken.objects.create(
        user=owner,
        name=name,
        digest=digest_of(text),
        scopes=sorted(scopes),
        expires_at=timezone.now() + timedelta(days=days),
        released_at=timezone.now() if only_reads(scopes) else None,
    )
    _recorded("token.issued", token, by=owner)
    return token, text


@transaction.atomic
def release_token(*, token: ApiToken, by: User) -> None:
    """Let a token open what it names; the database asks for the approval behind it."""
    token.released_at = timezone.now()
    token.save(update_fields=["released_at"])
    _recorded("token.released", token, by=by)


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> None:
    """End a token at once; the row stays, so that history can still name it."""
    if token.user_id != by.pk and not may(by, Action.PEOPLE_EDIT):
        raise NotAllowed(Action.PEOPLE_EDIT.value)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        record(action="token.revoked", subject=token, by=by)


def revoke_all_tokens(*, user: User, by: User) -> None:
    for token in user.api_tokens.filter(revoked_at=None):
        revoke_token(token=token, by=by)


def good_tokens(*, now: datetime) -> QuerySet[ApiToken]:
    """Return the tokens that open doors now."""
    return ApiToken.objects.select_related("user").filter(
        revoked_at=None, released_at__isnull=False, expires_at__gt=now, user__is_active=True
    )


def find_good(*, now: datetime, **which: object) -> ApiToken | None:
    """Find a token that opens doors now, and whose owner could come in by the front door."""
    found = good_tokens(now=now).filter(**which).first()
    return None if found is None or must_enrol(found.user) else found


def find(token: str, *, now: datetime) -> ApiToken | None:
    """Find a good token by its text, and note that it is used."""
    found = find_good(now=now, digest=digest_of(token))
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def narrowed(token: ApiToken) -> User:
    """Return the owner with the powers of this token only."""
    owner = token.user
    owner.token_scopes = frozenset(token.scopes)
    return owner


def bearer(header: bytes) -> str:
    """Take the token out of an Authorization header, or nothing."""
    kind, _, token = header.partition(b" ")
    return token.decode("latin-1").strip() if kind.lower() == b"bearer" else ""


class BearerToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, None] | None:
        token = bearer(get_authorization_header(request))
        if not token:
            return None
        found = find(token, now=timezone.now())
        if found is None:
            message = (
                "This token is unknown, expired or revoked, or waits for a second person, or its owner"
                " has to set up a second factor. The page of tokens says which."
            )
            raise AuthenticationFailed(message)
        return narrowed(found), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return "Bearer"
