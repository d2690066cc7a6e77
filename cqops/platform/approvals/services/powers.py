"""What all changes of the powers themselves share: nobody asks in vain, and nothing is carried out twice.

What was approved and cannot be done any more (who asked is no admin now, the name is taken) ends the
request in words, instead of failing again with every sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.people import NotTogether, OwnRoles
from cqops.platform.access.policy import NotAllowed
from cqops.platform.approvals.errors import NobodyLeft, NotReleased, Refused
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services.requests import lock, release, void
from cqops.platform.approvals.services.standing import standing
from cqops.platform.approvals.states import State

ALONE = (
    "Nobody else here could agree to this, so it was not asked for. Ask an admin for another approver or"
    " admin; a desk with one admin only makes the second on the server: manage.py first_admin NAME."
)


def refuse_alone(request: Request) -> Request:
    """Take a question back, with its transaction, that nobody is there to answer."""
    if not standing(request, now=timezone.now()).can_be_met:
        raise NobodyLeft(ALONE)
    return request


def latest(kind: str, subject_id: str) -> Request:
    """Find the last question of its kind about something."""
    return Request.objects.filter(kind=kind, subject_id=subject_id).latest("requested_at")


def carry_out(request: Request, *, instruction: Content, act: Callable[[], None]) -> bool:
    """Use an approval and do what it is for: both or neither, and once."""
    found = lock(request.pk)
    if found.state != State.APPROVED:
        return False
    try:
        with transaction.atomic():
            release(request_id=found.pk, instruction=instruction)
            act()
    except NotReleased:
        # What ended it was taken back with the rest of the block; the lock is still ours, so it ends now.
        with suppress(NotReleased):
            release(request_id=found.pk, instruction=instruction)
        return False
    except (Refused, OwnRoles, NotTogether, NotAllowed, ValidationError, IntegrityError) as error:
        void(request_id=found.pk, reason=f"It cannot be done any more. {_words(error)}")
        return False
    return True


def _words(error: Exception) -> str:
    if isinstance(error, NotAllowed):
        return "Whoever asked for it may not do so now."
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, IntegrityError):
        return str(error).splitlines()[0]
    return str(error) or str(error.__doc__)
