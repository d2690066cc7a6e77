"""An order above the threshold: asked, decided, released once, and never sent without all of it."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import (
    Changed,
    NotYours,
    Verdict,
    decide,
    expire_due,
    settle,
    settle_left,
    withdraw,
)
from cqops.platform.audit.models import Entry
from cqops.platform.telemetry.logs import Lines
from tests import cast
from trading.models import Order
from trading.services.cancels import request_cancel
from trading.services.submission import submit
from trading.services.sweep import sweep
from trading.services.tickets import place
from trading.states import State
from venues.interface.errors import Cause, NotSent
from venues.interface.types import OrderType, Side, TimeInForce

LARGE = Decimal("1.2")


@pytest.fixture
def approver(db):
    return cast.person(Role.APPROVER, "alma")


@pytest.fixture
def waiting(trader, live_book):
    return place(ticket=cast.ticket(trader, quantity=LARGE), client_order_id="large-1", by=trader)


@pytest.fixture
def market(trader, live_book):
    ticket = cast.ticket(
        trader,
        quantity=LARGE,
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.IOC,
    )
    return place(ticket=ticket, client_order_id="large-market", by=trader)


def say(order, by, verdict=Verdict.APPROVE, reason=""):
    request = order.approval
    decide(
        request_id=request.pk,
        by=by,
        verdict=verdict,
        reason=reason,
        is_confirmed=True,
        seen_hash=request.instruction_hash,
    )
    settle(request.pk)


def again(order):
    return Order.objects.with_names().get(pk=order.pk)


def force(order, **columns):
    """Change the row behind every service's back."""
    Order.objects.filter(pk=order.pk).update(**columns)


def refuse_connections(_):
    raise NotSent("connection refused", cause=Cause.TEMPORARY)  # noqa: EM101 -- the venue's words


class TestAsking:
    def test_a_large_order_waits_with_a_request_for_exactly_it(self, waiting):
        assert waiting.state == State.AWAITING_APPROVAL
        request = waiting.approval
        shown = {row.label: row.text for row in request.instruction_rows}
        assert (shown["Side"], shown["Quantity"], shown["Limit price"]) == ("buy", "1.2", "50000")
        assert (shown["Account"], shown["Portfolio"]) == ("Main", "Alpha")
        assert request.title == "Buy 1.2 BTC at most 50000 USD"
        seen = {row.label: row.text for row in request.snapshot_rows}
        assert (seen["Best bid"], seen["Value"], seen["Held after a complete fill"]) == (
            "50000",
            "60000",
            "1.2",
        )
        assert Decimal(request.facts["notional"]) == 60_000

    def test_a_small_order_asks_nobody(self, trader, live_book):
        order = place(ticket=cast.ticket(trader), client_order_id="small-one", by=trader)
        assert (order.state, order.approval) == (State.QUEUED, None)

    def test_at_the_threshold_one_person_is_enough(self, trader, live_book):
        ticket = cast.ticket(trader, quantity=Decimal(1))
        assert place(ticket=ticket, client_order_id="just-one", by=trader).state == State.QUEUED

    def test_what_a_check_blocks_asks_nobody_either(self, trader, live_book):
        ticket = cast.ticket(trader, quantity=Decimal(6))
        order = place(ticket=ticket, client_order_id="too-large", by=trader)
        assert (order.state, order.approval) == (State.REFUSED, None)
        assert not Request.objects.exists()

    def test_a_repeat_asks_no_second_time(self, trader, waiting):
        again = place(
            ticket=cast.ticket(trader, quantity=LARGE), client_order_id="large-1", by=trader
        )
        assert again.pk == waiting.pk
        assert Request.objects.count() == 1

    def test_a_market_order_carries_the_worst_price_accepted(self, market):
        assert market.worst_price == Decimal("55001.10")
        shown = {row.label: row.text for row in market.approval.instruction_rows}
        assert shown["Worst price accepted"] == "55001.1"


