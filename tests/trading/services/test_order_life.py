"""Whatever happens to an order in whatever sequence, the rules that keep money safe hold.

A random walk over tickets, sends, cancels, fills and every way a venue can fail to answer; after each
step the desk is held against what the venue really has.
"""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from unittest.mock import patch

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests import cast
from trading.models import ExecutionReport, Order
from trading.services import submission
from trading.services.cancels import TooLate, request_cancel, send_cancel
from trading.services.executions import hear, record
from trading.services.submission import look_up, submit
from trading.services.sweep import sweep
from trading.services.tickets import place
from trading.states import MOVES, State
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected
from venues.interface.types import OrderStatus

STEP = Decimal("0.1")
WHOLE = Decimal("0.5")


def fail(error):
    def step(_):
        raise error

    return step


def nothing(_):
    return None


AWAY = fail(NotSent("connection refused", cause=Cause.TEMPORARY))
BAD_KEY = fail(NotSent("the key is refused", cause=Cause.AUTH))
SILENT = fail(OutcomeUnknown("no answer", cause=Cause.TEMPORARY))
REFUSES = fail(Rejected("insufficient funds", cause=Cause.INSUFFICIENT_FUNDS))
NOT_LISTED = fail(Rejected("no such order", cause=Cause.NOT_FOUND))
BROKEN = fail(KeyError("order_id"))
# What happens before the venue has the order, and what after.
BEFORE = st.sampled_from([nothing, nothing, nothing, AWAY, BAD_KEY, SILENT, REFUSES])
AFTER = st.sampled_from([nothing, SILENT, BROKEN])


NEVER_ARRIVED = frozenset(
    {
        *(State.QUEUED, State.UNSENT, State.REJECTED, State.WITHDRAWN, State.REFUSED),
        *(State.AWAITING_APPROVAL, State.DENIED, State.VOIDED),
    }
)


def is_in_the_table(before, step):
    if before is None:
        return (step.here, step.there) == ("", State.QUEUED)
    return step.here == before.there and State(step.there) in MOVES[State(step.here)]


