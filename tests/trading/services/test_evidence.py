"""What an approver weighs a large order by: severity, reckoning, what else was traded, what became of it."""

from decimal import Decimal

import pytest

from cqops.platform.access.policy import Role
from cqops.platform.approvals.exhibits import Severity
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import NotConfirmed, Verdict, decide, settle
from cqops.platform.approvals.services.evidence import clock_of, forecast_of, timeline_of
from tests import cast
from trading.models import Order
from trading.services import evidence
from trading.services.checks import Outcome
from trading.services.checks import Verdict as Checked
from trading.services.executions import hear, record
from trading.services.submission import submit
from trading.services.tickets import place
from venues.interface.types import OrderStatus, OrderType, Side, TimeInForce

LARGE = Decimal("1.2")


@pytest.fixture
def approver(db):
    return cast.person(Role.APPROVER, "alma")


@pytest.fixture
def order_of(trader, live_book):
    def make(number=1, **changes):
        changes = {"quantity": LARGE, **changes}
        ticket = cast.ticket(trader, **changes)
        return place(ticket=ticket, client_order_id=f"large-{number}", by=trader)

    return make


def approve(order, by):
    asked = order.approval
    decide(
        request_id=asked.pk,
        by=by,
        verdict=Verdict.APPROVE,
        is_confirmed=True,
        seen_hash=asked.instruction_hash,
    )
    settle(asked.pk)
    return Request.objects.get(pk=asked.pk)


def traded(order_of):
    """Leave one order behind that was filled at 50 000; its fee was 0.1 USD."""
    order = order_of(number=99, quantity=Decimal(1))
    record(account=order.account, fills=[cast.fill(order, number=1, quantity="1")], by="test")
    Order.objects.filter(pk=order.pk).update(
        state="filled", filled_quantity=Decimal(1), filled_value=Decimal(50000)
    )


def changes(order):
    found = evidence.forecast_of(str(order.pk))
    return {one.what: one.amount for one in found.effects}


class TestFindings:
    def test_what_the_checks_said_is_kept_with_its_severity(self, order_of):
        found = {one.title: one for one in order_of().approval.findings_shown}
        assert found["Second person"].severity is Severity.MEDIUM
        assert found["Trading switch"].severity is Severity.CLEAR
        assert found["First time"].severity is Severity.LOW

    def test_a_warning_is_grave_and_asks_for_its_own_confirmation(self, order_of):
        warned = [Checked("Order book", Outcome.WARN, "The book is stale.")]
        found = evidence.findings_of(order_of(), warned)
        grave = [one.title for one in found if one.needs_confirmation]
        assert grave == ["Not simulated by the venue", "Order book"]

    def test_no_simulation_is_said_and_confirmed_apart(self, order_of, approver):
        asked = order_of().approval
        with pytest.raises(NotConfirmed, match="Not simulated by the venue"):
            decide(
                request_id=asked.pk,
                by=approver,
                verdict=Verdict.APPROVE,
                seen_hash=asked.instruction_hash,
            )

    def test_the_second_time_is_no_first_time(self, order_of):
        traded(order_of)
        assert "First time" not in {one.title for one in order_of().approval.findings_shown}


class TestTheForecast:
    def test_a_buy_gains_the_base_and_pays_the_quote_at_the_limit(self, order_of):
        order = order_of()
        assert changes(order) == {"BTC": LARGE, "USD": Decimal(-60000), "USD fee": None}
        base = evidence.forecast_of(str(order.pk)).effects[0]
        assert (base.before, base.after) == (Decimal(0), LARGE)

    def test_a_sell_loses_the_base_and_is_reckoned_at_its_bound(self, order_of):
        order = order_of(
            side=Side.SELL,
            order_type=OrderType.MARKET,
            limit_price=None,
            time_in_force=TimeInForce.IOC,
        )
        found = changes(order)
        assert (found["BTC"], found["USD"]) == (-LARGE, LARGE * order.worst_price)

    def test_the_fee_is_the_highest_of_the_last_ones(self, order_of):
        traded(order_of)
        order = order_of()
        assert evidence.fee_rate(order) == Decimal("0.000002")
        assert changes(order)["USD fee"] == Decimal("-0.12")
        shown = {row.label: row.text for row in order.approval.snapshot_rows}
        assert shown["Expected fee"] == "0.12"

    def test_it_ends_with_the_approval_s_use(self, order_of, approver, scripted_venue):
        order = order_of()
        request = approve(order, approver)
        assert forecast_of(request) is not None
        submit(order.pk)
        assert forecast_of(Request.objects.get(pk=request.pk)) is None


class TestContext:
    def test_it_tells_the_limits_and_what_was_traded_today(self, order_of):
        traded(order_of)
        order = order_of()
        found = evidence.context_of(str(order.pk))
        assert found["Limit an order"] == "uses 24% of 250,000 USD"
        assert found["Limit a day"] == "none is set on this desk"
        assert found["Filled today for Alpha"] == "1 order, 50,000.00 USD"
        assert found["Above the threshold today"] == "0 asked for, 0 sent"

    def test_the_purpose_is_part_of_what_is_agreed_to(self, order_of):
        order = order_of(purpose="Rebalance after a redemption")
        shown = {row.label: row.text for row in order.approval.instruction_rows}
        assert shown["Purpose"] == "Rebalance after a redemption"
        assert order.approval.facts["portfolio"] == "Alpha"

    def test_without_a_purpose_there_is_no_empty_line(self, order_of):
        assert "Purpose" not in {row.label for row in order_of().approval.instruction_rows}


class TestWhatBecomesOfIt:
    def test_after_the_approval_the_time_to_send_it_runs(self, order_of, approver):
        order = order_of()
        found = clock_of(approve(order, approver))
        order = Order.objects.get(pk=order.pk)
        assert (found.label, found.until) == ("Send within", order.send_before)
        assert "unsent" in found.at_zero

    def test_queued_sent_acknowledged_and_filled_are_told_in_order(
        self, order_of, approver, scripted_venue
    ):
        order = order_of()
        request = approve(order, approver)
        submit(order.pk)
        order = Order.objects.with_names().get(pk=order.pk)
        record(account=order.account, fills=[cast.fill(order, number=1, quantity="1.2")], by="test")
        hear(
            account=order.account,
            heard_order=cast.venue_order(
                order, OrderStatus.FILLED, filled_quantity=LARGE, filled_value=Decimal(60000)
            ),
            by="test",
            order_id=order.pk,
        )
        steps = timeline_of(request)
        states = [one.state for one in steps]
        assert [name for name in states if name != "execution"] == [
            "queued",
            "sending",
            "acknowledged",
            "filled",
        ]
        fill = next(one for one in steps if one.state == "execution")
        assert "1.2 BTC at 50000 USD" in fill.words
        acknowledged = next(one for one in steps if one.state == "acknowledged")
        assert order.venue_order_id in acknowledged.words
