"""What every adapter must do against its venue, one function a sentence.

`needs` says which capability a scenario is about; an adapter that does not declare it is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.venues.adapters.conformance.stage import (
    OTHER,
    SYMBOL,
    Counting,
    Desk,
    Tape,
    no_wait,
    ref,
    rewriting,
)
from venues.interface.client import ListsFills, ListsInstruments, StreamsExecutions
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, Unsupported
from venues.interface.types import (
    OPEN_STATUSES,
    BookEvent,
    OrderQuery,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Side,
    StreamReset,
    TimeInForce,
    Trade,
)
from venues.marketdata.assembler import Assembler
from venues.simulator.faults import Kind
from venues.simulator.terms import Instruction
from venues.transport.http import Patience, Seams
from venues.transport.websocket import Persistence

Scenario = Callable[[Desk], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}
NEEDS: dict[str, Callable[[Desk], bool]] = {}


def scenario(needs: Callable[[Desk], bool] = lambda _desk: True) -> Callable[[Scenario], Scenario]:
    def register(play: Scenario) -> Scenario:
        SCENARIOS[play.__name__] = play
        NEEDS[play.__name__] = needs
        return play

    return register


def takes(kind: OrderType, *times: TimeInForce) -> Callable[[Desk], bool]:
    return lambda desk: set(times) <= desk.capabilities.times_in_force.get(kind, frozenset())


# Orders


@scenario()
async def an_order_lives_from_placing_to_cancelling(desk: Desk) -> None:
    request = desk.limit()
    placed = await desk.client.place_order(request)
    assert placed.status is OrderStatus.PENDING
    assert (placed.filled_quantity, placed.client_order_id) == (0, request.client_order_id)

    for wanted in (ref(request, placed.venue_order_id), ref(request)):
        resting = await desk.client.get_order(wanted)
        assert resting.venue_order_id == placed.venue_order_id
        assert resting.client_order_id == request.client_order_id
        assert (resting.symbol, resting.side) == (SYMBOL, Side.BUY)
        assert resting.order_type is OrderType.LIMIT
        assert resting.status is OrderStatus.ACKNOWLEDGED
        assert (resting.quantity, resting.limit_price) == (Decimal("0.5"), 60000)

    answer = await desk.client.cancel_order(ref(request, placed.venue_order_id))
    assert answer.is_accepted
    ended = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert ended.status is OrderStatus.CANCELLED
    assert ended.filled_quantity == 0


@scenario()
async def a_market_order_fills_and_its_fills_and_balances_agree(desk: Desk) -> None:
    before = {one.currency: one for one in await desk.client.get_balance()}
    placed = await desk.client.place_order(request := desk.market(quantity=Decimal(3)))
    order = await desk.client.get_order(ref(request, placed.venue_order_id))
    fills = await desk.fills(venue_order_id=order.venue_order_id, symbols=())
    after = {one.currency: one for one in await desk.client.get_balance()}

    assert order.status is OrderStatus.FILLED
    assert len(fills) > 1
    assert sum(fill.quantity for fill in fills) == order.filled_quantity == 3
    assert sum(fill.price * fill.quantity for fill in fills) == order.filled_value
    assert sum(fill.fee for fill in fills) == order.fees
    assert after["BTC"].total - before["BTC"].total == 3
    assert before["USD"].total - after["USD"].total == order.filled_value + order.fees


@scenario(lambda desk: OrderType.MARKET in desk.capabilities.notional_with)
async def a_notional_order_is_read_back_as_one(desk: Desk) -> None:
    await desk.client.place_order(request := desk.market(quantity=None, notional=Decimal(1000)))
    order = await desk.client.get_order(ref(request))

    assert (order.notional, order.quantity, order.status) == (1000, None, OrderStatus.FILLED)


@scenario(takes(OrderType.LIMIT, TimeInForce.IOC))
async def an_ioc_order_takes_what_is_there_and_ends(desk: Desk) -> None:
    price, size = desk.best(Side.BUY)
    request = desk.limit(
        quantity=size + 1, limit_price=price, time_in_force=TimeInForce.IOC, side=Side.BUY
    )
    placed = await desk.client.place_order(request)
    order = await desk.client.get_order(ref(request, placed.venue_order_id))

    assert (order.status, order.filled_quantity) == (OrderStatus.CANCELLED, size)


@scenario(takes(OrderType.LIMIT, TimeInForce.FOK))
async def a_fok_order_fills_whole_or_not_at_all(desk: Desk) -> None:
    price, size = desk.best(Side.BUY)
    small = desk.limit(
        quantity=Decimal("0.01"), limit_price=price + 10, time_in_force=TimeInForce.FOK
    )
    large = desk.limit(quantity=size + 1, limit_price=price, time_in_force=TimeInForce.FOK)
    for request, status in ((small, OrderStatus.FILLED), (large, OrderStatus.CANCELLED)):
        placed = await desk.client.place_order(request)
        order = await desk.client.get_order(ref(request, placed.venue_order_id))
        assert order.status is status


@scenario(takes(OrderType.LIMIT, TimeInForce.GTD))
async def a_gtd_order_rests_until_its_end(desk: Desk) -> None:
    request = desk.limit(
        time_in_force=TimeInForce.GTD, expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    placed = await desk.client.place_order(request)
    order = await desk.client.get_order(ref(request, placed.venue_order_id))

    assert order.status is OrderStatus.ACKNOWLEDGED


@scenario(lambda desk: TimeInForce.GTC in desk.capabilities.post_only_with)
async def a_post_only_order_never_takes(desk: Desk) -> None:
    price, _ = desk.best(Side.BUY)
    with pytest.raises(Rejected) as refused:
        await desk.client.place_order(desk.limit(limit_price=price + 10, post_only=True))

    assert refused.value.cause is Cause.INVALID
    assert (await desk.client.place_order(desk.limit(post_only=True))).venue_order_id


@scenario(takes(OrderType.STOP_LIMIT, TimeInForce.GTC))
async def a_stop_waits_and_goes_off(desk: Desk) -> None:
    request = desk.limit(
        order_type=OrderType.STOP_LIMIT,
        side=Side.SELL,
        quantity=Decimal("0.1"),
        limit_price=Decimal(59000),
        stop_price=Decimal(60000),
    )
    placed = await desk.client.place_order(request)
    waiting = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert (waiting.order_type, waiting.status) == (
        OrderType.STOP_LIMIT,
        OrderStatus.ACKNOWLEDGED,
    )

    desk.exchange.jump(SYMBOL, Decimal(59500))
    for _ in range(40):  # the street has to trade down there first
        desk.app.step()
    gone_off = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert gone_off.status is OrderStatus.FILLED


@scenario()
async def an_order_too_large_for_the_touch_fills_in_part_and_rests(desk: Desk) -> None:
    price, size = desk.best(Side.BUY)
    request = desk.limit(quantity=size + Decimal("0.25"), limit_price=price)
    placed = await desk.client.place_order(request)
    order = await desk.client.get_order(ref(request, placed.venue_order_id))
    fills = await desk.fills(venue_order_id=order.venue_order_id, symbols=())

    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.filled_quantity == sum(fill.quantity for fill in fills) == size
    assert order.average_price == price

    await desk.client.cancel_order(ref(request, placed.venue_order_id))
    ended = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert (ended.status, ended.filled_quantity) == (OrderStatus.CANCELLED, size)


@scenario()
async def an_order_filled_before_its_cancel_says_so(desk: Desk) -> None:
    placed = await desk.client.place_order(request := desk.market())
    answer = await desk.client.cancel_order(ref(request, placed.venue_order_id))
    assert (answer.is_accepted, answer.is_already_done) == (False, True)
    order = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert order.status is OrderStatus.FILLED


@scenario()
async def an_order_that_fills_while_its_cancel_travels_ends_as_the_venue_says(desk: Desk) -> None:
    price, _ = desk.best(Side.BUY)
    request = desk.limit(limit_price=price - 1)
    placed = await desk.client.place_order(request)
    desk.fail(Kind.FILL_DURING_CANCEL, symbol=SYMBOL)
    answer = await desk.client.cancel_order(ref(request, placed.venue_order_id))
    order = await desk.client.get_order(ref(request, placed.venue_order_id))
    fills = await desk.fills(venue_order_id=order.venue_order_id, symbols=())

    # The cancel was taken, and is no proof that nothing was filled.
    assert answer.is_accepted or answer.is_already_done
    assert order.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in fills) == order.filled_quantity == request.quantity


@scenario()
async def an_order_that_fills_in_pieces_adds_up(desk: Desk) -> None:
    desk.fail(Kind.PARTIAL_FILLS, symbol=SYMBOL)
    request = desk.market(quantity=Decimal(1))
    placed = await desk.client.place_order(request)
    for _ in range(40):
        desk.app.second()
        order = await desk.client.get_order(ref(request, placed.venue_order_id))
        if order.status is OrderStatus.FILLED:
            break
    fills = await desk.fills(venue_order_id=order.venue_order_id, symbols=())

    assert order.status is OrderStatus.FILLED
    assert len({fill.venue_execution_id for fill in fills}) == len(fills) > 1
    assert sum(fill.quantity for fill in fills) == order.filled_quantity == request.quantity


@scenario()
async def what_is_refused_is_refused_for_its_cause(desk: Desk) -> None:
    for changes, cause in (
        ({"quantity": Decimal(3000)}, Cause.INSUFFICIENT_FUNDS),
        ({"limit_price": Decimal("60000.001")}, Cause.INVALID),
        ({"quantity": Decimal("0.000000001")}, Cause.INVALID),
    ):
        with pytest.raises(Rejected) as refused:
            await desk.client.place_order(desk.limit(**changes))
        assert refused.value.cause is cause, changes
        assert refused.value.venue_code
    with pytest.raises(Rejected) as refused:
        await desk.client.place_order(desk.limit(symbol="NO-PE"))
    assert refused.value.cause in {Cause.INVALID, Cause.NOT_FOUND}
    assert desk.exchange.orders == {}


@scenario()
async def what_the_venue_does_not_offer_is_said_before_it_is_sent(desk: Desk) -> None:
    for kind in OrderType:
        if kind in desk.capabilities.order_types:
            continue
        with pytest.raises(Unsupported):
            await desk.client.place_order(desk.limit(order_type=kind))
    assert desk.exchange.orders == {}


@scenario()
async def a_halted_venue_is_a_temporary_no(desk: Desk) -> None:
    desk.exchange.is_halted = True

    with pytest.raises(Rejected) as refused:
        await desk.client.place_order(desk.limit())
    assert refused.value.cause is Cause.TEMPORARY


@scenario()
async def an_order_that_is_not_there_is_not_found(desk: Desk) -> None:
    request = desk.limit()
    unnamed = replace(ref(request, "no-such-id"), side=None)
    for wanted in (ref(request), unnamed):
        with pytest.raises(Rejected) as refused:
            await desk.client.get_order(wanted)
        assert refused.value.cause is Cause.NOT_FOUND
    with pytest.raises(Rejected) as refused:
        await desk.client.cancel_order(ref(request, "no-such-id"))
    assert refused.value.cause is Cause.NOT_FOUND


@scenario(lambda desk: desk.capabilities.repeats_are_safe)
async def a_repeated_client_id_returns_the_first_order(desk: Desk) -> None:
    request = desk.limit()
    first = await desk.client.place_order(request)
    again = await desk.client.place_order(request)

    assert again.venue_order_id == first.venue_order_id
    assert len(desk.exchange.orders) == 1


# Doubt


@scenario()
async def a_lost_answer_is_unknown_and_the_client_id_tells_the_truth(desk: Desk) -> None:
    for kind, has_arrived in (
        (Kind.STATUS_AFTER, True),
        (Kind.CUT_AFTER, True),
        (Kind.GARBAGE_AFTER, True),
        (Kind.STATUS_BEFORE, False),
        (Kind.CUT_BEFORE, False),
    ):
        before = len(desk.exchange.orders)
        desk.fail(kind, method="POST")
        request = desk.limit()
        with pytest.raises(OutcomeUnknown):
            await desk.client.place_order(request)
        assert len(desk.exchange.orders) == before + has_arrived, kind
        if has_arrived:
            found = await desk.client.get_order(ref(request))
            assert found.status is OrderStatus.ACKNOWLEDGED
        else:
            with pytest.raises(Rejected) as refused:
                await desk.client.get_order(ref(request))
            assert refused.value.cause is Cause.NOT_FOUND


@scenario()
async def an_order_that_waits_too_long_for_its_answer_is_unknown(desk: Desk) -> None:
    client = desk.connect(patience=Patience(read_seconds=0.05))
    desk.fail(Kind.SLOW, method="POST", seconds=0.2)

    with pytest.raises(OutcomeUnknown):
        await client.place_order(desk.limit())
    await client.aclose()


@scenario()
async def a_429_was_not_sent_and_carries_the_wait(desk: Desk) -> None:
    desk.fail(Kind.RATE_LIMIT, method="POST", retry_after=7)

    with pytest.raises(NotSent) as refused:
        await desk.client.place_order(desk.limit())
    assert (refused.value.cause, refused.value.retry_after) == (Cause.RATE_LIMITED, 7)
    assert desk.exchange.orders == {}


@scenario()
async def in_a_storm_of_429_nothing_is_sent_before_the_wait_is_over(desk: Desk) -> None:
    wire = Counting()
    client = desk.connect(seams=Seams(wire=wire))
    desk.fail(Kind.RATE_LIMIT, lasts=60.0)
    with pytest.raises(NotSent) as first:
        await client.get_balance()
    sent = wire.count
    for _ in range(20):
        with pytest.raises(NotSent) as held:
            await client.get_balance()
        assert held.value.cause is Cause.RATE_LIMITED
    await client.aclose()

    assert first.value.retry_after is not None
    assert first.value.retry_after > 50
    assert wire.count == sent


@scenario()
async def reads_get_over_a_bad_moment(desk: Desk) -> None:
    for kind in (Kind.STATUS_BEFORE, Kind.CUT_BEFORE, Kind.CUT_AFTER):
        desk.fail(kind, method="GET")
        assert await desk.client.get_balance()


@scenario()
async def a_cancel_whose_answer_is_lost_still_ends_the_order(desk: Desk) -> None:
    placed = await desk.client.place_order(request := desk.limit())
    desk.fail(Kind.CUT_AFTER, method=desk.stage.cancels_with)

    # The first try arrived and its answer was lost; a second one finds the order gone.
    try:
        answer = await desk.client.cancel_order(ref(request, placed.venue_order_id))
        assert answer.is_already_done
    except (Rejected, OutcomeUnknown):
        pass
    ended = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert ended.status is OrderStatus.CANCELLED


@scenario()
async def nobody_listening_means_not_sent(desk: Desk) -> None:
    nowhere = replace(desk.config, rest_url=f"http://127.0.0.1:1/{desk.slug}")
    client = replace(desk, config=nowhere).connect()

    with pytest.raises(NotSent):
        await client.place_order(desk.limit())
    assert not (await client.health()).is_up
    await client.aclose()


# Keys and clocks


@scenario()
async def a_key_nobody_knows_is_an_auth_failure(desk: Desk) -> None:
    client = desk.connect(desk.stage.make_key())

    with pytest.raises(Rejected) as refused:
        await client.place_order(desk.limit())
    assert refused.value.cause is Cause.AUTH
    assert desk.exchange.orders == {}
    await client.aclose()


@scenario()
async def a_secret_that_does_not_fit_the_key_is_an_auth_failure(desk: Desk) -> None:
    stranger = desk.stage.make_key()
    client = desk.connect(stranger._replace(key_id=desk.key.key_id))

    with pytest.raises(Rejected) as refused:
        await client.get_balance()
    assert refused.value.cause is Cause.AUTH
    await client.aclose()


@scenario()
async def a_clock_that_is_wrong_is_corrected_by_the_venues(desk: Desk) -> None:
    for minutes in (-10, 10):
        wrong = timedelta(minutes=minutes)
        client = desk.connect(now=lambda wrong=wrong: datetime.now(UTC) + wrong)

        assert (await client.place_order(desk.limit())).venue_order_id
        health = await client.health()
        assert health.clock_offset_seconds == pytest.approx(-wrong.total_seconds(), abs=1)
        await client.aclose()


# Listings and the account


@scenario()
async def a_thousand_fills_are_paged_without_loss(desk: Desk) -> None:
    for number in range(1050):
        request = desk.market(
            quantity=Decimal("0.0001"), side=Side.BUY if number % 2 else Side.SELL, symbol=SYMBOL
        )
        # By the venue's own door, which is faster than a thousand calls.
        desk.exchange.place(desk.key.entry.account_ref, _instruction(request))
        await asyncio.sleep(0)
    found = await desk.fills(limit=100)

    ids = [fill.venue_execution_id for fill in found]
    truth = [one for one in desk.exchange.fills if one.account == desk.key.entry.account_ref]
    assert len(ids) == len(set(ids)) == len(truth) >= 1050
    assert sum(fill.fee for fill in found) == sum(one.fee for one in truth)


def _instruction(request: OrderRequest) -> Instruction:
    return Instruction(
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        quantity=request.quantity,
        time_in_force=TimeInForce.IOC,
    )


@scenario()
async def listings_page_to_their_end_while_new_orders_come(desk: Desk) -> None:
    requests = [desk.limit() for _ in range(7)]
    for request in requests:
        await desk.client.place_order(request)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    cursor = ""
    for _ in range(10):
        page = await desk.client.get_orders(OrderQuery(symbols=(SYMBOL,), cursor=cursor, **query))
        seen += [order.client_order_id for order in page.items]
        cursor = page.cursor
        if not cursor:
            break
        await desk.client.place_order(desk.limit())

    assert seen == [one.client_order_id for one in reversed(requests)]


@scenario()
async def orders_are_found_by_status_side_and_time(desk: Desk) -> None:
    await desk.client.place_order(desk.limit())
    await desk.client.place_order(sell := desk.limit(side=Side.SELL, limit_price=Decimal(70000)))
    await desk.client.place_order(done := desk.market())

    open_sells = await desk.orders(statuses=OPEN_STATUSES, side=Side.SELL)
    filled = await desk.orders(statuses=frozenset({OrderStatus.FILLED}))
    later = await desk.orders(since=datetime.now(UTC) + timedelta(minutes=1))
    assert [one.client_order_id for one in open_sells] == [sell.client_order_id]
    assert [one.client_order_id for one in filled] == [done.client_order_id]
    assert later == []


@scenario()
async def fills_are_found_by_order_symbol_and_time(desk: Desk) -> None:
    placed = await desk.client.place_order(desk.market(quantity=Decimal(3)))
    await desk.client.place_order(desk.market(symbol=OTHER))
    everything = await desk.fills()
    by_order = await desk.fills(venue_order_id=placed.venue_order_id, symbols=())
    later = await desk.fills(since=datetime.now(UTC) + timedelta(minutes=1))

    assert {fill.symbol for fill in everything} == {SYMBOL, OTHER}
    assert {fill.venue_order_id for fill in by_order} == {placed.venue_order_id}
    assert later == []


@scenario()
async def a_resting_order_shows_as_a_hold(desk: Desk) -> None:
    before = {one.currency: one for one in await desk.client.get_balance()}["USD"]
    await desk.client.place_order(desk.limit())
    after = {one.currency: one for one in await desk.client.get_balance()}["USD"]

    assert after.held == Decimal("0.5") * 60000 * Decimal("1.006")
    assert after.total == before.total


@scenario()
async def the_book_is_best_first_and_as_deep_as_asked(desk: Desk) -> None:
    book = await desk.client.get_order_book(SYMBOL, 5)

    assert (len(book.bids), len(book.asks)) == (5, 5)
    assert [one.price for one in book.bids] == sorted(one.price for one in book.bids)[::-1]
    assert [one.price for one in book.asks] == sorted(one.price for one in book.asks)
    assert book.bids[0].price < book.asks[0].price


@scenario()
async def instruments_have_the_venues_steps(desk: Desk) -> None:
    assert isinstance(desk.client, ListsInstruments)
    instruments = {one.symbol: one for one in await desk.client.get_instruments()}

    assert set(instruments) == set(desk.exchange.products)
    assert instruments[SYMBOL].price_tick == Decimal("0.01")
    assert (instruments[SYMBOL].base, instruments[SYMBOL].quote) == ("BTC", "USD")
    assert instruments[SYMBOL].is_tradable


@scenario()
async def a_word_nobody_knows_opens_a_drift_report_and_moves_nothing(desk: Desk) -> None:
    client = desk.connect(seams=rewriting(*desk.stage.unknown_status))
    placed = await client.place_order(request := desk.limit())
    order = await client.get_order(ref(request, placed.venue_order_id))

    assert order.status is OrderStatus.UNKNOWN
    assert desk.drift
    await client.aclose()


@scenario()
async def a_member_nobody_knows_is_reported_once_and_moves_nothing(desk: Desk) -> None:
    reported: list[tuple[str, str]] = []
    word, _ = desk.stage.unknown_status
    planted = desk.connect(
        seams=rewriting(word, word + b',"shoe_size":"43"'),
        on_drift=lambda kind, detail: reported.append((kind, detail)),
    )
    placed = await planted.place_order(request := desk.limit())
    order = await planted.get_order(ref(request, placed.venue_order_id))
    page = await planted.get_orders(OrderQuery(symbols=(SYMBOL,)))
    await planted.aclose()

    plain = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert order.raw["shoe_size"] == "43"
    assert replace(order, raw={}, received_at=plain.received_at) == replace(plain, raw={})
    assert [one.venue_order_id for one in page.items] == [placed.venue_order_id]
    assert reported == [("unknown field", 'Order.shoe_size = "43"')]


@scenario()
async def the_client_has_the_abilities_the_desk_stands_on(desk: Desk) -> None:
    for ability in (ListsInstruments, ListsFills, StreamsExecutions):
        assert isinstance(desk.client, ability)


# Streams


@scenario()
async def a_streamed_book_equals_the_venues_own(desk: Desk) -> None:
    assembler = Assembler(SYMBOL)
    tape = Tape(desk.client.subscribe_order_book([SYMBOL, OTHER]))
    await tape.until(
        lambda items: {i.symbol for i in items if isinstance(i, BookEvent)} == {SYMBOL, OTHER}
    )
    for number in range(20):
        desk.app.step()
        if number == 10:
            await desk.client.place_order(desk.market(quantity=Decimal(2)))
    at = len(tape.items)
    desk.app.second()
    await tape.until(
        lambda items: any(isinstance(i, BookEvent) and not i.changes for i in items[at:])
    )
    for item in tape.items:
        if isinstance(item, BookEvent) and item.symbol == SYMBOL:
            assembler.apply(item)
    await tape.close()

    truth = await desk.client.get_order_book(SYMBOL, 100)
    taken = assembler.snapshot(100)
    assert taken is not None
    assert (taken.bids, taken.asks) == (truth.bids, truth.asks)
    assert tape.resets == ["connected"]


@scenario(lambda desk: desk.stage.counts_book_messages)
async def a_lost_book_message_brings_a_new_snapshot(desk: Desk) -> None:
    for kind in (Kind.DROP, Kind.GAP):
        await _after_a_loss(desk, kind)


async def _after_a_loss(desk: Desk, kind: Kind) -> None:
    tape = Tape(desk.client.subscribe_order_book([SYMBOL]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(kind, channel=desk.stage.books)
    for _ in range(2):
        desk.app.step()
    await tape.until(lambda items: len(tape.resets) == 2)
    at = next(n for n, item in enumerate(tape.items) if isinstance(item, StreamReset) and n)
    await tape.until(
        lambda items: any(isinstance(i, BookEvent) and i.kind == "snapshot" for i in items[at:])
    )
    await tape.close()


@scenario(lambda desk: desk.stage.counts_book_messages)
async def a_repeated_book_message_is_left_out(desk: Desk) -> None:
    tape = Tape(desk.client.subscribe_order_book([SYMBOL]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(Kind.DUPLICATE, channel=desk.stage.books)
    for _ in range(3):
        desk.app.step()
    await tape.until(lambda items: sum(isinstance(i, BookEvent) for i in items) >= 4)
    await tape.close()

    numbers = [item.sequence for item in tape.items if isinstance(item, BookEvent)]
    assert len(set(numbers)) == len(numbers)
    assert tape.resets == ["connected"]


@scenario(lambda desk: desk.stage.counts_book_messages)
async def book_messages_that_overtake_each_other_never_make_a_wrong_book(desk: Desk) -> None:
    assembler = Assembler(SYMBOL)
    tape = Tape(desk.client.subscribe_order_book([SYMBOL]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(Kind.REORDER, channel=desk.stage.books)
    for _ in range(4):
        desk.app.step()
    await tape.until(lambda items: len(tape.resets) == 2)
    at = len(tape.items)
    await tape.until(
        lambda items: any(isinstance(i, BookEvent) and i.kind == "snapshot" for i in items[at:])
    )
    await tape.close()
    for item in tape.items[at:]:
        if isinstance(item, BookEvent):
            assembler.apply(item)

    truth = await desk.client.get_order_book(SYMBOL, 100)
    taken = assembler.snapshot(100)
    assert taken is not None
    assert (taken.bids, taken.asks) == (truth.bids, truth.asks)


@scenario()
async def a_broken_book_stream_comes_back_with_a_snapshot(desk: Desk) -> None:
    for kind in (Kind.DISCONNECT, Kind.GARBLE):
        await _after_a_break(desk, kind)


async def _after_a_break(desk: Desk, kind: Kind) -> None:
    tape = Tape(desk.client.subscribe_order_book([SYMBOL]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(kind, channel=desk.stage.books)
    desk.app.step()
    await tape.until(lambda items: tape.resets.count("connected") == 2)
    at = len(tape.items) - 1
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items[at:]))
    await tape.close()
    first = next(i for i in tape.items[at:] if isinstance(i, BookEvent))
    assert first.kind == "snapshot"


@scenario()
async def silence_is_a_failure(desk: Desk) -> None:
    client = desk.connect(persistence=Persistence(sleep=no_wait, idle_seconds=0.2))
    tape = Tape(client.subscribe_order_book([SYMBOL]))
    await tape.until(lambda items: any("silent" in reason for reason in tape.resets))
    await tape.until(lambda items: tape.resets.count("connected") >= 2)
    await tape.close()
    await client.aclose()


@scenario()
async def a_socket_that_is_only_half_there_is_left_for_a_new_one(desk: Desk) -> None:
    client = desk.connect(persistence=Persistence(sleep=no_wait, idle_seconds=0.3))
    tape = Tape(client.subscribe_order_book([SYMBOL]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(Kind.HALF_OPEN, channel=desk.stage.books)
    desk.app.step()
    await tape.until(lambda items: any("silent" in reason for reason in tape.resets))
    at = len(tape.items)
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items[at:]))
    await tape.close()
    await client.aclose()

    assert next(i for i in tape.items[at:] if isinstance(i, BookEvent)).kind == "snapshot"


@scenario()
async def trades_are_streamed_with_the_takers_side(desk: Desk) -> None:
    tape = Tape(desk.client.subscribe_trades([SYMBOL]))
    await tape.until(lambda items: tape.resets)
    await desk.listening(desk.stage.trades)
    await desk.client.place_order(desk.market(side=Side.SELL, quantity=Decimal(3)))
    await tape.until(lambda items: sum(i.quantity for i in items if isinstance(i, Trade)) >= 3)
    await tape.close()

    assert {i.side for i in tape.items if isinstance(i, Trade)} == {Side.SELL}


@scenario()
async def lost_trades_are_noticed(desk: Desk) -> None:
    tape = Tape(desk.client.subscribe_trades([SYMBOL]))
    await tape.until(lambda items: tape.resets)
    await desk.listening(desk.stage.trades)
    await desk.client.place_order(desk.market())
    await tape.until(lambda items: any(isinstance(i, Trade) for i in items))
    desk.fail(Kind.DROP, channel=desk.stage.trades)
    for _ in range(3):
        await desk.client.place_order(desk.market())
    await tape.until(lambda items: len(tape.resets) >= 2)
    await tape.close()


@scenario()
async def own_orders_are_followed_to_their_end(desk: Desk) -> None:
    tape = Tape(desk.client.subscribe_executions([SYMBOL]))
    await tape.until(lambda items: tape.resets)
    await desk.listening(desk.stage.orders)
    desk.app.second()
    resting, taking = desk.limit(), desk.market()
    placed = await desk.client.place_order(resting)
    await desk.client.place_order(taking)
    await desk.client.cancel_order(ref(resting, placed.venue_order_id))

    def heard(items: list[Any]) -> set[OrderStatus]:
        return {i.order.status for i in items if isinstance(i, OrderUpdate)}

    await tape.until(lambda items: {OrderStatus.FILLED, OrderStatus.CANCELLED} <= heard(items))
    await tape.until(lambda items: "subscribed" in tape.resets)
    await tape.close()
    ids = {i.order.client_order_id for i in tape.items if isinstance(i, OrderUpdate)}
    assert {resting.client_order_id, taking.client_order_id} <= ids


@scenario()
async def a_refused_private_stream_says_so_and_never_looks_alive(desk: Desk) -> None:
    stranger = desk.stage.make_key()
    client = desk.connect(stranger._replace(key_id=desk.key.key_id))
    tape = Tape(client.subscribe_executions([SYMBOL]))
    await tape.until(lambda items: sum("refused" in reason for reason in tape.resets) >= 2)
    await tape.close()
    await client.aclose()

    assert "subscribed" not in tape.resets


@scenario()
async def a_broken_private_stream_asks_for_a_new_reading(desk: Desk) -> None:
    tape = Tape(desk.client.subscribe_executions([SYMBOL]))
    await tape.until(lambda items: tape.resets)
    await desk.listening(desk.stage.orders)
    desk.fail(Kind.DISCONNECT, channel=desk.stage.orders)
    await desk.client.place_order(desk.limit())
    await tape.until(lambda items: tape.resets.count("connected") >= 2)
    await asyncio.sleep(0)
    await tape.close()