class TestDeciding:
    def test_approved_it_is_queued_sent_once_and_its_approval_used(
        self, waiting, approver, scripted_venue
    ):
        say(waiting, approver)
        order = again(waiting)
        assert (order.state, order.reason) == (State.QUEUED, "Approved by alma.")
        submit(order.pk)
        submit(order.pk)
        order = again(waiting)
        assert order.state == State.ACKNOWLEDGED
        assert order.approval.state == "executed"
        assert len(scripted_venue.placed) == 1

    def test_refused_it_is_denied_with_the_reason(self, waiting, approver, scripted_venue):
        say(waiting, approver, Verdict.REFUSE, "Not before the meeting.")
        order = again(waiting)
        assert (order.state, order.reason) == (State.DENIED, "alma: Not before the meeting.")

    def test_nobody_approves_their_own_order(self, waiting, trader):
        cast.grant(trader, Role.APPROVER)
        with pytest.raises(NotYours):
            say(waiting, trader)
        with pytest.raises(NotYours):
            say(waiting, cast.person(Role.ADMIN))

    def test_an_approver_of_another_account_is_not_asked(self, waiting):
        other = cast.account("Other")
        near = cast.person(Role.APPROVER, scope="account", scope_id=waiting.account_id)
        far = cast.person(Role.APPROVER, scope="account", scope_id=other.pk)
        with pytest.raises(NotYours):
            say(waiting, far)
        say(waiting, near)
        assert again(waiting).state == State.QUEUED

    def test_one_digit_changed_before_the_decision_voids_it(self, waiting, approver):
        force(waiting, quantity=Decimal("1.3"))
        with pytest.raises(Changed):
            say(waiting, approver)
        settle_left()
        assert again(waiting).state == State.VOIDED


class TestSending:
    def test_a_denied_order_replayed_by_a_worker_stays_here(
        self, waiting, approver, scripted_venue
    ):
        say(waiting, approver, Verdict.REFUSE, "No.")
        submit(waiting.pk)
        force(waiting, state=State.QUEUED, placed_at=cast.NOON)
        submit(waiting.pk)
        assert scripted_venue.placed == []
        assert again(waiting).state == State.VOIDED

    @pytest.mark.parametrize("state", [State.QUEUED, State.AWAITING_APPROVAL])
    def test_an_order_nobody_decided_is_not_sent(self, waiting, scripted_venue, state):
        force(waiting, state=state)
        submit(waiting.pk)
        sweep()
        assert scripted_venue.placed == []

    def test_an_order_that_lost_its_request_is_not_sent(self, waiting, scripted_venue):
        force(waiting, state=State.QUEUED, approval=None)
        submit(waiting.pk)
        assert scripted_venue.placed == []

    def test_one_digit_changed_after_the_approval_is_not_sent(
        self, waiting, approver, scripted_venue
    ):
        say(waiting, approver)
        force(waiting, limit_price=Decimal("50000.01"))
        submit(waiting.pk)
        order = again(waiting)
        assert (order.state, order.approval.state) == (State.VOIDED, "voided")
        assert "changed" in order.reason
        assert scripted_venue.placed == []

    def test_what_is_written_at_the_send_names_the_decision_behind_it(
        self, waiting, approver, scripted_venue, caplog, monkeypatch
    ):
        lines = Lines("venues.transport.redact.redact_text")
        monkeypatch.setattr(caplog.handler, "formatter", lines)
        say(waiting, approver)

        def broken(_):
            raise ZeroDivisionError

        scripted_venue.on_place = broken
        submit(waiting.pk)
        assert f"decision={waiting.approval_id}" in caplog.text.split("unexpected failure")[1]

    @pytest.mark.parametrize("why", ["switch", "changed"])
    def test_an_entry_about_an_order_that_was_not_sent_names_the_decision(
        self, waiting, approver, scripted_venue, why
    ):
        say(waiting, approver)
        if why == "switch":
            cast.desk_switch("off")
        else:
            force(waiting, limit_price=Decimal("50000.01"))
        submit(waiting.pk)
        action = "order.refused" if why == "switch" else "order.voided"
        assert Entry.objects.get(action=action).decision_id == str(waiting.approval_id)

    def test_the_database_lets_no_unreleased_order_reach_the_venue(self, waiting):
        with pytest.raises(IntegrityError, match="released"), transaction.atomic():
            force(waiting, state=State.SENDING)

    def test_what_never_left_is_sent_again_under_the_same_approval(
        self, waiting, approver, scripted_venue
    ):
        say(waiting, approver)
        scripted_venue.on_place = refuse_connections
        submit(waiting.pk)
        assert again(waiting).state == State.QUEUED
        scripted_venue.on_place = lambda request: None
        submit(waiting.pk)
        assert again(waiting).state == State.ACKNOWLEDGED
        assert len(scripted_venue.placed) == 1

    def test_a_market_order_past_the_accepted_price_is_not_sent(
        self, market, approver, scripted_venue
    ):
        say(market, approver)
        cast.publish_book(cast.symbol(), bid="56000.00", ask="56001.00")
        submit(market.pk)
        order = again(market)
        assert (order.state, order.approval.state) == (State.VOIDED, "voided")
        assert "worse than the accepted 55001.1" in order.reason
        assert scripted_venue.placed == []

    def test_a_market_order_waits_for_a_book_to_compare_with(
        self, market, approver, scripted_venue
    ):
        say(market, approver)
        cast.publish_book(cast.symbol(), age=60)
        submit(market.pk)
        assert again(market).state == State.QUEUED
        cast.publish_book(cast.symbol())
        submit(market.pk)
        assert again(market).state == State.ACKNOWLEDGED

    def test_the_way_out_needs_no_book_to_compare_with(
        self, market, approver, scripted_venue, monkeypatch
    ):
        monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: -LARGE)
        say(market, approver)
        cast.publish_book(cast.symbol(), age=60)
        submit(market.pk)
        assert again(market).state == State.ACKNOWLEDGED

    def test_a_sell_has_its_bound_below(self, trader, live_book):
        ticket = cast.ticket(
            trader,
            side=Side.SELL,
            quantity=LARGE,
            order_type=OrderType.MARKET,
            limit_price=None,
            time_in_force=TimeInForce.IOC,
        )
        order = place(ticket=ticket, client_order_id="large-sell", by=trader)
        assert order.worst_price == Decimal(45000)


