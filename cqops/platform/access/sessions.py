"""The browsers people are signed in with: seen on a page, ended by a press, refused everywhere."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from cqops.platform.access.addresses import client_address, device_name
from cqops.platform.access.models import DeskSession, User
from cqops.platform.access.policy import Action, NotAllowed, may
from cqops.platform.access.second_factor import must_enrol
from cqops.platform.audit.services import record

SEEN_EVERY_SECONDS = 30.0
REMEMBERED = 10_000
FRESH_AT = "fresh_at"
_seen: OrderedDict[str, float] = OrderedDict()


def connect() -> None:
    user_logged_in.connect(_note_sign_in, dispatch_uid="access-notes-sign-in")


def _note_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Write the session down and count the sign-in itself as a fresh proof of who it is."""
    mark_fresh(request)
    if not request.session.session_key:
        request.session.save()
    _write(request, user)


def note_seen(request: HttpRequest, user: User) -> None:
    """Keep "last seen" true to half a minute, at one write a session in that time."""
    key = request.session.session_key or ""
    now = time.monotonic()
    if not key or now - _seen.get(key, -SEEN_EVERY_SECONDS) < SEEN_EVERY_SECONDS:
        return
    _seen[key] = now
    _seen.move_to_end(key)
    if len(_seen) > REMEMBERED:
        _seen.popitem(last=False)
    if Session.objects.filter(session_key=key).exists():
        _write(request, user)


def _write(request: HttpRequest, user: User) -> None:
    now = timezone.now()
    present = {
        "user": user,
        "device": device_name(request.headers.get("User-Agent", "")),
        "address": client_address(request),
        "seen_at": now,
    }
    DeskSession.objects.update_or_create(
        session_id=request.session.session_key,
        defaults=present,
        create_defaults={**present, "signed_in_at": now},
    )


def mark_fresh(request: HttpRequest) -> None:
    """Remember that the person has just proven who they are."""
    request.session[FRESH_AT] = time.time()


def sessions_of(user: User) -> QuerySet[DeskSession]:
    """Return the sessions that still open doors, the latest seen first."""
    return user.desk_sessions.filter(session__expire_date__gt=timezone.now())


@transaction.atomic
def end_session(*, session: DeskSession, by: User) -> None:
    """Sign one browser out: one's own, or as somebody who looks after people."""
    if session.user_id != by.pk and not may(by, Action.PEOPLE_EDIT):
        raise NotAllowed(Action.PEOPLE_EDIT.value)
    record(action="session.ended", subject=session.user, after={"device": session.device}, by=by)
    Session.objects.filter(session_key=session.session_id).delete()


@transaction.atomic
def end_all_sessions(*, user: User, by: User, except_key: str | None = None) -> int:
    """Sign out every browser of somebody but the one that asks."""
    found = list(user.desk_sessions.exclude(session_id=except_key or ""))
    for session in found:
        end_session(session=session, by=by)
    return len(found)


def is_session_good(session: SessionBase | None, user: User) -> bool:
    """Ask whether a session still stands: not ended, not from before a new password."""
    key = getattr(session, "session_key", None)
    if session is None or not key or must_enrol(user):
        return False
    stands = Session.objects.filter(session_key=key, expire_date__gt=timezone.now()).exists()
    signed = session.get(HASH_SESSION_KEY, "")
    return stands and constant_time_compare(signed, user.get_session_auth_hash())
