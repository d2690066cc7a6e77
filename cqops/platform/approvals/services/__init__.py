"""The engine's face: what apps call."""

from cqops.platform.approvals.errors import (
    AlreadyDecided,
    BadReason,
    Changed,
    NotConfirmed,
    NotReleased,
    NotYours,
    Refused,
    TooLate,
)
from cqops.platform.approvals.rules import Facts
from cqops.platform.approvals.services.decisions import decide, why_not
from cqops.platform.approvals.services.requests import (
    ask,
    confirm_released,
    expire_due,
    release,
    void,
    withdraw,
)
from cqops.platform.approvals.services.settling import settle, settle_left
from cqops.platform.approvals.services.standing import progress, standing
from cqops.platform.approvals.states import State, Verdict

__all__ = [
    "AlreadyDecided",
    "BadReason",
    "Changed",
    "Facts",
    "NotConfirmed",
    "NotReleased",
    "NotYours",
    "Refused",
    "State",
    "TooLate",
    "Verdict",
    "ask",
    "confirm_released",
    "decide",
    "expire_due",
    "progress",
    "release",
    "settle",
    "settle_left",
    "standing",
    "void",
    "why_not",
    "withdraw",
]
