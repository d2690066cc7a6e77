"""API tokens: made once, shown once, stored as a hash, refused as soon as they end.

A token may do what it names and its owner still may: taking a role from a person takes it from their
programs too.
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

from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.policy import Action, NotAllowed, may
from cqops.platform.audit.services import record

PREFIX = "cqops_"
LIFETIME = timedelta(days=90)
LONGEST_DAYS = 365


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token_text() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def own_actions(user: User) -> list[Action]:
    """List what this person may do at all: the most a token of theirs can carry."""
    return [action for action in Action if may(user, action)]


@transaction.atomic
def issue(*, user: User, name: str, token: str | None = None) -> str:
    """Make or replace the named token of a user, with all their powers, and return its text."""
    text = token or new_token_text()
    made, is_new = ApiToken.objects.update_or_create(
        user=user,
        name=name,
        defaults={
            "digest": digest_of(text),
            "scopes": [action.value for action in own_actions(user)],
            "expires_at": timezone.now() + LIFETIME,
            "revoked_at": None,
        },
    )
    _recorded("token.issued" if is_new else "token.replaced", made)
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
    """Make a token with some of its owner's powers, and return its text this once."""
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
    )
    _recorded("token.issued", token, by=owner)
    return token, text


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
        revoked_at=None, expires_at__gt=now, user__is_active=True
    )


def find(token: str, *, now: datetime) -> ApiToken | None:
    """Find a token that is still good and whose owner may sign in."""
    found = good_tokens(now=now).filter(digest=digest_of(token)).first()
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
            message = "This token is unknown, expired or revoked. Make a new one, or ask an admin."
            raise AuthenticationFailed(message)
        return narrowed(found), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return "Bearer"
