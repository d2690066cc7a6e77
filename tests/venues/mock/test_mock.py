"""The mock venue keeps to the interface, and its failures and questions can fail a test."""

from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from decimal import Decimal
from inspect import isfunction, signature

import pytest

from venues.interface.client import ABILITIES, VenueClient
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected
from venues.interface.numbers import BadNumber
from venues.interface.types import OrderQuery, OrderStatus, OrderType, Side, StreamReset
from venues.mock import BareVenue, MockVenue, failures, samples, venue_with
from venues.mock.abilities import WAYS
from venues.mock.keeping import METHODS

ARGUMENTS = {
    "place_order": (samples.order_request(client_order_id="C-9"),),
    "cancel_order": (samples.order_ref(),),
    "get_order": (samples.order_ref(),),
    "get_orders": (OrderQuery(),),
    "get_balance": (),
    "get_order_book": ("BTC-USD", 5),
    "health": (),
    "aclose": (),
    "get_instruments": (),
    "get_fills": (OrderQuery(),),
    "get_key_rights": (),
    "get_positions": (),
    "get_fees": (),
    "request_quote": (samples.quote_request(),),
    "get_transaction": ("T-1",),
    "get_transactions": (OrderQuery(),),
    "amend_order": (samples.order_ref(),),
    "subscribe_order_book": (["BTC-USD"],),
    "subscribe_trades": (["BTC-USD"],),
    "subscribe_executions": (["BTC-USD"],),
    "subscribe_tickers": (["BTC-USD"],),
    "subscribe_klines": (["BTC-USD"],),
}
STREAMS = sorted(name for name in METHODS if name.startswith("subscribe"))
AWAITED = sorted(METHODS - set(STREAMS))
FEEDS = {
    "subscribe_order_book": ("book_events", samples.book_event(bids=[("1", "1")])),
    "subscribe_trades": ("trades", samples.trade()),
    "subscribe_executions": ("executions", samples.order_update()),
    "subscribe_tickers": ("tickers", samples.ticker()),
    "subscribe_klines": ("klines", samples.kline()),
}


@pytest.fixture
def venue():
    made = MockVenue()
    made.keep(samples.order())
    made.transactions.append(samples.transaction())
    return made


def call(venue, method):
    more = {"quantity": Decimal(1), "limit_price": None} if method == "amend_order" else {}
    return getattr(venue, method)(*ARGUMENTS[method], **more)


async def heard(stream):
    return [item async for item in stream]


# It is a venue


def test_every_method_of_the_interface_is_here_with_its_arguments():
    assert ARGUMENTS.keys() == METHODS
    for protocol in (VenueClient, *ABILITIES.values()):
        for name in METHODS & vars(protocol).keys():
            theirs = signature(getattr(protocol, name)).parameters
            assert list(signature(getattr(MockVenue, name)).parameters) == list(theirs), name


@pytest.mark.parametrize("method", AWAITED)
async def test_every_method_answers_without_a_script_and_is_recorded(venue, method):
    await call(venue, method)
    assert [one.method for one in venue.calls] == [method]


@pytest.mark.parametrize("method", AWAITED)
async def test_every_method_fails_by_its_script(venue, method):
    venue.on(method).fails(failures.rate_limited(retry_after=7), on_call=2)
    await call(venue, method)
    with pytest.raises(NotSent) as refused:
        await call(venue, method)
    assert (refused.value.cause, refused.value.retry_after) == (Cause.RATE_LIMITED, 7)
    await call(venue, method)


@pytest.mark.parametrize("method", STREAMS)
async def test_every_stream_brings_what_is_pushed_and_may_fail(venue, method):
    name, item = FEEDS[method]
    feed = getattr(venue, name)
    stream = call(venue, method)
    feed.push(item)
    feed.reset("a gap")
    feed.end()

    connected, told, gap = await heard(stream)
    assert (connected.reason, told, gap.reason) == ("connected", item, "a gap")
    assert feed.listeners == 0

    venue.on(method).raises(failures.bad_key())
    with pytest.raises(Rejected):
        call(venue, method)


