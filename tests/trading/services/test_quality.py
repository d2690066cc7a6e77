"""Must show: a critical flag on a wrapped variant blocks ticket and REST with its evidence, selling out stays."""

from decimal import Decimal

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from assets.hot import lookups
from assets.models import Asset, QualityFlag, Severity
from assets.services.flags import propose_clear, raise_flag
from assets.services.relations import relate
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from cqops.platform.approvals.services import Verdict, decide, settle_left
from tests import cast
from trading.models import Order
from trading.services.submission import submit
from trading.services.tickets import place, preview
from trading.states import State
from venues.interface.types import Side

EVIDENCE = "https://example.org/post-mortem"


def flag(asset, severity=Severity.CRITICAL):
    made = QualityFlag(asset=asset, kind="exploit", severity=severity, evidence_url=EVIDENCE)
    return raise_flag(flag=made, by=cast.person(Role.STEWARD))


@pytest.fixture
def btc(trader, live_book):
    return cast.symbol().base


@pytest.fixture
def wrapped(btc):
    other = Asset.objects.create(symbol="WBTC", name="Wrapped bitcoin", kind="wrapped")
    relate(asset_id=other.pk, kind="wraps", other_id=btc.pk, source="issuer", by=None)
    return other


@pytest.fixture
def holds_one(monkeypatch):
    monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: Decimal(1))


def put(trader, key="flagged-1", **changes):
    return place(ticket=cast.ticket(trader, **changes), client_order_id=key, by=trader)


def test_without_a_flag_nothing_stands_against_it(trader, wrapped):
    assert put(trader).state == State.QUEUED


@pytest.fixture
def remembers_no_flag(btc):
    """Let this process hear nothing of changes and believe what it remembers all the same."""
    areas = dict.fromkeys(("assets", "flags", "merges", "relations"), 1)
    lookups.cache.freshness.proven(areas, until=float("inf"))
    lookups.critical._keep(btc.pk, lookups.critical.stamp, 600.0, ())
    yield
    lookups.cache.freshness.lost()
    lookups.critical._here.clear()


@pytest.mark.usefixtures("remembers_no_flag")
def test_what_a_process_remembers_of_flags_lets_nothing_through(trader, btc):
    queued = put(trader, "before")
    flag(btc)
    assert lookups.critical.get(btc.pk) == ()
    assert put(trader, "after").state == State.REFUSED
    submit(queued.pk)
    queued.refresh_from_db()
    assert queued.state == State.REFUSED


def test_a_critical_flag_on_a_wrapped_variant_blocks_the_ticket_with_its_evidence(
    client, trader, wrapped
):
    flag(wrapped)
    order = put(trader)
    assert order.state == State.REFUSED
    assert EVIDENCE in order.reason
    assert "Wrapped bitcoin (WBTC): Critical: exploit" in order.reason
    assert EVIDENCE in " ".join(one.words for one in preview(cast.ticket(trader)))
    client.force_login(trader)
    page = client.get(reverse("order", args=[order.pk])).content.decode()
    assert EVIDENCE in page


def test_it_blocks_the_rest_submit_with_its_evidence(trader, wrapped):
    cast.account()
    cast.portfolio()
    flag(wrapped)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user=trader, name='test')}")
    body = {"client_order_id": "over-rest", "venue": "coinbase_advanced", "account": "Main"}
    body |= {"portfolio": "Alpha", "symbol": "BTC-USD", "side": "buy", "order_type": "limit"}
    body |= {"quantity": "0.5", "limit_price": "50000"}
    answer = api.post("/api/v1/orders", body, format="json")
    assert answer.status_code == 422
    assert EVIDENCE in answer.content.decode()


def test_selling_out_of_it_goes_on_with_a_second_person(trader, wrapped, holds_one, scripted_venue):
    flag(wrapped)
    sell = put(trader, side=Side.SELL)
    assert sell.state == State.AWAITING_APPROVAL
    assert EVIDENCE in str(sell.approval.findings)
    decide(
        request_id=sell.approval.pk,
        by=cast.person(Role.APPROVER),
        verdict=Verdict.APPROVE,
        seen_hash=sell.approval.instruction_hash,
        is_confirmed=True,
    )
    settle_left()
    submit(sell.pk)
    sell.refresh_from_db()
    assert sell.state == State.ACKNOWLEDGED
    assert len(scripted_venue.placed) == 1


def test_selling_more_than_is_held_is_no_way_out(trader, btc, holds_one):
    flag(btc)
    assert put(trader, side=Side.SELL, quantity=Decimal("1.1")).state == State.REFUSED


def test_a_high_flag_asks_a_second_person_and_warns_on_the_way_out(trader, btc, holds_one):
    flag(btc, Severity.HIGH)
    assert put(trader).state == State.AWAITING_APPROVAL
    sell = put(trader, "flagged-2", side=Side.SELL)
    assert sell.state == State.QUEUED
    assert "warn" in {one["outcome"] for one in sell.verdicts}


def test_a_flag_below_high_only_stands_in_the_registry(trader, btc):
    flag(btc, Severity.MEDIUM)
    assert put(trader).state == State.QUEUED


def test_paying_with_what_is_flagged_gets_out_of_it(trader, btc):
    flag(cast.symbol().quote)
    assert put(trader).state == State.AWAITING_APPROVAL
    assert put(trader, "flagged-2", side=Side.SELL).state == State.REFUSED


def test_a_flag_raised_after_the_placing_stops_the_send(trader, btc, scripted_venue):
    order = put(trader)
    flag(btc)
    submit(order.pk)
    order.refresh_from_db()
    assert order.state == State.REFUSED
    assert EVIDENCE in order.reason
    assert scripted_venue.placed == []


def test_a_flag_that_two_people_cleared_stands_no_more(trader, btc):
    made = flag(btc)
    steward, approver = cast.person(Role.STEWARD), cast.person(Role.APPROVER)
    assert put(trader).state == State.REFUSED
    asked = propose_clear(flag=made, reason="repaid in full", by=steward)
    assert {"Orders open", "Symbols in force"} <= {row.label for row in asked.snapshot_rows}
    assert put(trader, "flagged-2").state == State.REFUSED
    cast.approve(asked, approver)
    assert put(trader, "flagged-3").state == State.QUEUED
    assert Order.objects.count() == 3


def test_selling_into_what_is_flagged_is_no_way_out_of_it(trader, btc, holds_one):
    flag(cast.symbol().quote)
    assert put(trader, side=Side.SELL).state == State.REFUSED
