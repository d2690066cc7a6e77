"""The life of a request for approval, as one table. Its deadline ends it unsent, never approved."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    VOIDED = "voided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    EXECUTED = "executed"


class Verdict(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


OPEN = frozenset({State.PENDING, State.APPROVED})
ENDED = frozenset(State) - OPEN

_ENDS_UNSENT = frozenset({State.VOIDED, State.EXPIRED, State.WITHDRAWN})
MOVES: dict[State, frozenset[State]] = {
    State.PENDING: _ENDS_UNSENT | {State.APPROVED, State.REFUSED},
    # Approved is not done: until it is carried out it can still end unsent.
    State.APPROVED: _ENDS_UNSENT | {State.EXECUTED},
    State.REFUSED: frozenset(),
    State.VOIDED: frozenset(),
    State.EXPIRED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.EXECUTED: frozenset(),
}

SENTENCES: dict[State, str] = {
    State.PENDING: "Waits for a decision. Nothing happens before it.",
    State.APPROVED: "Approved, and about to be carried out.",
    State.REFUSED: "Refused. Nothing was carried out.",
    State.VOIDED: "Void: what was asked for changed. Nothing was carried out.",
    State.EXPIRED: "Its deadline passed. Nothing was carried out.",
    State.WITHDRAWN: "Withdrawn by who asked. Nothing was carried out.",
    State.EXECUTED: "Approved and carried out.",
}


class IllegalMove(Exception):
    """The table does not allow this step."""


def move(here: State, there: State) -> State:
    """Take one step of the table, or refuse."""
    if there not in MOVES[here]:
        message = f"A request that is {here} cannot become {there}."
        raise IllegalMove(message)
    return there