class TestEnding:
    def test_the_deadline_ends_it_unsent(self, waiting, scripted_venue):
        cast.pass_deadline(waiting.approval)
        expire_due()
        settle_left()
        order = again(waiting)
        assert order.state == State.VOIDED
        assert "Nobody decided before" in order.reason

    def test_an_approved_order_past_its_deadline_is_not_sent(
        self, waiting, approver, scripted_venue
    ):
        say(waiting, approver)
        cast.pass_deadline(waiting.approval)
        submit(waiting.pk)
        order = again(waiting)
        assert (order.state, order.approval.state) == (State.VOIDED, "expired")
        assert scripted_venue.placed == []

    def test_the_trader_takes_it_back_from_the_order_or_from_the_request(
        self, trader, waiting, live_book
    ):
        other = place(
            ticket=cast.ticket(trader, quantity=LARGE), client_order_id="large-2", by=trader
        )
        request_cancel(order_id=waiting.pk, by=trader)
        withdraw(request_id=other.approval_id, by=trader)
        settle_left()
        for order in (again(waiting), again(other)):
            assert (order.state, order.approval.state) == (State.WITHDRAWN, "withdrawn")

    def test_another_trader_taking_it_back_voids_the_request(self, waiting):
        request_cancel(order_id=waiting.pk, by=cast.person(Role.TRADER))
        settle_left()
        order = again(waiting)
        assert (order.state, order.approval.state) == (State.WITHDRAWN, "voided")

    def test_an_approved_order_is_taken_back_before_it_is_sent(
        self, trader, waiting, approver, scripted_venue
    ):
        say(waiting, approver)
        request_cancel(order_id=waiting.pk, by=trader)
        submit(waiting.pk)
        assert again(waiting).state == State.WITHDRAWN
        assert scripted_venue.placed == []

    def test_taking_it_back_works_after_its_request_ended(self, trader, waiting):
        withdraw(request_id=waiting.approval_id, by=trader)
        assert request_cancel(order_id=waiting.pk, by=trader).state == State.WITHDRAWN


def test_a_requester_cannot_decide_by_sql(waiting, trader):
    with (
        pytest.raises(IntegrityError, match="whoever asked never decides"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO approvals_decision"
            " (id, request_id, by_id, verdict, reason, at, instruction_hash, seats)"
            " VALUES (gen_random_uuid(), %s, %s, 'approve', '', %s, %s, '[]')",
            [waiting.approval_id, trader.pk, timezone.now(), waiting.approval.instruction_hash],
        )
