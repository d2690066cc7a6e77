import pytest

from tests import cast
from trading.models import Order
from trading.services.cancels import TooLate, request_cancel, send_cancel
from trading.services.submission import submit
from trading.services.sweep import sweep
from trading.services.tickets import place
from trading.states import State


@pytest.fixture
def queued(trader, live_book, scripted_venue):
    return place(ticket=cast.ticket(trader), client_order_id="the-order", by=trader)


def test_an_order_that_was_not_sent_is_withdrawn(queued, trader, scripted_venue):
    assert request_cancel(order_id=queued.pk, by=trader).state == State.WITHDRAWN
    submit(queued.pk)
    assert scripted_venue.placed == []


def test_a_cancel_is_proven_by_the_orders_own_status(queued, trader, scripted_venue):
    submit(queued.pk)
    order = request_cancel(order_id=queued.pk, by=trader)
    assert (order.state, order.is_cancel_requested) == (State.ACKNOWLEDGED, True)
    send_cancel(queued.pk)
    assert Order.objects.get(pk=queued.pk).state == State.CANCELLED


def test_a_cancel_whose_doorbell_was_lost_is_sent_by_the_sweep(queued, trader, scripted_venue):
    submit(queued.pk)
    request_cancel(order_id=queued.pk, by=trader)
    sweep()
    assert len(scripted_venue.cancelled) == 1
    assert Order.objects.get(pk=queued.pk).state == State.CANCELLED


def test_a_cancel_is_accepted_while_trading_is_switched_off(queued, trader, scripted_venue):
    submit(queued.pk)
    cast.desk_switch("off")
    request_cancel(order_id=queued.pk, by=trader)
    send_cancel(queued.pk)
    assert Order.objects.get(pk=queued.pk).state == State.CANCELLED


def test_what_is_over_cannot_be_cancelled_and_says_so(queued, trader, scripted_venue):
    request_cancel(order_id=queued.pk, by=trader)
    with pytest.raises(TooLate, match="already over"):
        request_cancel(order_id=queued.pk, by=trader)
