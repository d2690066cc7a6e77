from __future__ import annotations

import asyncio

import pytest

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.transport.answers import HeldBack
from venues.transport.breaker import Breaker, State, Tolerance, View
from venues.transport.operation import Priority

TOLERANCE = Tolerance(failures=3, first_pause_seconds=2, longest_pause_seconds=10)
TEMPORARY = NotSent("503", cause=Cause.TEMPORARY)


class Account:
    """A venue account whose answers are given one by one."""

    def __init__(self) -> None:
        self.now = 0.0
        self.moves: list[State] = []
        self.breaker = Breaker(
            stopwatch=lambda: self.now, tolerance=TOLERANCE, on_change=self.changed
        )

    def changed(self, view: View) -> None:
        self.moves.append(view.state)

    def call(self, error: Exception | None = None, priority: Priority = Priority.READ) -> bool:
        """Make one call that ends so; say whether it was let out."""
        is_out = False
        try:
            with self.breaker.passage(priority):
                is_out = True
                if error is not None:
                    raise error
        except (VenueError, RuntimeError):
            pass
        return is_out

    @property
    def state(self) -> State:
        return self.breaker.view().state


def broken() -> Account:
    account = Account()
    for _ in range(3):
        account.call(TEMPORARY)
    assert account.state is State.OPEN
    return account


@pytest.mark.parametrize("error", [TEMPORARY, OutcomeUnknown("cut", cause=Cause.TEMPORARY)])
def test_it_opens_after_so_many_temporary_failures_in_a_row(error):
    account = Account()
    account.call(error)
    account.call(error)
    account.call()
    account.call(error)
    account.call(error)
    assert account.state is State.CLOSED

    account.call(error)
    assert account.state is State.OPEN


@pytest.mark.parametrize(
    "error",
    [
        Rejected("no", cause=Cause.INVALID),
        Rejected("too little", cause=Cause.INSUFFICIENT_FUNDS),
        NotSent("429", cause=Cause.RATE_LIMITED),
        NotSent("bad url", cause=Cause.INVALID),
        HeldBack("budget", cause=Cause.TEMPORARY),
        RuntimeError("ours"),
    ],
    ids=repr,
)
def test_a_refusal_a_throttle_and_our_own_no_never_open_it(error):
    account = Account()
    for _ in range(20):
        account.call(error)

    assert account.state is State.CLOSED


def test_a_throttle_between_two_failures_does_not_forgive_them():
    account = Account()
    account.call(TEMPORARY)
    account.call(TEMPORARY)
    account.call(NotSent("429", cause=Cause.RATE_LIMITED))
    account.call(TEMPORARY)

    assert account.state is State.OPEN


@pytest.mark.parametrize("priority", [Priority.READ, Priority.ORDER])
def test_an_open_one_lets_nothing_out_but_says_unsent_and_until_when(priority):
    account = broken()

    with (
        pytest.raises(HeldBack) as refused,
        account.breaker.passage(priority),
    ):
        pytest.fail("it was let out")
    assert refused.value.cause is Cause.TEMPORARY
    assert refused.value.retry_after == 2


def test_it_never_stands_in_the_way_of_a_rescue():
    account = broken()

    for _ in range(50):
        assert account.call(TEMPORARY, Priority.RESCUE)
    assert account.state is State.OPEN


def test_after_its_pause_one_call_tries_and_an_answer_closes_it():
    account = broken()
    account.now += 2

    assert account.call()
    assert account.state is State.CLOSED
    assert account.moves == [State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_probe_that_fails_doubles_the_pause_up_to_the_longest():
    account = broken()
    pauses = []
    for _ in range(5):
        account.now += account.breaker.view().again_in_seconds
        account.call(TEMPORARY)
        pauses.append(account.breaker.view().again_in_seconds)

    assert pauses == [4, 8, 10, 10, 10]


def test_only_one_call_is_the_probe():
    account = broken()
    account.now += 2

    with account.breaker.passage(Priority.READ):
        assert not account.call()
        assert account.call(priority=Priority.RESCUE)
    assert account.state is State.CLOSED


def test_a_probe_that_was_cancelled_leaves_its_place_to_the_next():
    account = broken()
    account.now += 2
    with pytest.raises(asyncio.CancelledError), account.breaker.passage(Priority.READ):
        raise asyncio.CancelledError

    assert account.call()
    assert account.state is State.CLOSED


def test_an_answered_rescue_earns_a_probe_before_the_pause_is_over():
    account = broken()

    account.call(priority=Priority.RESCUE)

    assert account.state is State.HALF_OPEN
    assert account.call()
    assert account.state is State.CLOSED


def test_its_view_names_what_failed_last():
    view = broken().breaker.view()

    assert (view.state, view.failures, view.again_in_seconds) == (State.OPEN, 3, 2)
    assert view.last_failure == "503"
