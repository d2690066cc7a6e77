"""One person's decision, under the request's row lock: a hundred at once give one outcome.

One refusal ends a request. What a decision is about is checked three times: against what the person
saw, against the request, and against the subject as it stands now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.approvals.errors import (
    AlreadyDecided,
    BadReason,
    Changed,
    NotYours,
    Refused,
    TooLate,
)
from cqops.platform.approvals.kinds import kind_of, label_of
from cqops.platform.approvals.live import request_changed
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.rules import Quorum, Seats, filled, is_met
from cqops.platform.approvals.services import journal
from cqops.platform.approvals.services.people import Decider, deciders_of, is_party
from cqops.platform.approvals.services.requests import (
    WHAT_CHANGED,
    advance,
    end_overdue,
    is_same,
    lock,
)
from cqops.platform.approvals.states import State, Verdict


def decide(
    *, request_id: UUID | str, by: User, verdict: Verdict, reason: str = "", seen_hash: str
) -> Request:
    """Write down what somebody decided, and draw the conclusion.

    A refusal is raised after the commit: finding the deadline passed or the instruction changed
    ends the request, and that has to stay.
    """
    with transaction.atomic():
        request = lock(request_id)
        now = timezone.now()
        problem = _problem(request, by=by, seen_hash=seen_hash, now=now)
        if problem is None and verdict is Verdict.REFUSE and not reason.strip():
            problem = BadReason("Say why: whoever asked reads it, and so does the audit.")
        if problem is None:
            _record(request, by=by, verdict=verdict, reason=reason.strip(), now=now)
    if problem is not None:
        raise problem
    return request


def _problem(request: Request, *, by: User, seen_hash: str, now: datetime) -> Refused | None:
    """Find what stands against this decision; what ended the request meanwhile ends it now."""
    if request.state != State.PENDING:
        return _too_late(request)
    if request.deadline <= now:
        end_overdue(request, at=now)
        return TooLate(
            "Its deadline passed, so it can no longer be decided. Nothing was carried out."
        )
    if words := why_not(request, by, now=now):
        return NotYours(words)
    if Decision.objects.filter(request=request, by=by).exists():
        return AlreadyDecided("You have decided this already; others are still needed.")
    return _not_what_was_seen(request, seen_hash, now=now)


def _not_what_was_seen(request: Request, seen_hash: str, *, now: datetime) -> Changed | None:
    if seen_hash != request.instruction_hash:
        return Changed("What you saw is not what is asked for now. Read it again, then decide.")
    read = kind_of(request.kind).instruction
    if read is not None and not is_same(request, read(request.subject_id)):
        advance(request, State.VOIDED, at=now, reason=WHAT_CHANGED)
        return Changed(f"{WHAT_CHANGED} Nothing was carried out.")
    return None


def _too_late(request: Request) -> Refused:
    last = request.decisions.select_related("by").last()
    if last is not None and request.state in {State.APPROVED, State.REFUSED, State.EXECUTED}:
        word = "refused" if last.verdict == Verdict.REFUSE else "approved"
        return AlreadyDecided(f"Already {word} by {last.by.name} at {last.at:%H:%M:%S} UTC.")
    return TooLate(f"This request is over. {request.sentence}")


def why_not(request: Request, person: User, *, now: datetime) -> str:
    """Say in words why this person cannot decide this request, or nothing where they can."""
    if person.pk == request.requested_by_id:
        return "You asked for it, so somebody else has to decide."
    if is_party(request, person):
        return "It is about you, so somebody else has to decide."
    if _decider(request, person, now=now) is None:
        return f"You are not among those who decide this: {label_of(request.kind)}."
    return ""


def _decider(request: Request, person: User, *, now: datetime) -> Decider | None:
    found = (one for one in deciders_of(request, at=now) if one.person.pk == person.pk)
    return next(found, None)


def _record(request: Request, *, by: User, verdict: Verdict, reason: str, now: datetime) -> None:
    decider = _decider(request, by, now=now)
    decision = Decision.objects.create(
        request=request,
        by=by,
        verdict=verdict,
        reason=reason[:500],
        at=now,
        instruction_hash=request.instruction_hash,
        seats=sorted(decider.seats) if decider else [],
    )
    journal.decided(decision)
    if verdict is Verdict.REFUSE:
        advance(request, State.REFUSED, at=now, reason=f"{by.name}: {reason}", by=by)
    elif is_met(request.quorum, seats_of(request)):
        words = f"{by.name}: {reason}" if reason else ""
        advance(request, State.APPROVED, at=now, reason=words, by=by)
    else:
        request.version += 1
        request.save(update_fields=["version"])
        request_changed(request)


def seats_of(request: Request) -> Seats:
    """Say where the people who approved sat when they did."""
    approvals = (one for one in request.decisions.all() if one.verdict == Verdict.APPROVE)
    return {str(one.by_id): frozenset(one.seats) for one in approvals}


def progress(request: Request) -> str:
    """Say how far a request has come, without asking who is left: enough for a line of a list."""
    placed = filled(request.quorum, seats_of(request))
    counts = {need: len(placed[need.group]) for need in request.quorum.needs}
    joined = ", ".join(f"{n} of {need.quorum} {need.label}" for need, n in counts.items())
    is_all = request.quorum.required == len(counts)
    return joined if is_all else f"{request.quorum.required} of these groups: {joined}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStanding:
    """How far one group has come, and who of it could still decide."""

    label: str
    quorum: int
    approved: tuple[str, ...]
    can_still: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        return len(self.approved) >= self.quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a request has come, and whether those left can bring it to an end."""

    groups: tuple[GroupStanding, ...]
    required: int
    can_be_met: bool


def standing(request: Request, *, now: datetime) -> Standing:
    """Say per group who agreed and who is left."""
    quorum = request.quorum
    seats = seats_of(request)
    decided = {str(one.by_id) for one in request.decisions.all()}
    left = [one for one in deciders_of(request, at=now) if str(one.person.pk) not in decided]
    names = {str(one.by_id): one.by.name for one in request.decisions.all()}
    placed = filled(quorum, seats)
    return Standing(
        groups=tuple(
            GroupStanding(
                label=need.label,
                quorum=need.quorum,
                approved=tuple(names[person] for person in placed[need.group]),
                can_still=tuple(one.person.name for one in left if need.group in one.seats),
            )
            for need in quorum.needs
        ),
        required=quorum.required,
        can_be_met=_can_be_met(quorum, seats, left),
    )


def _can_be_met(quorum: Quorum, seats: Seats, left: list[Decider]) -> bool:
    return is_met(quorum, {**seats, **{str(one.person.pk): one.seats for one in left}})
