from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import transaction

from cqops.platform.access.policy import Role
from portfolio.models import Position, PositionEntry
from portfolio.services.positions import absorb_executions, held_quantity
from tests import cast
from trading.models import ExecutionReport, Order
from trading.services.executions import hear, record
from trading.services.tickets import place
from venues.interface.types import OrderStatus, Side


@pytest.fixture
def orders(db):
    trader = cast.person(Role.TRADER)
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    made = []
    for number, side in enumerate([Side.BUY, Side.SELL]):
        order = place(
            ticket=cast.ticket(trader, side=side), client_order_id=f"order-{number}", by=trader
        )
        Order.objects.filter(pk=order.pk).update(
            venue_order_id=f"V-order-{number}", state="acknowledged"
        )
        made.append(Order.objects.with_names().get(pk=order.pk))
    return made


def fills_of(buy, sell):
    """Buy, buy dearer, sell part, buy again: average cost depends on the order of these."""
    rows = [(buy, "0.1", "100"), (buy, "0.1", "200"), (sell, "0.15", "180"), (buy, "0.1", "150")]
    return [
        replace(
            cast.fill(order, number=number, quantity=quantity, price=price),
            executed_at=cast.NOON + timedelta(seconds=number),
        )
        for number, (order, quantity, price) in enumerate(rows)
    ]


def state():
    row = Position.objects.get()
    return row.quantity, row.cost, row.realised, row.fees, row.executions


def test_any_order_of_arrival_gives_one_position(orders):
    fills = fills_of(*orders)
    results = set()
    for arrival in permutations(fills):
        mark = transaction.savepoint()
        for one in arrival:
            record(account=orders[0].account, fills=[one], by="t")
            absorb_executions()
        results.add(state())
        transaction.savepoint_rollback(mark)
    assert len(results) == 1
    quantity, cost, realised, fees, executions = results.pop()
    assert (quantity, executions, fees) == (Decimal("0.15"), 4, Decimal("0.4"))
    assert realised == Decimal("4.5")
    assert cost == Decimal("22.5")


def test_booking_again_changes_nothing(orders):
    record(account=orders[0].account, fills=fills_of(*orders), by="t")
    assert absorb_executions() == 4
    before = state()
    assert absorb_executions() == 0
    assert state() == before
    assert PositionEntry.objects.count() == 4


def test_what_is_held_is_the_position_of_that_portfolio_and_account(orders):
    record(account=orders[0].account, fills=fills_of(*orders)[:2], by="t")
    absorb_executions()
    symbol, account = orders[0].symbol, orders[0].account
    assert held_quantity(portfolio=cast.portfolio(), account=account, symbol=symbol) == Decimal(
        "0.2"
    )
    assert held_quantity(portfolio=cast.portfolio("Other"), account=account, symbol=symbol) == 0


def test_executions_that_came_before_their_order_was_known_are_adopted(orders):
    buy, _ = orders
    Order.objects.filter(pk=buy.pk).update(venue_order_id="", state="sending")
    record(account=buy.account, fills=fills_of(*orders)[:2], by="sweep")
    assert ExecutionReport.objects.filter(order=None).count() == 2
    told = cast.venue_order(
        buy,
        OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal("0.2"),
        venue_order_id="V-order-0",
    )
    assert hear(account=buy.account, heard_order=told, by="stream") is False
    buy.refresh_from_db()
    assert (buy.filled_quantity, buy.state) == (Decimal("0.2"), "partially_filled")
    assert absorb_executions() == 2


def test_an_execution_is_held_from_when_it_is_recorded_and_never_counted_twice(orders):
    buy, _ = orders
    where = {
        "portfolio": cast.portfolio(),
        "account": buy.account,
        "symbol": buy.symbol,
    }
    record(account=buy.account, fills=[cast.fill(buy, number=1, quantity="0.2")], by="t")
    assert held_quantity(**where) == Decimal("0.2")
    absorb_executions()
    assert held_quantity(**where) == Decimal("0.2")
    record(account=buy.account, fills=fills_of(*orders)[2:3], by="t")
    assert held_quantity(**where) == Decimal("0.05")
    absorb_executions()
    assert held_quantity(**where) == Decimal("0.05")