class Walk(RuleBasedStateMachine):
    venue: cast.ScriptedVenue
    trader: object
    settings: object

    orders = Bundle("orders")

    def __init__(self):
        super().__init__()
        self.run = Walk.runs = getattr(Walk, "runs", 0) + 1
        self.made = 0
        self.taken_back = set()
        for kept in (self.venue.orders, self.venue.placed, self.venue.fills):
            kept.clear()
        self.venue.on_place = self.venue.on_answer = self.venue.on_get = nothing

    def _mine(self):
        return Order.objects.filter(client_order_id__startswith=f"walk-{self.run}-")

    def _at_the_venue(self, order):
        return self.venue.orders.get(order.client_order_id)

    @rule(target=orders)
    def ticket(self):
        self.made += 1
        cast.publish_book(cast.symbol())
        key = f"walk-{self.run}-{self.made:03}"
        wanted = cast.ticket(self.trader, quantity=WHOLE)
        first = place(ticket=wanted, client_order_id=key, by=self.trader)
        assert place(ticket=wanted, client_order_id=key, by=self.trader).pk == first.pk
        return first

    @rule(order=orders, before=BEFORE, after=AFTER, is_looked_up=st.booleans())
    def send(self, order, before, after, is_looked_up):
        self.venue.on_place, self.venue.on_answer = before, after
        submit(order.pk)
        self.venue.on_place = self.venue.on_answer = nothing
        if is_looked_up:
            self.look_soon(order, NOT_LISTED)

    @rule(order=orders)
    def ask_for_a_cancel(self, order):
        is_there = self._at_the_venue(order) is not None
        try:
            request_cancel(order_id=order.pk, by=self.trader)
        except TooLate:
            return
        if not is_there:
            self.taken_back.add(order.client_order_id)

    @rule(order=orders)
    def ask_for_a_cancel_during_a_send_that_never_leaves(self, order):
        def nothing_leaves(*_, **__):
            self.ask_for_a_cancel(order)
            AWAY(None)

        with patch.object(submission, "send_order", nothing_leaves):
            submit(order.pk)
        # As the sweep would try it again.
        submit(order.pk)

    @rule(order=orders, away=st.sampled_from([nothing, AWAY, SILENT]))
    def cancel(self, order, away):
        self.venue.on_get = away
        if self._at_the_venue(order) is not None:
            send_cancel(order.pk)
        self.venue.on_get = nothing

    @rule(order=orders, told=st.booleans())
    def fill(self, order, told):
        """Fill a step at the venue; whether we hear of it at once is another matter."""
        theirs = self._at_the_venue(order)
        if theirs is None or theirs.filled_quantity + STEP > WHOLE:
            return
        if theirs.status is OrderStatus.CANCELLED:
            return
        done = theirs.filled_quantity + STEP
        status = OrderStatus.FILLED if done == WHOLE else OrderStatus.PARTIALLY_FILLED
        self.venue.orders[order.client_order_id] = cast.venue_order(
            order, status, filled_quantity=done
        )
        self.venue.fills.append(cast.fill(order, number=int(done / STEP), quantity=str(STEP)))
        if told:
            record(account=order.account, fills=self.venue.fills[-1:], by="stream")

    @rule(order=orders)
    def hear_the_stream(self, order):
        theirs = self._at_the_venue(order)
        if theirs is not None:
            hear(account=order.account, heard_order=theirs, by="stream")

    @rule(order=orders, away=st.sampled_from([nothing, AWAY, NOT_LISTED]))
    def look_soon(self, order, away):
        """Ask at once; a venue lists what it has a moment later than it has it."""
        self.venue.on_get = away
        look_up(order.pk)
        self.venue.on_get = nothing

    @rule(order=orders)
    def look_long_after(self, order):
        past = timezone.now() - timedelta(seconds=120)
        Order.objects.filter(pk=order.pk, state=State.IN_DOUBT).update(sent_at=past)
        self.settings.ORDER_SETTLE_SECONDS = 0
        look_up(order.pk)
        self.settings.ORDER_SETTLE_SECONDS = 15

    @rule()
    def sweep_orders(self):
        past = timezone.now() - timedelta(seconds=30)
        self._mine().update(placed_at=past, next_look_at=past)
        sweep()

    @invariant()
    def nothing_is_sent_twice(self):
        times = Counter(request.client_order_id for request in self.venue.placed)
        assert set(times.values()) <= {1}

    @invariant()
    def what_we_believe_agrees_with_what_the_venue_has(self):
        sent = {request.client_order_id for request in self.venue.placed}
        # A cancel that came before the order left keeps it here.
        assert not sent & self.taken_back
        for order in self._mine().prefetch_related("moves"):
            if order.client_order_id in sent:
                # It arrived: it works, is in doubt or is over as the venue says; a guess frees nothing.
                assert order.state not in NEVER_ARRIVED
            steps = sorted(order.moves.all(), key=lambda step: step.pk)
            assert steps[-1].there == order.state
            assert all(is_in_the_table(*pair) for pair in pairwise([None, *steps]))

    def teardown(self):
        """Once every message is in, the books say what the venue says."""
        self.sweep_orders()
        account = cast.account()
        record(account=account, fills=self.venue.fills, by="sweep")
        for order in self._mine():
            theirs = self._at_the_venue(order)
            if theirs is None:
                assert order.filled_quantity == 0
                continue
            hear(account=account, heard_order=theirs, by="sweep")
            order.refresh_from_db()
            assert order.filled_quantity == theirs.filled_quantity
            if theirs.status in {OrderStatus.FILLED, OrderStatus.CANCELLED}:
                assert order.state == theirs.status
        booked = ExecutionReport.objects.filter(order__in=self._mine())
        assert booked.count() == len(self.venue.fills)


@pytest.mark.slow
def test_no_sequence_of_events_breaks_the_rules(trader, scripted_venue, settings):
    settings.ORDER_SETTLE_SECONDS = 15
    Walk.trader, Walk.venue, Walk.settings = trader, scripted_venue, settings
    run_state_machine_as_test(Walk, settings=WALKS)


WALKS = hypothesis_settings(
    max_examples=10,
    stateful_step_count=14,
    deadline=None,
    # Each step is a handful of transactions: a short failure is not worth minutes of shrinking.
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
