"""What somebody meets after too many wrong passwords, and how an admin lets them in again."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record

TOO_MANY_REQUESTS = 429


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Say in plain words how long it takes and who can shorten it."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return render(request, "access/locked_out.html", {"minutes": minutes}, status=TOO_MANY_REQUESTS)


@transaction.atomic
def unlock(*, attempt: AccessAttempt, by: User) -> None:
    """Forget the wrong passwords of one name from one address."""
    demand(by, Action.PEOPLE_EDIT, {})
    reset(username=attempt.username, ip=attempt.ip_address)
    told = {"name": attempt.username, "address": attempt.ip_address}
    record(action="lock.lifted", subject_kind="sign-in", after=told, by=by)
