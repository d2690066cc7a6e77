import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection

from cqops.platform.access.policy import Role
from tests import cast
from trading.models import Order
from trading.services.tickets import Conflict, place
from trading.states import State
from venues.interface.types import OrderType, Side, TimeInForce
from venues.models import SymbolStatus


def test_a_good_ticket_is_queued_with_its_verdicts(trader, live_book):
    order = place(ticket=cast.ticket(trader), client_order_id="first-one", by=trader)
    assert order.state == State.QUEUED
    assert {verdict["outcome"] for verdict in order.verdicts} == {"allow"}
    assert [move.there for move in order.moves.all()] == [State.QUEUED]


def test_a_repeat_returns_the_first_order(trader, live_book):
    first = place(ticket=cast.ticket(trader), client_order_id="same-key", by=trader)
    again = place(ticket=cast.ticket(trader), client_order_id="same-key", by=trader)
    assert again.pk == first.pk
    assert Order.objects.count() == 1


def test_a_repeat_with_other_content_is_a_conflict(trader, live_book):
    place(ticket=cast.ticket(trader), client_order_id="same-key", by=trader)
    other = cast.ticket(trader, quantity=Decimal("0.6"))
    with pytest.raises(Conflict, match="already belongs to another order"):
        place(ticket=other, client_order_id="same-key", by=trader)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": Decimal("0.00005")}, "multiple of 0.0001"),
        ({"limit_price": Decimal("50000.001")}, "multiple of 0.01"),
        ({"quantity": Decimal(6)}, "Too large"),
        ({"limit_price": Decimal(56000)}, "worse than the best price"),
    ],
)
def test_a_ticket_that_breaks_a_rule_is_refused_in_words(trader, live_book, changes, words):
    order = place(ticket=cast.ticket(trader, **changes), client_order_id="refused-1", by=trader)
    assert order.state == State.REFUSED
    assert words in order.reason


def test_a_stale_book_prices_nothing(trader):
    cast.publish_book(cast.symbol(), age=60)
    order = place(ticket=cast.ticket(trader), client_order_id="stale-book", by=trader)
    assert order.state == State.REFUSED
    assert "prices nothing" in order.reason


def test_a_missing_book_refuses_a_market_order(trader, settings):
    cast.publish_book(cast.symbol(), state="syncing")
    market = cast.ticket(
        trader, order_type=OrderType.MARKET, limit_price=None, time_in_force=TimeInForce.IOC
    )
    order = place(ticket=market, client_order_id="no-book-1", by=trader)
    assert order.state == State.REFUSED


def test_the_way_out_stays_open_under_a_stale_book(trader, monkeypatch):
    cast.publish_book(cast.symbol(), age=60)
    monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: Decimal(1))
    sell = cast.ticket(trader, side=Side.SELL)
    order = place(ticket=sell, client_order_id="way-out-1", by=trader)
    assert order.state == State.QUEUED
    assert any(verdict["outcome"] == "warn" for verdict in order.verdicts)
    past_zero = replace(sell, quantity=Decimal("1.5"))
    assert place(ticket=past_zero, client_order_id="way-out-2", by=trader).state == State.REFUSED


def test_trading_switched_off_refuses_everything_and_says_why(trader, live_book):
    cast.desk_switch("off")
    order = place(ticket=cast.ticket(trader), client_order_id="switched-off", by=trader)
    assert order.state == State.REFUSED
    assert "Trading is switched off" in order.reason


def test_reduce_only_lets_only_the_way_out_through(trader, live_book, monkeypatch):
    cast.desk_switch("reduce_only")
    monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: Decimal(1))
    buy = place(ticket=cast.ticket(trader), client_order_id="reduce-buy", by=trader)
    sell = place(
        ticket=cast.ticket(trader, side=Side.SELL), client_order_id="reduce-sell", by=trader
    )
    assert (buy.state, sell.state) == (State.REFUSED, State.QUEUED)


def test_a_halted_symbol_is_refused(trader, live_book):
    row = cast.symbol()
    row.status = SymbolStatus.HALTED
    row.save()
    order = place(ticket=cast.ticket(trader), client_order_id="halted-1", by=trader)
    assert order.state == State.REFUSED


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_threads_with_one_key_make_one_order():
    trader = cast.person(Role.TRADER)
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    wanted = cast.ticket(trader)
    found, problems = [], []

    def work():
        try:
            found.append(place(ticket=wanted, client_order_id="racing-key", by=trader).pk)
        except Exception as error:  # noqa: BLE001 -- told to the main thread
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert len(set(found)) == 1
    assert Order.objects.count() == 1
