from datetime import timedelta

import pytest
from django.utils import timezone

from tests import cast
from trading.models import Order
from trading.services.submission import look_up, submit
from trading.services.sweep import sweep
from trading.services.tickets import place
from trading.states import State
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected


@pytest.fixture
def queued(trader, live_book):
    return place(ticket=cast.ticket(trader), client_order_id="the-order", by=trader)


def state_of(order):
    return Order.objects.get(pk=order.pk).state


def raises(error):
    def step(_):
        raise error

    return step


def age(order, **delta):
    Order.objects.filter(pk=order.pk).update(
        **{name: timezone.now() - timedelta(seconds=seconds) for name, seconds in delta.items()}
    )


def test_an_order_is_sent_once_and_acknowledged(queued, scripted_venue):
    submit(queued.pk)
    submit(queued.pk)
    assert len(scripted_venue.placed) == 1
    order = Order.objects.get(pk=queued.pk)
    assert order.state == State.ACKNOWLEDGED
    assert order.venue_order_id == "V-the-order"
    assert order.sent_at is not None


def test_a_time_out_while_placing_is_doubt_and_the_look_up_finds_the_order(queued, scripted_venue):
    scripted_venue.on_answer = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
    submit(queued.pk)
    assert state_of(queued) == State.IN_DOUBT
    submit(queued.pk)
    look_up(queued.pk)
    assert state_of(queued) == State.ACKNOWLEDGED
    assert len(scripted_venue.placed) == 1


def test_absence_is_believed_only_after_the_settling_time(queued, scripted_venue):
    scripted_venue.on_place = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
    submit(queued.pk)
    look_up(queued.pk)
    assert state_of(queued) == State.IN_DOUBT
    age(queued, sent_at=120)
    look_up(queued.pk)
    order = Order.objects.get(pk=queued.pk)
    assert order.state == State.UNSENT
    assert "never arrived" in order.reason
    assert scripted_venue.placed == []


def test_doubt_stays_while_the_venue_is_away(queued, scripted_venue):
    scripted_venue.on_place = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
    submit(queued.pk)
    age(queued, sent_at=7200)
    scripted_venue.on_get = raises(NotSent("the venue is away", cause=Cause.TEMPORARY))
    look_up(queued.pk)
    assert state_of(queued) == State.IN_DOUBT


def test_a_rejection_is_final_and_keeps_the_venues_words(queued, scripted_venue):
    scripted_venue.on_place = raises(
        Rejected("Insufficient balance", cause=Cause.INSUFFICIENT_FUNDS, venue_code="NO_FUNDS")
    )
    submit(queued.pk)
    order = Order.objects.get(pk=queued.pk)
    assert (order.state, order.reason) == (State.REJECTED, "Insufficient balance")
    assert order.moves.last().evidence == {"venue_code": "NO_FUNDS"}


def test_what_never_left_is_sent_again_by_the_sweep(queued, scripted_venue):
    scripted_venue.on_place = raises(NotSent("connection refused", cause=Cause.TEMPORARY))
    submit(queued.pk)
    assert state_of(queued) == State.QUEUED
    scripted_venue.on_place = lambda request: None
    age(queued, placed_at=10)
    sweep()
    assert state_of(queued) == State.ACKNOWLEDGED


def test_an_order_that_waited_too_long_is_not_sent(queued, scripted_venue):
    age(queued, send_before=1)
    submit(queued.pk)
    assert state_of(queued) == State.UNSENT
    assert scripted_venue.placed == []


def test_a_failure_on_our_side_while_sending_is_doubt_and_never_failure(queued, scripted_venue):
    scripted_venue.on_answer = raises(KeyError("order_id"))
    submit(queued.pk)
    assert state_of(queued) == State.IN_DOUBT


def test_an_order_whose_sender_died_is_asked_about(queued, scripted_venue):
    Order.objects.filter(pk=queued.pk).update(state=State.SENDING)
    age(queued, sent_at=60)
    sweep()
    assert state_of(queued) == State.UNSENT or state_of(queued) == State.IN_DOUBT
    moves = [move.there for move in queued.moves.all()]
    assert State.IN_DOUBT in moves
    assert scripted_venue.placed == []


def test_switching_off_stops_an_order_that_is_queued(queued, scripted_venue):
    cast.desk_switch("off")
    submit(queued.pk)
    assert state_of(queued) == State.REFUSED
    assert scripted_venue.placed == []


def test_reduce_only_stops_a_queued_order_that_adds(queued, scripted_venue):
    cast.desk_switch("reduce_only")
    submit(queued.pk)
    assert state_of(queued) == State.REFUSED
    assert scripted_venue.placed == []
