import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from cqops.platform.access.policy import Role
from tests import cast
from trading.models import Order, Portfolio
from trading.services import submission
from trading.services.cancels import request_cancel
from trading.services.submission import look_up, submit
from trading.services.sweep import sweep
from trading.services.tickets import place
from trading.states import State
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected
from venues.interface.types import Side
from venues.models import SymbolStatus, VenueSymbol


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


def test_absence_is_believed_only_after_the_settling_time(queued, scripted_venue, settings):
    scripted_venue.on_place = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
    submit(queued.pk)
    look_up(queued.pk)
    assert state_of(queued) == State.IN_DOUBT
    age(queued, sent_at=120)
    look_up(queued.pk)
    assert state_of(queued) == State.IN_DOUBT, "the doubt itself is only moments old"
    settings.ORDER_SETTLE_SECONDS = 0
    look_up(queued.pk)
    order = Order.objects.get(pk=queued.pk)
    assert order.state == State.UNSENT
    assert "never arrived" in order.reason
    assert scripted_venue.placed == []


def test_a_venue_that_lists_late_is_given_longer(queued, scripted_venue, settings, monkeypatch):
    settings.ORDER_SETTLE_SECONDS = 0
    monkeypatch.setattr("trading.services.submission.absence_seconds", lambda account: 30.0)
    scripted_venue.on_place = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
    submit(queued.pk)
    age(queued, sent_at=3600)
    look_up(queued.pk)
    assert state_of(queued) == State.IN_DOUBT
    monkeypatch.setattr("trading.services.submission.absence_seconds", lambda account: 0.0)
    look_up(queued.pk)
    assert state_of(queued) == State.UNSENT


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
    moves = [move.there for move in queued.moves.order_by("id")]
    assert moves == [State.QUEUED, State.IN_DOUBT]
    assert state_of(queued) == State.IN_DOUBT
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


def test_a_cancel_that_came_during_the_send_ends_an_order_that_never_left(
    queued, trader, scripted_venue, monkeypatch
):
    def cancelled_meanwhile(*_, **__):
        assert request_cancel(order_id=queued.pk, by=trader).state == State.SENDING
        message = "connection refused"
        raise NotSent(message, cause=Cause.TEMPORARY)

    with monkeypatch.context() as patch:
        patch.setattr(submission, "send_order", cancelled_meanwhile)
        submit(queued.pk)
    order = Order.objects.get(pk=queued.pk)
    assert order.state == State.WITHDRAWN
    steps = [move.there for move in order.moves.order_by("id")]
    assert steps == [State.QUEUED, State.SENDING, State.QUEUED, State.WITHDRAWN]
    age(queued, placed_at=10)
    sweep()
    assert scripted_venue.placed == []


def test_a_queued_order_whose_cancel_was_asked_for_is_not_claimed(queued, scripted_venue):
    Order.objects.filter(pk=queued.pk).update(is_cancel_requested=True)
    submit(queued.pk)
    assert state_of(queued) == State.WITHDRAWN
    assert scripted_venue.placed == []


def test_a_claim_that_was_overtaken_sends_nothing(queued, scripted_venue, monkeypatch):
    monkeypatch.setattr(submission, "CLAIM_GOOD_FOR", timedelta(seconds=-1))
    submit(queued.pk)
    order = Order.objects.get(pk=queued.pk)
    assert (order.state, scripted_venue.placed) == (State.QUEUED, [])
    assert "held up" in order.reason


def test_an_answer_about_another_order_is_not_believed(queued, scripted_venue):
    scripted_venue.on_answer = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
    submit(queued.pk)
    theirs = scripted_venue.orders["the-order"]
    scripted_venue.orders["the-order"] = replace(theirs, client_order_id="somebody-else")
    look_up(queued.pk)
    assert state_of(queued) == State.IN_DOUBT


