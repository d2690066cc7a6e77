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
    NotConfirmed,
    NotYours,
    Refused,
    TooLate,
)
from cqops.platform.approvals.kinds import kind_of, label_of
from cqops.platform.approvals.live import request_changed
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.reasons import WORDS, RefusalCode
from cqops.platform.approvals.rules import is_met
from cqops.platform.approvals.services import journal
from cqops.platform.approvals.services.people import Decider, deciders_of, is_party
from cqops.platform.approvals.services.requests import (
    WHAT_CHANGED,
    advance,
    end_overdue,
    is_same,
    lock,
)
from cqops.platform.approvals.services.standing import seats_of
from cqops.platform.approvals.states import State, Verdict
from cqops.platform.telemetry.trace import deciding


def decide(  # noqa: PLR0913 -- a decision is all of this
    *,
    request_id: UUID | str,
    by: User,
    verdict: Verdict,
    reason: str = "",
    code: str = "",
    is_confirmed: bool = False,
    seen_hash: str,
) -> Request:
    """Write down what somebody decided, and draw the conclusion.

    `is_confirmed` says that whoever approves confirmed the findings of `Request.to_confirm` by
    themselves. A refusal is raised after the commit: finding the deadline passed or the instruction
    changed ends the request, and that has to stay.
    """
    # Whoever is woken at the commit goes on under this decision too.
    with deciding(str(request_id)), transaction.atomic():
        request = lock(request_id)
        now = timezone.now()
        problem = _problem(request, by=by, seen_hash=seen_hash, now=now)
        said = _Said(verdict, reason.strip(), code if verdict is Verdict.REFUSE else "")
        problem = problem or said.problem(request, is_confirmed=is_confirmed)
        if problem is None:
            _record(request, by=by, said=said, now=now)
    if problem is not None:
        raise problem
    return request


@dataclass(frozen=True, slots=True)
class _Said:
    """What somebody says: the verdict, their words, and for a refusal its code."""

    verdict: Verdict
    words: str
    code: str

    def problem(self, request: Request, *, is_confirmed: bool) -> Refused | None:
        if self.verdict is Verdict.APPROVE:
            left = "" if is_confirmed else ", ".join(one.title for one in request.to_confirm)
            words = f"Not approved yet: confirm on the request's page that you have seen: {left}."
            return NotConfirmed(words) if left else None
        if self.code and self.code not in set(RefusalCode):
            return BadReason("There is no such reason to choose. Choose one, or write your own.")
        if not self.reason:
            return BadReason("Say why: whoever asked reads it, and so does the audit.")
        return None

    @property
    def reason(self) -> str:
        """The words, or those of the code where somebody only chose one."""
        if self.words or self.code in {"", RefusalCode.OTHER}:
            return self.words
        return f"{WORDS[RefusalCode(self.code)]}."

    @property
    def stored_code(self) -> str:
        return self.code or (RefusalCode.OTHER if self.verdict is Verdict.REFUSE else "")


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


def _record(request: Request, *, by: User, said: _Said, now: datetime) -> None:
    decider = _decider(request, by, now=now)
    decision = Decision.objects.create(
        request=request,
        by=by,
        verdict=said.verdict,
        reason=said.reason[:500],
        code=said.stored_code,
        at=now,
        instruction_hash=request.instruction_hash,
        seats=sorted(decider.seats) if decider else [],
    )
    journal.decided(decision)
    if said.verdict is Verdict.REFUSE:
        advance(request, State.REFUSED, at=now, reason=f"{by.name}: {said.reason}", by=by)
    elif is_met(request.quorum, seats_of(request)):
        words = f"{by.name}: {said.reason}" if said.reason else ""
        advance(request, State.APPROVED, at=now, reason=words, by=by)
    else:
        request.version += 1
        request.save(update_fields=["version"])
        request_changed(request)
