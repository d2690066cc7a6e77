"""No new exposure by a symbol that two people do not stand behind; what gets out goes on."""

from datetime import timedelta

import pytest
from django.urls import reverse

from assets.services.claims import changed
from cqops.platform.access.allowances import seeding
from cqops.platform.access.policy import Role
from portfolio.services.impact import positions_in
from tests import cast
from trading.models import ExecutionReport, Order
from trading.services.executions import record
from trading.services.impact import traded_under
from trading.services.submission import submit
from trading.services.tickets import place
from trading.states import State
from venues.interface.types import Side
from venues.models import Listing, Standing, VenueSymbol

pytestmark = pytest.mark.django_db


@pytest.fixture
def trader(db):
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    return cast.person(Role.TRADER)


@pytest.fixture
def held(monkeypatch):
    monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: 1)


def sent(trader, side, **changes):
    ticket = cast.ticket(trader, side=side, **changes)
    return place(ticket=ticket, client_order_id=f"by-symbol-{side}", by=trader)


def stand(standing):
    row = cast.symbol()
    Listing.objects.filter(pk=row.listing_id).update(standing=standing, why="A doubt.")


def remapped(row, symbol="WBTC"):
    with seeding():
        return changed(
            row,
            since=cast.NOON,
            changes={"base_id": cast.asset(symbol).pk},
            by=None,
            source="two people",
        )


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.SUSPENDED, "is suspended: A doubt. A steward asks to let it go on"),
        (Standing.NOT_TRADED, "A doubt. A steward can take it up again"),
    ],
)
def test_what_the_desk_stopped_adds_no_exposure_and_is_got_out_of(trader, held, standing, words):
    stand(standing)
    buy, sell = sent(trader, Side.BUY), sent(trader, Side.SELL)
    assert (buy.state, sell.state) == (State.REFUSED, State.QUEUED)
    assert words in buy.reason


def test_what_was_stopped_after_the_placing_is_not_sent(trader, scripted_venue):
    order = sent(trader, Side.BUY)
    stand(Standing.SUSPENDED)
    submit(order.pk)
    order.refresh_from_db()
    assert (order.state, scripted_venue.placed) == (State.REFUSED, [])
    assert "A doubt" in order.reason


def test_what_stands_for_something_else_meanwhile_is_not_sent_but_got_out_of(
    trader, held, scripted_venue
):
    row = cast.symbol()
    buy, sell = sent(trader, Side.BUY), sent(trader, Side.SELL)
    remapped(row)
    for order in (buy, sell):
        submit(order.pk)
        order.refresh_from_db()
    assert (buy.state, sell.state) == (State.REFUSED, State.ACKNOWLEDGED)
    assert "stands for something else now" in buy.reason


def test_what_is_held_in_custody_is_not_bought(trader):
    row = cast.symbol()
    row.kind = "custody"
    order = sent(trader, Side.BUY, symbol=row)
    assert "neither bought nor sold" in order.reason


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.UNMAPPED, "A steward maps it"),
        (Standing.PROPOSED, "waits for a second person"),
        (Standing.NOT_TRADED, "The desk does not trade"),
    ],
)
def test_an_order_by_what_nobody_mapped_is_told_what_to_do(client, trader, standing, words):
    listing = cast.listing("PEPE-USD")
    with seeding():
        Listing.objects.filter(pk=listing.pk).update(standing=standing, why="a meme")
    token = cast.agreed_token(trader, ["order.place"])
    answer = client.post(
        reverse("api-orders"),
        {
            "venue": cast.venue().slug,
            "account": cast.account().name,
            "portfolio": cast.portfolio().name,
            "symbol": "PEPE-USD",
            "side": "buy",
            "order_type": "limit",
            "quantity": "1",
            "limit_price": "1",
        },
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Order.objects.exists()


def test_a_fill_keeps_what_its_order_stood_for(trader, scripted_venue):
    row = cast.symbol()
    order = sent(trader, Side.BUY)
    submit(order.pk)
    later = remapped(row)
    record(account=order.account, fills=[cast.fill(order, number=1, quantity="0.1")], by="sweep")
    assert ExecutionReport.objects.get().symbol_id == row.pk

    told = traded_under({row.pk}, None)
    assert [one.what for one in told] == ["fill", "order"]
    assert traded_under({row.pk}, order.placed_at + timedelta(days=1)) == []
    assert traded_under({later.pk}, None) == []
    assert VenueSymbol.objects.in_force().get() == later


def test_a_fill_whose_order_is_found_later_keeps_what_it_was_booked_as(trader, scripted_venue):
    order = sent(trader, Side.BUY)
    later = remapped(cast.symbol())
    record(account=order.account, fills=[cast.fill(order, number=1, quantity="0.1")], by="sweep")
    assert ExecutionReport.objects.get().symbol_id == later.pk
    submit(order.pk)
    Order.objects.filter(pk=order.pk).update(
        venue_order_id=ExecutionReport.objects.get().venue_order_id
    )
    record(account=order.account, fills=[cast.fill(order, number=2, quantity="0.1")], by="sweep")
    found = ExecutionReport.objects.order_by("executed_at")
    assert [one.symbol_id for one in found] == [later.pk, order.symbol_id]
    assert {one.order_id for one in found} == {order.pk}


def test_what_a_change_of_the_registry_would_touch_names_what_is_held(trader):
    btc = cast.symbol().base_id
    assert positions_in({btc})[0].words == "none"


def test_contracts_of_several_are_not_bought_before_they_are_reckoned_with(trader, held):
    with seeding():
        changed(
            cast.symbol(), since=None, changes={"contract_size": 10}, by=None, source="two people"
        )
    order = sent(trader, Side.BUY)
    assert order.state == State.REFUSED
    assert "10 BTC, which is not reckoned with yet" in order.reason
    assert sent(trader, Side.SELL).state != State.REFUSED