class TestBeforeTheSend:
    """What let the order be placed is asked again in the transaction that claims it."""

    @pytest.mark.parametrize("part", ["account", "venue"])
    def test_a_part_that_was_switched_off_meanwhile_stops_it(self, queued, scripted_venue, part):
        row = queued.account if part == "account" else queued.account.venue
        type(row).objects.filter(pk=row.pk).update(is_enabled=False)
        submit(queued.pk)
        order = Order.objects.get(pk=queued.pk)
        assert (order.state, scripted_venue.placed) == (State.REFUSED, [])
        assert "is switched off" in order.reason

    def test_a_portfolio_that_was_closed_meanwhile_stops_it(self, queued, scripted_venue):
        Portfolio.objects.update(is_open=False)
        submit(queued.pk)
        assert (state_of(queued), scripted_venue.placed) == (State.REFUSED, [])

    @pytest.mark.parametrize("status", [SymbolStatus.HALTED, SymbolStatus.GONE])
    def test_a_symbol_that_was_stopped_meanwhile_stops_it(self, queued, scripted_venue, status):
        VenueSymbol.objects.update(status=status)
        submit(queued.pk)
        assert (state_of(queued), scripted_venue.placed) == (State.REFUSED, [])

    def test_a_limit_that_was_lowered_meanwhile_stops_it(self, queued, scripted_venue, settings):
        settings.ORDER_MAX_NOTIONAL = 20_000
        submit(queued.pk)
        order = Order.objects.get(pk=queued.pk)
        assert (order.state, scripted_venue.placed) == (State.REFUSED, [])
        assert "Too large" in order.reason

    def test_a_value_that_grew_past_one_person_stops_it(self, queued, scripted_venue, settings):
        settings.ORDER_APPROVAL_NOTIONAL = 20_000
        submit(queued.pk)
        assert (state_of(queued), scripted_venue.placed) == (State.REFUSED, [])

    def test_a_price_that_left_the_collar_stops_it(self, queued, scripted_venue):
        cast.publish_book(cast.symbol(), bid="44000.00", ask="44001.00")
        submit(queued.pk)
        assert (state_of(queued), scripted_venue.placed) == (State.REFUSED, [])

    def test_a_stale_book_is_waited_for(self, queued, scripted_venue):
        cast.publish_book(cast.symbol(), age=60)
        submit(queued.pk)
        order = Order.objects.get(pk=queued.pk)
        assert (order.state, scripted_venue.placed) == (State.QUEUED, [])
        assert order.reason.startswith("Not sent yet: The book is stale")
        cast.publish_book(cast.symbol())
        submit(queued.pk)
        assert state_of(queued) == State.ACKNOWLEDGED

    @pytest.mark.parametrize("is_stale", [True, False])
    def test_the_way_out_is_held_up_by_no_book_and_no_bound(
        self, trader, live_book, scripted_venue, monkeypatch, settings, is_stale
    ):
        monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: Decimal(1))
        sell = place(
            ticket=cast.ticket(trader, side=Side.SELL), client_order_id="way-out-1", by=trader
        )
        if is_stale:
            cast.publish_book(cast.symbol(), age=60)
        else:
            cast.publish_book(cast.symbol(), bid="60000.00", ask="60001.00")
        cast.suspend(cast.symbol())
        settings.ORDER_APPROVAL_NOTIONAL = settings.ORDER_MAX_NOTIONAL = 20_000
        submit(sell.pk)
        assert state_of(sell) == State.ACKNOWLEDGED


class TestTwoExits:
    """Each of two orders would bring one holding to zero; together they would go past it."""

    @pytest.fixture
    def held(self, trader, live_book, scripted_venue, monkeypatch):
        monkeypatch.setattr(
            "portfolio.services.positions.held_quantity", lambda **_: Decimal("0.5")
        )

    def exit(self, trader, key):
        ticket = cast.ticket(trader, side=Side.SELL)
        return place(ticket=ticket, client_order_id=key, by=trader)

    def test_the_second_is_refused_when_it_is_placed(self, held, trader):
        cast.desk_switch("reduce_only")
        first, second = self.exit(trader, "exit-one"), self.exit(trader, "exit-two")
        assert (first.state, second.state) == (State.QUEUED, State.REFUSED)
        assert "at most 0 is left to reduce" in second.reason

    def test_the_second_is_refused_when_both_were_queued_before(self, held, trader, scripted_venue):
        first, second = self.exit(trader, "exit-one"), self.exit(trader, "exit-two")
        cast.desk_switch("reduce_only")
        submit(first.pk)
        submit(second.pk)
        assert (state_of(first), state_of(second)) == (State.ACKNOWLEDGED, State.REFUSED)
        assert len(scripted_venue.placed) == 1

    def test_an_exit_in_doubt_still_takes_its_part(self, held, trader, scripted_venue):
        first, second = self.exit(trader, "exit-one"), self.exit(trader, "exit-two")
        cast.desk_switch("reduce_only")
        scripted_venue.on_answer = raises(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
        submit(first.pk)
        submit(second.pk)
        assert (state_of(first), state_of(second)) == (State.IN_DOUBT, State.REFUSED)

    def test_one_that_is_over_leaves_room_for_the_next(self, held, trader, scripted_venue):
        cast.desk_switch("reduce_only")
        first = self.exit(trader, "exit-one")
        submit(first.pk)
        Order.objects.filter(pk=first.pk).update(state=State.CANCELLED)
        assert self.exit(trader, "exit-two").state == State.QUEUED


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_exits_sent_at_once_one_leaves(scripted_venue, monkeypatch):
    trader = cast.person(Role.TRADER)
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: Decimal("0.5"))
    ticket = cast.ticket(trader, side=Side.SELL)
    exits = [place(ticket=ticket, client_order_id=f"exit-{n}-x", by=trader) for n in range(4)]
    cast.desk_switch("reduce_only")

    def work(key):
        try:
            submit(key)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[order.pk]) for order in exits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(state_of(order) for order in exits) == [State.ACKNOWLEDGED, *[State.REFUSED] * 3]
    assert len(scripted_venue.placed) == 1