def test_a_venue_has_the_abilities_it_is_given_and_no_other():
    assert WAYS.keys() == set(ABILITIES.values())
    assert not any(isinstance(BareVenue(), ability) for ability in WAYS)
    for ability in WAYS:
        made = venue_with(ability)
        assert [one for one in WAYS if isinstance(made, one)] == [ability]
        assert isinstance(MockVenue(), ability)
    with pytest.raises(ValueError, match="no ability"):
        venue_with(VenueClient)


def test_a_method_that_is_not_there_cannot_be_scripted():
    for name in ("get_fills", "calls_of", "place_orders"):
        with pytest.raises(ValueError, match="has no"):
            BareVenue().on(name)


# What it keeps


async def test_a_repeated_client_id_returns_the_first_order(venue):
    first = await venue.place_order(samples.order_request(client_order_id="C-2"))
    again = await venue.place_order(samples.order_request(client_order_id="C-2", quantity="9"))
    assert again == first


async def test_orders_are_found_by_either_id_and_by_every_filter(venue):
    sell = samples.order(
        client_order_id="C-2", side=Side.SELL, symbol="ETH-USD", status=OrderStatus.FILLED
    )
    venue.keep(replace(sell, created_at=samples.NOON + timedelta(hours=1)))

    async def listed(**terms):
        page = await venue.get_orders(OrderQuery(**terms))
        return [one.client_order_id for one in page.items]

    assert await listed() == ["C-2", "C-1"]
    assert await listed(symbols=("ETH-USD",)) == ["C-2"]
    assert await listed(side=Side.BUY) == ["C-1"]
    assert await listed(statuses=frozenset({OrderStatus.FILLED})) == ["C-2"]
    assert await listed(venue_order_id="V-1") == []
    assert await listed(since=samples.NOON + timedelta(minutes=1)) == ["C-2"]
    assert await listed(until=samples.NOON) == ["C-1"]
    by_theirs = samples.order_ref(client_order_id="", venue_order_id="V-C-2")
    assert (await venue.get_order(by_theirs)).client_order_id == "C-2"
    with pytest.raises(Rejected) as refused:
        await venue.get_order(samples.order_ref(client_order_id="C-3"))
    assert refused.value.cause is Cause.NOT_FOUND


async def test_fills_are_paged_and_filtered(venue):
    for number in range(5):
        venue.fill("C-1", price="50000", quantity="0.1", executed_at=samples.NOON)
        assert len(venue.fills) == number + 1
    query, found = OrderQuery(limit=2), []
    while True:
        page = await venue.get_fills(query)
        found += page.items
        if not page.cursor:
            break
        query = replace(query, cursor=page.cursor)
    assert len({one.venue_execution_id for one in found}) == len(found) == 5
    later = OrderQuery(since=samples.NOON + timedelta(seconds=1))
    for query in (OrderQuery(symbols=("ETH-USD",)), OrderQuery(side=Side.SELL), later):
        assert (await venue.get_fills(query)).items == ()


async def test_orders_that_come_between_two_pages_move_nothing():
    venue, seen, cursor = MockVenue(), [], ""
    for number in range(7):
        venue.keep(samples.order(client_order_id=f"C-{number}"))
    for number in range(7, 10):
        page = await venue.get_orders(OrderQuery(limit=3, cursor=cursor))
        seen += [one.client_order_id for one in page.items]
        cursor = page.cursor
        venue.keep(samples.order(client_order_id=f"C-{number}"))
    assert seen == [f"C-{number}" for number in reversed(range(7))]
    assert cursor == ""


async def test_a_cancel_ends_what_is_open_and_says_when_it_is_too_late(venue):
    answer = await venue.cancel_order(samples.order_ref())
    again = await venue.cancel_order(samples.order_ref())
    assert answer.is_accepted
    assert (again.is_accepted, again.is_already_done) == (False, True)
    with pytest.raises(Rejected):
        await venue.amend_order(samples.order_ref(), quantity=Decimal(1), limit_price=None)


async def test_an_amended_order_keeps_what_is_not_named(venue):
    changed = await venue.amend_order(
        samples.order_ref(), quantity=None, limit_price=Decimal(49000)
    )
    assert (changed.quantity, changed.limit_price) == (Decimal("0.5"), 49000)
    assert await venue.get_order(samples.order_ref()) == changed


