"""What a decider reads before deciding, and everybody afterwards.

What was seen when it was asked beside what is true now, what it would do, what resembles it, which
deadline runs, and what became of it: each part comes from the kind behind the request. One that cannot
be read is missing and the log says so; it must never hide what is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.urls import reverse

from cqops.platform.access.models import User
from cqops.platform.approvals.exhibits import Clock, Forecast, Step
from cqops.platform.approvals.instruction import Content, Row, rows_of
from cqops.platform.approvals.kinds import Kind, UnknownKind, kind_of
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services.inbox import visible
from cqops.platform.approvals.states import OPEN, State

log = logging.getLogger(__name__)
T = TypeVar("T")
SIMILAR = 5
AT_ZERO = "Then it ends, and nothing is carried out."


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the snapshot; `now` is missing where the present cannot be read."""

    then: Row
    now: Row | None

    @property
    def is_changed(self) -> bool:
        return self.now is not None and self.now.text != self.then.text


def side_by_side(request: Request) -> list[Seen]:
    """Compare the snapshot with the present; a request that is over keeps its past."""
    read: Content = {}
    if State(request.state) in OPEN:
        read = _asked(request, lambda kind: kind.now) or {}
    now = {row.label: row for row in rows_of(read)}
    return [Seen(row, now.get(row.label)) for row in request.snapshot_rows]


def forecast_of(request: Request) -> Forecast | None:
    """Say what it would do, as long as it may still happen."""
    return _asked(request, lambda kind: kind.forecast) if State(request.state) in OPEN else None


def context_of(request: Request) -> tuple[Row, ...]:
    """Lay beside it what helps to judge the amount, as long as somebody judges it."""
    if not request.is_pending:
        return ()
    return rows_of(_asked(request, lambda kind: kind.context) or {})


def timeline_of(request: Request) -> Sequence[Step]:
    """Say what became of the subject after the decision."""
    return _asked(request, lambda kind: kind.timeline) or ()


def clock_of(request: Request) -> Clock | None:
    """Name the deadline that runs now: for the decision, and after it for carrying it out."""
    if request.is_pending:
        return _until_the_deadline(request, "Decide within")
    own = _asked(request, lambda kind: kind.clock) if request.state != State.PENDING else None
    if request.state != State.APPROVED:
        return own
    whole = _until_the_deadline(request, "Carry out within")
    return own if own is not None and own.until < whole.until else whole


def _until_the_deadline(request: Request, label: str) -> Clock:
    return Clock(label=label, since=request.requested_at, until=request.deadline, at_zero=AT_ZERO)


def similar(request: Request, *, by: User) -> list[Request]:
    """Find the last requests of this kind about the same account that this person may see."""
    alike = visible(by).filter(kind=request.kind).exclude(pk=request.pk)
    if request.part_account:
        alike = alike.filter(part_account=request.part_account)
    earlier = alike.filter(requested_at__lte=request.requested_at)
    return list(earlier.order_by("-requested_at", "-id")[:SIMILAR])


def address_of(request: Request) -> str:
    """Say where the request itself is shown."""
    return reverse("approval", args=[request.pk])


def page_of(request: Request) -> str:
    """Say where the subject itself is shown, or nothing."""
    try:
        page = kind_of(request.kind).page
    except UnknownKind:
        return ""
    return page(request.subject_id) if page else ""


def _asked(request: Request, part: Callable[[Kind], Callable[[str], T] | None]) -> T | None:
    """Ask the kind for one part of the evidence; nothing where it has none or cannot tell."""
    try:
        read = part(kind_of(request.kind))
        return read(request.subject_id) if read else None
    except Exception:  # what cannot be read now must not hide what is asked for
        log.exception("request %s: a part of its evidence could not be read", request.pk)
        return None
