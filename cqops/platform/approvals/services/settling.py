"""Carries out what was decided: the app behind a kind does its work once, and the sweep sees to it."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from cqops.platform.approvals.kinds import kind_of
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.states import State
from cqops.platform.telemetry.trace import deciding

log = logging.getLogger(__name__)
BATCH = 200


def settle(request_id: UUID | str) -> None:
    """Tell the app what became of its request; it is told again until it has dealt with it."""
    request = Request.objects.select_related("requested_by").get(pk=request_id)
    if request.state == State.PENDING or request.settled_at is not None:
        return
    with deciding(str(request.pk)):
        kind_of(request.kind).settle(request)
    # Whoever moved it on meanwhile asks for settling again, so only this version is done.
    Request.objects.filter(pk=request.pk, version=request.version).update(settled_at=timezone.now())


def settle_left() -> None:
    """Go through every request a lost doorbell left lying; one failure never stops the rest."""
    left = Request.objects.filter(settled_at=None).exclude(state=State.PENDING)
    for key in left.order_by("requested_at").values_list("pk", flat=True)[:BATCH]:
        with deciding(str(key)):
            _try(key)


def _try(request_id: UUID) -> None:
    try:
        settle(request_id)
    except Exception:  # the next request must not wait for this one; the next sweep tries again
        log.exception("request %s: not settled, the sweep tries again", request_id)
