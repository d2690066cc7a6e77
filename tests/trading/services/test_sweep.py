"""The sweep: one at a time, cancels first, and no account held up by another's venue."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from tests import cast
from trading.models import Order
from trading.services import sweep as module
from trading.services.cancels import request_cancel
from trading.services.submission import submit
from trading.services.sweep import sweep
from trading.services.tickets import place
from trading.states import State
from venues.interface.errors import Cause, NotSent, OutcomeUnknown


def ordered(trader, key, account="Main"):
    ticket = cast.ticket(trader, account=cast.account(account))
    return place(ticket=ticket, client_order_id=key, by=trader)


def let_wait():
    Order.objects.update(placed_at=F("placed_at") - timedelta(seconds=10))


@pytest.fixture
def calls(monkeypatch):
    """Record what the sweep does to which order; the account named `Dead` does not answer."""
    made = []

    def step(name):
        def work(key):
            order = Order.objects.select_related("account").get(pk=key)
            made.append((name, order.client_order_id))
            return order.account.name != "Dead"

        return work

    for name in ("send_cancel", "submit", "look_up"):
        monkeypatch.setattr(module, name, step(name))
    return made


def test_cancels_come_before_sends_and_look_ups(trader, live_book, scripted_venue, monkeypatch):
    working, doubtful = ordered(trader, "working-1"), ordered(trader, "doubtful-1")
    submit(working.pk)
    request_cancel(order_id=working.pk, by=trader)
    scripted_venue.on_place = _unknown
    submit(doubtful.pk)
    ordered(trader, "queued-01")
    let_wait()
    Order.objects.filter(state=State.IN_DOUBT).update(next_look_at=timezone.now())
    done = []
    for name in ("send_cancel", "submit", "look_up"):
        monkeypatch.setattr(module, name, lambda key, name=name: bool(done.append(name)) or True)
    sweep()
    assert done == ["send_cancel", "submit", "look_up"]


def _unknown(_):
    raise OutcomeUnknown("no answer", cause=Cause.TEMPORARY)  # noqa: EM101 -- the venue's words


def test_an_account_that_does_not_answer_is_left_alone_and_the_others_are_served(
    trader, live_book, calls
):
    for number in range(3):
        ordered(trader, f"dead-{number}00", "Dead")
        ordered(trader, f"alive-{number}0", "Alive")
    let_wait()
    sweep()
    assert [key for _, key in calls if key.startswith("dead")] == ["dead-000"]
    assert sorted(key for _, key in calls if key.startswith("alive")) == [
        "alive-00",
        "alive-10",
        "alive-20",
    ]


def test_many_orders_of_a_dead_account_hide_none_of_another(trader, live_book, calls, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(3):
        ordered(trader, f"dead-{number}00", "Dead")
    ordered(trader, "alive-last", "Alive")
    let_wait()
    sweep()
    assert ("submit", "alive-last") in calls


def test_a_venue_that_is_away_is_asked_once_a_sweep(trader, live_book, scripted_venue):
    tries = []

    def away(request):
        tries.append(request)
        message = "connection refused"
        raise NotSent(message, cause=Cause.TEMPORARY)

    scripted_venue.on_place = away
    orders = [ordered(trader, f"order-{number}0") for number in range(3)]
    let_wait()
    sweep()
    assert len(tries) == 1
    scripted_venue.on_place = lambda request: None
    sweep()
    assert {Order.objects.get(pk=one.pk).state for one in orders} == {State.ACKNOWLEDGED}


def test_one_order_that_fails_here_stops_no_other(trader, live_book, monkeypatch):
    for number in range(2):
        ordered(trader, f"order-{number}0")
    let_wait()
    tried = []

    def fail(key):
        tried.append(key)
        message = "a fault of ours"
        raise RuntimeError(message)

    monkeypatch.setattr(module, "submit", fail)
    sweep()
    assert len(tried) == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_second_sweep_leaves_while_the_first_still_runs(monkeypatch):
    runs, is_inside, may_end = [], threading.Event(), threading.Event()

    def go_through():
        runs.append(threading.current_thread().name)
        is_inside.set()
        assert may_end.wait(30)

    def first():
        try:
            sweep()
        finally:
            connection.close()

    monkeypatch.setattr(module, "_go_through", go_through)
    thread = threading.Thread(target=first, name="first")
    thread.start()
    assert is_inside.wait(30)
    sweep()
    may_end.set()
    thread.join()
    assert runs == ["first"]
    sweep()
    assert len(runs) == 2
