"""Closing a break without evidence takes two people: one asks with a reason, another agrees.

The approval binds to the exact difference: when a later comparison finds another amount, it is void.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.errors import NotReleased
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Facts, State, ask, release, void
from cqops.platform.audit.services import record
from portfolio.models import Break, BreakState
from portfolio.services import breaks

NAME = "portfolio.close_break"
SUBJECT = "portfolio.break"


@transaction.atomic
def ask_to_close(*, break_id: UUID, reason: str, by: User) -> Request:
    """Ask a second person to agree that this difference is accepted."""
    row = breaks.lock(break_id, by=by)
    breaks.need(row, BreakState.OPEN, BreakState.EXPLAINED)
    row.state = BreakState.CLOSING
    row.close_reason = reason.strip()[:500]
    row.owner = row.owner or by
    breaks.note(row, f"Asked to close it: {row.close_reason}", by=by)
    request = ask(
        kind=NAME,
        subject_kind=SUBJECT,
        subject_id=row.pk,
        instruction=instruction_of(row),
        snapshot=_seen_beside(row),
        requested_by=by,
        facts=Facts(venue=row.account.venue.slug, account=row.account.name),
        title=f"Close a break: {row.title}",
        about=row,
    )
    row.closing_request = request.pk
    breaks.save(row)
    record(
        action="break.close_requested",
        subject=row,
        after={"difference": row.amount, "unit": row.unit},
        reason=row.close_reason,
        decision_id=str(request.pk),
        by=by,
    )
    return request


def instruction_of(row: Break) -> Content:
    return {
        "Close the break": row.title,
        "Account": str(row.account),
        "Difference accepted": row.amount,
        "Unit": row.unit,
        "First seen": row.first_seen_at,
        "Because": row.close_reason,
    }


def _seen_beside(row: Break) -> Content:
    ours = {f"Ours: {name}": text for name, text in row.ours.items()}
    theirs = {f"The venue's: {name}": text for name, text in row.theirs.items()}
    return {**ours, **theirs}


def read_instruction(subject_id: str) -> Content:
    row = Break.objects.select_related("account__venue").get(pk=subject_id)
    if row.state != BreakState.CLOSING:
        return {"Close the break": f"{row.title}: {row.sentence}"}
    return instruction_of(row)


def read_beside(subject_id: str) -> Content:
    """Read the records of both sides as they are now."""
    return _seen_beside(Break.objects.get(pk=subject_id))


@transaction.atomic
def settle(request: Request) -> None:
    """Carry out what the second person said; told twice, it does its work once."""
    row = breaks.lock(request.subject_id)
    if row.closing_request != request.pk or row.state != BreakState.CLOSING:
        # It was settled before, or the difference changed or went away meanwhile.
        void(request_id=request.pk, reason=f"Nothing to close. {row.sentence}")
        return
    if request.state == State.APPROVED:
        _close(row, request)
    else:
        row.state = BreakState.OPEN
        words = f"{State(request.state).value.capitalize()}: {request.reason or 'no reason given'}"
        breaks.note(row, f"It stays open. {words}", by=None)
    row.closing_request = None
    breaks.save(row)


def _close(row: Break, request: Request) -> None:
    """Use the approval; one that no longer fits ends here and leaves the break open."""
    second = request.decisions.select_related("by").last()
    try:
        release(request_id=request.pk, instruction=instruction_of(row))
    except NotReleased as error:
        void(request_id=request.pk, reason=str(error))
        row.state = BreakState.OPEN
        breaks.note(row, f"It stays open. {error}", by=None)
        return
    record(
        action="break.closed",
        subject=row,
        before={"state": BreakState.CLOSING},
        after={"state": BreakState.CLOSED, "difference accepted": row.amount, "unit": row.unit},
        reason=row.close_reason,
        decision_id=str(request.pk),
        by=second.by if second else None,
    )
    row.state = BreakState.CLOSED
    row.accepted_amount = row.amount
    row.ended_at = timezone.now()
    breaks.note(row, f"Agreed to close it: {row.close_reason}", by=second.by if second else None)


def _page(subject_id: str) -> str:
    return reverse("break", args=[subject_id])


close_kind = Kind(
    label="Close a break",
    asks=Action.BREAK_WORK,
    decides=Action.BREAK_APPROVE,
    settle=settle,
    instruction=read_instruction,
    now=read_beside,
    page=_page,
    tells=frozenset({"venue", "account"}),
)
