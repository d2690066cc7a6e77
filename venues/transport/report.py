"""What a call cost, for logs and metrics: no header, no body, no query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from venues.interface.errors import NotSent, OutcomeUnknown, Rejected
from venues.transport.operation import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What one attempt cost."""

    method: str
    path: str
    status: int
    seconds: float
    operation: str = ""


class Outcome(StrEnum):
    OK = "ok"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    ABANDONED = "abandoned"  # the caller was cancelled or something of ours broke


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How one operation ended for its caller, waiting and every attempt included."""

    operation: str
    priority: Priority
    method: str
    path: str
    reference: str
    outcome: Outcome
    cause: str
    seconds: float
    attempts: int
    budget_left: Mapping[str, float] = field(default_factory=dict)
    breaker: str = ""


def outcome_of(error: BaseException | None) -> Outcome:
    if error is None:
        return Outcome.OK
    for kind, outcome in (
        (NotSent, Outcome.NOT_SENT),
        (OutcomeUnknown, Outcome.UNKNOWN),
        (Rejected, Outcome.REJECTED),
    ):
        if isinstance(error, kind):
            return outcome
    return Outcome.ABANDONED
