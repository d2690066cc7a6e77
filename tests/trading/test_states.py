import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.states import (
    AT_THE_VENUE,
    DONE,
    MOVES,
    OPEN,
    SENTENCES,
    UNPROVEN,
    IllegalMove,
    State,
    can_move,
    heard,
    move,
)
from venues.interface.types import OrderStatus

STATES = st.sampled_from(list(State))


@given(STATES, STATES)
def test_moves_are_exactly_the_table(here, there):
    if there in MOVES[here]:
        assert move(here, there) is there
    else:
        with pytest.raises(IllegalMove):
            move(here, there)


def test_every_state_has_a_row_and_a_sentence():
    assert set(MOVES) == set(SENTENCES) == set(State)
    assert set(State) == DONE | OPEN
    assert not DONE & OPEN


def test_doubt_is_left_only_by_evidence_and_never_by_sending_again():
    assert State.SENDING not in MOVES[State.IN_DOUBT]
    assert State.QUEUED not in MOVES[State.IN_DOUBT]
    assert State.REFUSED not in MOVES[State.IN_DOUBT]


def test_every_open_state_can_reach_an_end():
    def reachable(state, seen=frozenset()):
        if state in seen:
            return seen
        found = seen | {state}
        for following in MOVES[state]:
            found = reachable(following, found)
        return found

    for state in OPEN:
        assert reachable(state) & DONE


def test_a_fill_may_follow_a_cancel():
    assert can_move(State.CANCELLED, State.FILLED)
    assert can_move(State.EXPIRED, State.FILLED)


def test_an_order_that_may_be_at_the_venue_is_never_called_refused_or_withdrawn():
    for state in AT_THE_VENUE | UNPROVEN:
        assert not MOVES[state] & {State.REFUSED, State.WITHDRAWN}


def test_every_venue_word_but_unknown_means_a_state():
    assert {status for status in OrderStatus if heard(status) is None} == {OrderStatus.UNKNOWN}