async def test_the_book_is_as_deep_as_asked_and_unknown_symbols_are_not_found(venue):
    venue.books["BTC-USD"] = samples.book(bids=[("3", "1"), ("2", "1"), ("1", "1")])
    assert [one.price for one in (await venue.get_order_book("BTC-USD", 2)).bids] == [3, 2]
    with pytest.raises(Rejected):
        await venue.get_order_book("NO-PE", 1)
    with pytest.raises(Rejected):
        await venue.get_transaction("T-none")


# Scripts


async def test_a_lost_answer_leaves_an_order_and_only_on_its_call(venue):
    venue.on("place_order").accepts_then_fails(failures.no_answer(), on_call=1)
    with pytest.raises(OutcomeUnknown):
        await venue.place_order(samples.order_request(client_order_id="C-2"))
    assert venue.orders["C-2"].status is OrderStatus.ACKNOWLEDGED
    await venue.place_order(samples.order_request(client_order_id="C-3"))


async def test_a_function_may_be_async_and_gets_the_arguments_by_name(venue):
    async def answer(request):
        return samples.order_for(request, status=OrderStatus.REJECTED)

    venue.on("place_order").calls(answer)
    order = await venue.place_order(samples.order_request())
    assert order.status is OrderStatus.REJECTED


def test_a_stream_cannot_take_its_time(venue):
    venue.on("subscribe_trades").takes(1)
    with pytest.raises(ValueError, match="not awaited"):
        venue.subscribe_trades(["BTC-USD"])
    venue.on("subscribe_tickers").calls(lambda symbols: symbols)
    assert venue.subscribe_tickers(["BTC-USD"]) == ("BTC-USD",)


async def test_each_listener_hears_only_its_symbols(venue):
    first, second = venue.subscribe_trades(["BTC-USD"]), venue.subscribe_trades(["ETH-USD"])
    venue.trades.push(samples.trade(symbol="ETH-USD"))
    venue.trades.end()
    assert [type(one) for one in await heard(first)] == [StreamReset]
    assert len(await heard(second)) == 2


# Questions


async def test_the_questions_can_be_answered_with_no(venue):
    await venue.get_balance()
    await venue.health()
    venue.assert_order("get_balance", "health")
    for ask in (
        lambda: venue.assert_called("get_fees"),
        lambda: venue.assert_called("health", times=2),
        lambda: venue.assert_called("health", depth=5),
        lambda: venue.assert_not_called("health"),
        lambda: venue.assert_order("health", "get_balance"),
        lambda: venue.last_call("get_fees"),
    ):
        with pytest.raises(AssertionError, match="the calls were: get_balance"):
            ask()


# Samples


MADE = [
    name
    for name, one in vars(samples).items()
    if isfunction(one) and one.__module__ == samples.__name__
]


@pytest.mark.parametrize("name", [one for one in MADE if one not in {"_made", "_filled_whole"}])
def test_every_sample_is_made_of_exact_numbers(name):
    asked = (samples.order_request(),) if name == "order_for" else ()
    made = getattr(samples, name)(*asked)
    assert is_dataclass(made)
    for one in fields(made):
        if "Decimal" in str(one.type):
            assert isinstance(getattr(made, one.name), Decimal | None), one.name


def test_samples_read_text_and_refuse_floats():
    assert samples.fill(price="1e2").price == 100
    with pytest.raises(BadNumber):
        samples.fill(price=0.1)
    with pytest.raises(TypeError):
        samples.fill(colour="red")


def test_orders_of_every_size_can_be_asked_for():
    assert samples.order_request(order_type=OrderType.MARKET).limit_price is None
    assert samples.order_request(notional="100", order_type=OrderType.MARKET).quantity is None
    assert samples.quote_request(notional="100").quantity is None


def test_a_filled_sample_is_filled_whole():
    whole = samples.order(status=OrderStatus.FILLED, quantity="2", limit_price="10")
    assert (whole.filled_quantity, whole.filled_value, whole.average_price) == (2, 20, 10)
    market = samples.order(status=OrderStatus.FILLED, limit_price=None)
    assert market.filled_quantity == 0
