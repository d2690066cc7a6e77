"""Who came in, who went out, and who was not let in."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from cqops.platform.access.models import User
from cqops.platform.audit.services import record


def connect() -> None:
    user_logged_in.connect(_came_in, dispatch_uid="access-came-in")
    user_logged_out.connect(_went_out, dispatch_uid="access-went-out")
    user_locked_out.connect(_was_locked_out, dispatch_uid="access-locked-out")
    user_login_failed.connect(_was_not_let_in, dispatch_uid="access-not-let-in")


def _came_in(user: User, **_: Any) -> None:
    record(action="person.signed_in", subject=user, by=user)


def _went_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record(action="person.signed_out", subject=user, by=user)


def _was_not_let_in(credentials: dict[str, Any], **_: Any) -> None:
    """Name whom somebody tried to be; what they typed as a secret is not ours to keep."""
    tried = str(credentials.get("username", ""))
    record(
        action="person.sign_in_failed", subject_kind=User._meta.label_lower, after={"tried": tried}
    )


def _was_locked_out(username: str, ip_address: str | None, **_: Any) -> None:
    told = {"name": username, "address": ip_address}
    record(action="person.locked_out", subject_kind=User._meta.label_lower, after=told)
