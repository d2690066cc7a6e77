from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from portfolio.models import Position
from portfolio.services.positions import absorb_executions
from tests import cast
from trading.models import ExecutionReport, Order
from trading.services.executions import hear, record
from trading.services.submission import submit
from trading.services.tickets import place
from trading.states import State
from venues.interface.types import OrderStatus


@pytest.fixture
def working(trader, live_book, scripted_venue):
    order = place(ticket=cast.ticket(trader), client_order_id="the-order", by=trader)
    submit(order.pk)
    return Order.objects.with_names().get(pk=order.pk)


def told(order, status, filled="0"):
    return cast.venue_order(order, status, filled_quantity=Decimal(filled))


def test_an_execution_is_booked_once_however_often_it_comes(working):
    fills = [cast.fill(working, number=1, quantity="0.2")]
    assert record(account=working.account, fills=fills, by="stream") == 1
    assert record(account=working.account, fills=fills, by="sweep") == 0
    working.refresh_from_db()
    assert working.filled_quantity == Decimal("0.2")
    assert working.state == State.PARTIALLY_FILLED


def test_an_order_is_filled_only_when_its_executions_are_here(working):
    assert hear(
        account=working.account, heard_order=told(working, OrderStatus.FILLED, "0.5"), by="t"
    )
    working.refresh_from_db()
    assert working.state == State.ACKNOWLEDGED
    record(account=working.account, fills=[cast.fill(working, number=1, quantity="0.5")], by="t")
    working.refresh_from_db()
    assert working.state == State.FILLED


def test_a_fill_that_crossed_the_cancel_is_booked_and_completes_the_order(working):
    hear(account=working.account, heard_order=told(working, OrderStatus.CANCELLED), by="t")
    working.refresh_from_db()
    assert working.state == State.CANCELLED
    record(account=working.account, fills=[cast.fill(working, number=1, quantity="0.5")], by="t")
    working.refresh_from_db()
    assert (working.state, working.filled_quantity) == (State.FILLED, Decimal("0.5"))


def test_an_old_message_moves_nothing_back(working):
    record(account=working.account, fills=[cast.fill(working, number=1, quantity="0.5")], by="t")
    hear(account=working.account, heard_order=told(working, OrderStatus.ACKNOWLEDGED), by="t")
    hear(account=working.account, heard_order=told(working, OrderStatus.UNKNOWN), by="t")
    working.refresh_from_db()
    assert working.state == State.FILLED


def test_a_foreign_execution_is_kept_without_an_order(working):
    stray = cast.fill(working, number=9, quantity="1")
    foreign = type(stray)(
        **{
            **{name: getattr(stray, name) for name in stray.__dataclass_fields__},
            "venue_order_id": "somebody-else",
            "client_order_id": "",
        }
    )
    assert record(account=working.account, fills=[foreign], by="sweep") == 1
    assert ExecutionReport.objects.get().order is None


def test_history_refuses_to_be_changed(working):
    record(account=working.account, fills=[cast.fill(working, number=1, quantity="0.2")], by="t")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ExecutionReport.objects.update(price=1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ExecutionReport.objects.all().delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        working.moves.all()._raw_delete("default")


@pytest.mark.slow
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_and_any_repetition_of_reports_gives_one_result(working, data):
    fills = [cast.fill(working, number=n, quantity="0.1", price=str(50_000 + n)) for n in range(5)]
    messages = data.draw(
        st.permutations([*fills, *fills[:3], "ack", "partial", "filled", "cancelled"])
    )
    sent = {
        "ack": told(working, OrderStatus.ACKNOWLEDGED),
        "partial": told(working, OrderStatus.PARTIALLY_FILLED, "0.2"),
        "filled": told(working, OrderStatus.FILLED, "0.5"),
        "cancelled": told(working, OrderStatus.CANCELLED),
    }
    with transaction.atomic():
        mark = transaction.savepoint()
        for message in messages:
            if isinstance(message, str):
                hear(account=working.account, heard_order=sent[message], by="t")
            else:
                record(account=working.account, fills=[message], by="t")
        absorb_executions()
        absorb_executions()
        order = Order.objects.get(pk=working.pk)
        position = Position.objects.get()
        assert order.state == State.FILLED
        assert order.filled_quantity == Decimal("0.5")
        assert position.quantity == Decimal("0.5")
        assert position.cost == sum(f.price * f.quantity for f in fills)
        assert position.executions == 5
        transaction.savepoint_rollback(mark)
