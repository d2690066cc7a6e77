"""How old the queue is: since an order could be sent, and not since it was asked for."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.services import Verdict, decide, settle
from tests import cast
from trading.models import Order
from trading.services import waiting
from trading.services.orders import advance, lock
from trading.services.tickets import place
from trading.services.waiting import queue
from trading.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(trader, live_book):
    return place(ticket=cast.ticket(trader), client_order_id="the-order", by=trader)


@pytest.fixture
def later(monkeypatch):
    """Let the queue be looked at some seconds from now."""

    def look(seconds):
        at = timezone.now() + timedelta(seconds=seconds)
        monkeypatch.setattr(waiting, "timezone", SimpleNamespace(now=lambda: at))
        return queue()

    return look


def test_an_empty_queue_is_well(db):
    assert queue() == (True, "none waits to be sent")


def test_an_order_nobody_sends_is_late_after_half_a_minute(order, later):
    assert later(20)[0]
    is_well, words = later(31)
    assert not is_well
    assert words.startswith("1 wait to be sent, the oldest 31.")


def test_the_time_a_second_person_took_is_not_the_workers(trader, live_book):
    order = place(
        ticket=cast.ticket(trader, quantity=Decimal("1.2")), client_order_id="large", by=trader
    )
    assert queue() == (True, "none waits to be sent")
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now() - timedelta(minutes=20))
    request = Order.objects.with_names().get(pk=order.pk).approval
    decide(
        request_id=request.pk,
        by=cast.person(Role.APPROVER, "alma"),
        verdict=Verdict.APPROVE,
        is_confirmed=True,
        seen_hash=request.instruction_hash,
    )
    settle(request.pk)

    assert Order.objects.get().state == State.QUEUED
    is_well, words = queue()
    assert is_well
    assert words.startswith("1 wait to be sent, the oldest 0.")


def test_one_that_is_put_back_goes_on_waiting_and_is_counted_once(order, later):
    at = timezone.now() + timedelta(seconds=25)
    advance(lock(order.pk), State.SENDING, at=at, by="test")
    assert queue() == (True, "none waits to be sent")
    advance(lock(order.pk), State.QUEUED, at=at, by="test")

    is_well, words = later(40)
    assert not is_well
    assert words.startswith("1 wait to be sent, the oldest 40.")
