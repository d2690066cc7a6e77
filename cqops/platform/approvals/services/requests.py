"""From asking to the end: a request is opened, and ends approved and carried out, or unsent.

Every change happens under the request's row lock. A caller that also locks its own row locks that one
first: the order is always subject, then request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import may
from cqops.platform.access.scopes import Subject, parts_of
from cqops.platform.approvals import doorbell
from cqops.platform.approvals.errors import AlreadyAsked, NotReleased, NotYours, TooLate
from cqops.platform.approvals.exhibits import Finding
from cqops.platform.approvals.instruction import Content, hash_of, rows_of
from cqops.platform.approvals.kinds import kind_of
from cqops.platform.approvals.live import request_changed
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import Asked, Facts
from cqops.platform.approvals.services import journal, rulebook
from cqops.platform.approvals.states import OPEN, State, move

BATCH = 200
ONE_OPEN = "one_open_request_a_subject"


@transaction.atomic
def ask(  # noqa: PLR0913 -- a request is all of this
    *,
    kind: str,
    subject_kind: str,
    subject_id: str | UUID,
    instruction: Content,
    snapshot: Content,
    requested_by: User,
    facts: Facts,
    deadline: datetime | None = None,
    title: str = "",
    about: Subject | None = None,
    findings: Iterable[Finding] = (),
) -> Request:
    """Ask other people to agree to exactly this instruction.

    `about` is the row it belongs to, or its parts: grants for one venue, account or portfolio
    reach it by them.
    """
    offered = kind_of(kind)
    if not may(requested_by, offered.asks, about):
        message = f"{requested_by.name} may not ask for this: {offered.label}."
        raise NotYours(message)
    now = timezone.now()
    subject = str(subject_id)
    rows = rows_of(instruction)
    parts = {} if about is None else parts_of(about)
    matched = rulebook.match(
        Asked(kind=kind, facts=facts, roles=frozenset(requested_by.roles), tells=offered.tells)
    )
    request = _open(
        kind=kind,
        subject_kind=subject_kind,
        subject_id=subject,
        title=(title or f"{offered.label}: {rows[0].text if rows else subject}")[:200],
        instruction=[row.as_json() for row in rows],
        instruction_hash=hash_of(
            kind=kind, subject_kind=subject_kind, subject_id=subject, rows=rows
        ),
        snapshot=[row.as_json() for row in rows_of(snapshot)],
        facts=asdict(facts),
        findings=[one.as_json() for one in findings],
        **{f"part_{name}": parts.get(name) for name in ("venue", "account", "portfolio")},
        requested_by=requested_by,
        requested_at=now,
        deadline=deadline or now + timedelta(minutes=settings.APPROVAL_WITHIN_MINUTES),
        rule_id=matched.key or None,
        rule_name=matched.name,
        rule_why=matched.why[:500],
        needs=[need.as_json() for need in matched.quorum.needs],
        groups_required=matched.quorum.groups_required,
        groups=[need.group for need in matched.quorum.needs if need.group],
        state=State.PENDING,
    )
    journal.asked(request)
    request_changed(request)
    return request


def _open(**values: Any) -> Request:
    """Store a request; one about the same that is still open is waited for."""
    try:
        with transaction.atomic():
            return Request.objects.create(**values)
    except IntegrityError as error:
        if ONE_OPEN not in str(error):
            raise
        message = f"This is being asked already ({values['title']}), and waits for an answer."
        raise AlreadyAsked(message) from error


def lock(request_id: UUID | str) -> Request:
    """Read a request for change; the row stays ours until the transaction ends."""
    return (
        Request.objects.select_for_update(of=("self",))
        .select_related("requested_by")
        .get(pk=request_id)
    )


def advance(
    request: Request, there: State, *, at: datetime, reason: str = "", by: User | None = None
) -> None:
    """Move a locked request one step, write it down, and wake whoever carries it out."""
    here = State(request.state)
    request.state = move(here, there)
    request.reason = reason[:500]
    request.version += 1
    request.ended_at = at
    # Each step has to be settled with the app anew; what was carried out already is.
    request.settled_at = at if there is State.EXECUTED else None
    request.executed_at = at if there is State.EXECUTED else None
    request.save(
        update_fields=["state", "reason", "version", "ended_at", "settled_at", "executed_at"]
    )
    journal.moved(request, here=here, by=by)
    request_changed(request)
    if there is not State.EXECUTED:
        doorbell.ring(request.pk)


@transaction.atomic
def void(*, request_id: UUID | str, reason: str, by: User | None = None) -> Request:
    """End a request because what it asks for changed; a request that is over stays as it is."""
    request = lock(request_id)
    if State(request.state) in OPEN:
        advance(request, State.VOIDED, at=timezone.now(), reason=reason, by=by)
    return request


@transaction.atomic
def withdraw(*, request_id: UUID | str, by: User, reason: str = "") -> Request:
    """Take a request back; only whoever asked can, and only before it was carried out."""
    request = lock(request_id)
    if request.requested_by_id != by.pk:
        message = "Only the person who asked can withdraw a request."
        raise NotYours(message)
    if State(request.state) not in OPEN:
        message = f"This request is already over. {request.sentence}"
        raise TooLate(message)
    advance(request, State.WITHDRAWN, at=timezone.now(), reason=reason or f"By {by.name}.", by=by)
    return request


def expire_due() -> int:
    """End every request whose deadline passed, and say how many."""
    overdue = Request.objects.overdue(now=timezone.now()).order_by("deadline")
    return sum(_expire(key) for key in overdue.values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _expire(request_id: UUID) -> bool:
    request = lock(request_id)
    now = timezone.now()
    if State(request.state) not in OPEN or request.deadline > now:
        return False
    end_overdue(request, at=now)
    return True


def end_overdue(request: Request, *, at: datetime) -> None:
    words = f"Nobody decided before {request.deadline:%Y-%m-%d %H:%M:%S} UTC."
    if request.state == State.APPROVED:
        words = f"Approved, but not carried out before {request.deadline:%H:%M:%S} UTC."
    advance(request, State.EXPIRED, at=at, reason=words)


def release(*, request_id: UUID | str, instruction: Content) -> bool:
    """Let an approved instruction be carried out, once; anything else raises `NotReleased`.

    Called by the app that executes, in the transaction in which it executes: either both happen
    or neither, and outside a transaction it refuses to work. What ends the request here (a changed
    instruction, a deadline) stays when the caller catches the refusal and commits.
    """
    request = lock(request_id)
    now = timezone.now()
    if request.state != State.APPROVED:
        raise NotReleased(
            f"Its approval cannot be used. {request.sentence} {request.reason}".strip()
        )
    if request.deadline <= now:
        end_overdue(request, at=now)
        raise NotReleased(request.sentence)
    if not is_same(request, instruction):
        advance(request, State.VOIDED, at=now, reason=WHAT_CHANGED)
        raise NotReleased(WHAT_CHANGED)
    advance(request, State.EXECUTED, at=now)
    return True


def confirm_released(*, request_id: UUID | str, instruction: Content) -> None:
    """Prove for a second try that this very instruction was released and still has time."""
    request = lock(request_id)
    if request.state != State.EXECUTED or request.deadline <= timezone.now():
        message = "Its approval was used, and its time is over."
        raise NotReleased(message)
    if not is_same(request, instruction):
        raise NotReleased(WHAT_CHANGED)


WHAT_CHANGED = "What was asked for changed after it was asked, so the approval is void."


def is_same(request: Request, instruction: Content) -> bool:
    """Compare an instruction with the one that was asked for, to the last digit."""
    return request.instruction_hash == hash_of(
        kind=request.kind,
        subject_kind=request.subject_kind,
        subject_id=request.subject_id,
        rows=rows_of(instruction),
    )
