"""Who is on the other end of a socket: a browser by session and origin, or a program by token."""

from __future__ import annotations

from typing import Any, Protocol

from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.sessions import is_session_good
from cqops.platform.access.tokens import bearer, find, find_good, narrowed


class Application(Protocol):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any: ...


class TokenOrSession:
    """A bearer token goes straight in; everything else must pass origin and session checks."""

    def __init__(self, by_session: Application, by_token: Application) -> None:
        self.by_session = by_session
        self.by_token = by_token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        token = bearer(dict(scope["headers"]).get(b"authorization", b""))
        if not token:
            return await self.by_session(scope, receive, send)
        found = await database_sync_to_async(find)(token, now=timezone.now())
        scope["user"] = narrowed(found) if found else AnonymousUser()
        scope["token_id"] = found.pk if found else None
        return await self.by_token(scope, receive, send)


def who_is_it_now(scope: Any) -> User | None:
    """Ask the database again who is on the other end, and whether they are still welcome."""
    found = _by_token(scope["token_id"]) if scope.get("token_id") else _by_session(scope)
    if found is not None:
        # Read here, where queries are allowed; the socket asks about each push without one.
        _ = found.grants
    return found


def _by_token(token_id: Any) -> User | None:
    token = find_good(now=timezone.now(), pk=token_id)
    return narrowed(token) if token else None


def _by_session(scope: Any) -> User | None:
    found = User.objects.filter(pk=scope["user"].pk, is_active=True).first()
    return found if found and is_session_good(scope.get("session"), found) else None
