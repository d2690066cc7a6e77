"""What an order counts for against the desk's bounds, whatever it is priced in."""

from decimal import Decimal

import pytest
from django.utils import timezone

from assets.models import AssetKind
from tests import cast
from trading.models import Order
from trading.services.tickets import place
from trading.services.worth import counted_price, mark_of, worth
from trading.states import State
from venues.interface.types import OrderType, Side, TimeInForce
from venues.services.books import NO_TOUCH, BookState, Touch

TOUCH = Touch(BookState.LIVE, Decimal(50000), Decimal(50001), 0.1)


def counted(side, limit, touch=TOUCH):
    return counted_price(side=side, limit_price=limit and Decimal(limit), touch=touch)


def test_a_buy_counts_at_its_limit_and_a_sell_at_the_better_of_limit_and_book():
    assert counted(Side.BUY, 45000) == 45000
    assert counted(Side.BUY, None) == 50001
    assert counted(Side.SELL, 45000) == 50000
    assert counted(Side.SELL, 55000) == 55000
    assert counted(Side.SELL, None) == 50000


def test_what_a_sell_may_bring_is_not_known_without_a_book():
    assert counted(Side.SELL, 1, NO_TOUCH) is None
    assert counted(Side.BUY, 45000, NO_TOUCH) == 45000


def test_a_sell_below_the_touch_counts_no_less_for_it(trader, live_book):
    ticket = cast.ticket(
        trader, side=Side.SELL, quantity=Decimal("1.01"), limit_price=Decimal(46000)
    )
    order = place(ticket=ticket, client_order_id="low-limit", by=trader)
    assert order.state == State.AWAITING_APPROVAL
    assert Decimal(order.approval.facts["notional"]) == Decimal(50500)
    large = cast.ticket(trader, side=Side.SELL, quantity=Decimal("5.1"), limit_price=Decimal(46000))
    assert place(ticket=large, client_order_id="low-large", by=trader).state == State.REFUSED


@pytest.fixture
def usdc(db):
    return cast.asset("USDC", AssetKind.STABLECOIN)


@pytest.fixture
def tether(db):
    return cast.asset("USDT", AssetKind.STABLECOIN)


class TestMarks:
    def test_dollars_and_what_is_redeemed_at_par_count_as_one(self, usdc):
        now = timezone.now()
        assert mark_of(cast.asset("USD", AssetKind.FIAT), now=now).price == 1
        assert mark_of(usdc, now=now).price == 1

    def test_a_token_that_only_calls_itself_a_dollar_does_not(self, db):
        impostor = cast.asset("USDC", AssetKind.TOKEN)
        assert mark_of(impostor, now=timezone.now()) is None

    def test_tether_counts_what_a_live_book_says(self, tether):
        assert mark_of(tether, now=timezone.now()) is None
        row = cast.symbol("USDT-USD")
        cast.publish_book(row, bid="1.01", ask="1.02")
        assert mark_of(tether, now=timezone.now()).price == Decimal("1.02")
        cast.publish_book(row, bid="1.01", ask="1.02", age=60)
        assert mark_of(tether, now=timezone.now()) is None

    def test_of_several_books_the_dearest_counts(self, tether, usdc):
        cast.publish_book(cast.symbol("USDT-USD"), bid="0.98", ask="0.99")
        cast.publish_book(cast.symbol("USDT-USDC"), bid="1.00", ask="1.01")
        assert mark_of(tether, now=timezone.now()).price == Decimal("1.01")

    def test_a_book_in_another_currency_that_is_no_dollar_values_nothing(self, tether):
        cast.publish_book(cast.symbol("USDT-EUR"), bid="0.90", ask="0.91")
        assert mark_of(tether, now=timezone.now()) is None

    def test_no_digit_is_lost_on_the_way(self, db):
        quantity = Decimal("123456789012345678901234.123456789012345678901234")
        usd = cast.asset("USD", AssetKind.FIAT)
        found = worth(
            quantity=quantity, price=Decimal("1.000000000001"), quote=usd, now=timezone.now()
        )
        assert str(found.value).startswith("123456789012469135690246.469")


class TestInBitcoin:
    """An order of 25 ether priced in bitcoin: 1.5 of them, a small number and a large order."""

    @pytest.fixture
    def ticket(self, trader):
        row = cast.symbol("ETH-BTC")
        cast.publish_book(row, bid="0.0599", ask="0.06")
        return cast.ticket(trader, symbol=row, quantity=Decimal(25), limit_price=Decimal("0.06"))

    def test_a_live_book_turns_it_into_dollars(self, ticket, trader):
        cast.publish_book(cast.symbol("BTC-USD"))
        order = place(ticket=ticket, client_order_id="in-bitcoin", by=trader)
        assert order.state == State.AWAITING_APPROVAL
        assert order.approval.facts["currency"] == "USD"
        assert Decimal(order.approval.facts["notional"]) == Decimal("75001.5")

    def test_above_the_limit_in_dollars_it_is_refused(self, ticket, trader, settings):
        settings.ORDER_MAX_NOTIONAL = 75_000
        cast.publish_book(cast.symbol("BTC-USD"))
        order = place(ticket=ticket, client_order_id="in-bitcoin", by=trader)
        assert order.state == State.REFUSED
        assert "75,001.50 USD (BTC at 50001 of BTC-USD" in order.reason

    def test_what_nothing_values_needs_a_second_person_and_says_why(self, ticket, trader):
        cast.publish_book(cast.symbol("BTC-USD"), state="syncing")
        order = place(ticket=ticket, client_order_id="in-bitcoin", by=trader)
        assert order.state == State.AWAITING_APPROVAL
        assert order.approval.facts["notional"] is None
        said = {one["check"]: one for one in order.verdicts}
        assert said["Order limit"]["outcome"] == "warn"
        assert "No live book tells what BTC is worth in USD." in said["Second person"]["words"]

    def test_the_way_out_needs_no_value(self, ticket, trader, monkeypatch):
        cast.publish_book(cast.symbol("BTC-USD"), state="syncing")
        monkeypatch.setattr("portfolio.services.positions.held_quantity", lambda **_: Decimal(-30))
        order = place(ticket=ticket, client_order_id="in-bitcoin", by=trader)
        assert order.state == State.QUEUED


def test_a_market_order_without_a_price_is_large(trader):
    cast.publish_book(cast.symbol(), state="syncing")
    market = cast.ticket(
        trader, order_type=OrderType.MARKET, limit_price=None, time_in_force=TimeInForce.IOC
    )
    order = place(ticket=market, client_order_id="no-price", by=trader)
    assert order.state == State.REFUSED
    assert Order.objects.count() == 1
