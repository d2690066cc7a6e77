"""The life of an order, as one table.

What a venue says is `venues.interface.types.OrderStatus`; what we believe is `State`. `heard` is the
one place where the two meet. A fill may follow a cancel: venues really do that.
"""

from __future__ import annotations

from enum import StrEnum

from venues.interface.types import OrderStatus


class State(StrEnum):
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    ACKNOWLEDGED = "acknowledged"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REFUSED = "refused"
    UNSENT = "unsent"
    WITHDRAWN = "withdrawn"
    DENIED = "denied"
    VOIDED = "voided"


DONE = frozenset(
    {
        State.FILLED,
        State.CANCELLED,
        State.REJECTED,
        State.EXPIRED,
        State.REFUSED,
        State.UNSENT,
        State.WITHDRAWN,
        State.DENIED,
        State.VOIDED,
    }
)
AT_THE_VENUE = frozenset({State.ACKNOWLEDGED, State.PARTIALLY_FILLED})
NOT_SENT_YET = frozenset({State.AWAITING_APPROVAL, State.QUEUED})
UNPROVEN = frozenset({State.SENDING, State.IN_DOUBT})
OPEN = frozenset(State) - DONE
NEEDS_A_HUMAN = frozenset({State.IN_DOUBT})

_VENUE_ENDS = frozenset({State.FILLED, State.CANCELLED, State.REJECTED, State.EXPIRED})
MOVES: dict[State, frozenset[State]] = {
    # Only another person's approval brings it to the queue.
    State.AWAITING_APPROVAL: frozenset({State.QUEUED, State.DENIED, State.VOIDED, State.WITHDRAWN}),
    State.QUEUED: frozenset(
        {State.SENDING, State.REFUSED, State.UNSENT, State.WITHDRAWN, State.VOIDED}
    ),
    # Back to the queue only when it is certain that nothing left this machine.
    State.SENDING: AT_THE_VENUE | _VENUE_ENDS | {State.IN_DOUBT, State.QUEUED, State.UNSENT},
    # Only evidence from the venue ends doubt: found there, or proven absent.
    State.IN_DOUBT: AT_THE_VENUE | _VENUE_ENDS | {State.UNSENT},
    State.ACKNOWLEDGED: _VENUE_ENDS | {State.PARTIALLY_FILLED},
    State.PARTIALLY_FILLED: frozenset({State.FILLED, State.CANCELLED, State.EXPIRED}),
    # A fill that crossed the cancel on its way completes the order after all.
    State.CANCELLED: frozenset({State.FILLED}),
    State.EXPIRED: frozenset({State.FILLED}),
    State.FILLED: frozenset(),
    State.REJECTED: frozenset(),
    State.REFUSED: frozenset(),
    # It was believed never to have arrived, and the venue proves otherwise.
    State.UNSENT: AT_THE_VENUE | _VENUE_ENDS,
    State.WITHDRAWN: frozenset(),
    State.DENIED: frozenset(),
    State.VOIDED: frozenset(),
}

SENTENCES: dict[State, str] = {
    State.AWAITING_APPROVAL: "Waiting for a second person. Nothing is sent before they agree.",
    State.QUEUED: "Waiting to be sent. It can still be withdrawn.",
    State.SENDING: "Being sent to the venue.",
    State.IN_DOUBT: "Sent, but the venue has not confirmed it. It counts as if it were there; the "
    "venue is being asked, and nothing is sent again.",
    State.ACKNOWLEDGED: "Working at the venue. It can be cancelled.",
    State.PARTIALLY_FILLED: "Partly filled, the rest is working. It can be cancelled.",
    State.FILLED: "Completely filled.",
    State.CANCELLED: "Cancelled at the venue; what was filled before stands.",
    State.REJECTED: "The venue refused it.",
    State.EXPIRED: "Its time ran out at the venue; what was filled before stands.",
    State.REFUSED: "Our own checks refused it; nothing was sent.",
    State.UNSENT: "It never reached the venue, and will not be sent any more.",
    State.WITHDRAWN: "Withdrawn before it was sent.",
    State.DENIED: "A second person refused it; nothing was sent.",
    State.VOIDED: "Its approval came to nothing; nothing was sent.",
}

_HEARD: dict[OrderStatus, State] = {
    OrderStatus.PENDING: State.ACKNOWLEDGED,
    OrderStatus.ACKNOWLEDGED: State.ACKNOWLEDGED,
    OrderStatus.PARTIALLY_FILLED: State.PARTIALLY_FILLED,
    OrderStatus.FILLED: State.FILLED,
    OrderStatus.CANCELLED: State.CANCELLED,
    OrderStatus.REJECTED: State.REJECTED,
    OrderStatus.EXPIRED: State.EXPIRED,
}


class IllegalMove(Exception):
    """The table does not allow this step."""


def heard(status: OrderStatus) -> State | None:
    """Translate what the venue says; `None` for a word we do not know, which moves nothing."""
    return _HEARD.get(status)


def can_move(here: State, there: State) -> bool:
    return there in MOVES[here]


def move(here: State, there: State) -> State:
    """Take one step of the table, or refuse."""
    if not can_move(here, there):
        message = f"An order that is {here} cannot become {there}."
        raise IllegalMove(message)
    return there
