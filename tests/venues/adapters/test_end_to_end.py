"""The real client over real HTTP and WebSocket against the simulated venue: the adapter's contract.

The simulator does not tick by itself here; a test lets time pass with `step`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from venues.adapters.registry import ApiKey, Surroundings, VenueConfig, build_client
from venues.interface.client import ChecksKey, ListsFills, ListsInstruments, StreamsExecutions
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected
from venues.interface.types import (
    OPEN_STATUSES,
    BookEvent,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Side,
    StreamReset,
    Trade,
)
from venues.marketdata.assembler import Assembler
from venues.simulator.app import Simulator, free_socket, make_server
from venues.simulator.demo_keys import DemoKey, generate_demo_key, register_key
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Fault, Kind
from venues.transport.http import Patience
from venues.transport.websocket import Persistence

D = Decimal
LIMIT = OrderRequest(
    client_order_id="c1",
    symbol="BTC-USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=D("0.5"),
    limit_price=D("60000.00"),
)
MARKET = replace(LIMIT, client_order_id="m1", order_type=OrderType.MARKET, limit_price=None)


async def no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Desk:
    app: Simulator
    key: DemoKey
    config: VenueConfig
    data_dir: Path
    client: Any = None

    def connect(self, key: ApiKey | None = None, **changes: Any) -> Any:
        around = Surroundings(
            patience=Patience(first_delay_seconds=0.001),
            persistence=Persistence(sleep=no_wait, idle_seconds=2.0),
        )
        key = key or ApiKey(self.key.key_id, self.key.secret)
        return build_client(
            "coinbase_advanced", config=self.config, key=key, around=replace(around, **changes)
        )

    @property
    def exchange(self) -> Exchange:
        return self.app.venues["coinbase_advanced"].exchange

    async def listening(self, channel: str) -> None:
        """Wait until the venue has taken a subscription in."""
        hub = self.app.venues["coinbase_advanced"]._hub  # type: ignore[attr-defined]
        async with asyncio.timeout(3):
            while not any(channel in one._subscribed for one in hub.connections):
                await asyncio.sleep(0.002)

    def fail(self, kind: Kind, **terms: Any) -> None:
        self.app.faults.add(Fault(kind=kind, **terms))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    key = generate_demo_key()
    register_key(tmp_path, key.entry)
    app = Simulator(tmp_path, 1, is_ticking=False)
    bound = free_socket()
    port = bound.getsockname()[1]
    server = make_server(app, "127.0.0.1", port)
    running = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0.005)
    base = f"127.0.0.1:{port}/coinbase_advanced"
    config = VenueConfig(
        rest_url=f"http://{base}", ws_url=f"ws://{base}/ws", ws_user_url=f"ws://{base}/ws-user"
    )
    desk = Desk(app, key, config, tmp_path)
    desk.client = desk.connect()
    yield desk
    await desk.client.aclose()
    server.should_exit = True
    await running


class Tape:
    """Reads a stream in the background so that a test can wait for what it expects."""

    def __init__(self, stream: Any) -> None:
        self.items: list[Any] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: Any) -> None:
        async with aclosing(stream) as events:
            async for event in events:
                self.items.append(event)
                self._news.set()

    async def until(self, holds: Callable[[list[Any]], Any]) -> None:
        async with asyncio.timeout(3):
            while not holds(self.items):
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def resets(items: list[Any]) -> list[str]:
    return [item.reason for item in items if isinstance(item, StreamReset)]


def ref(client_order_id: str = "c1", venue_order_id: str = "") -> OrderRef:
    return OrderRef(
        symbol="BTC-USD", client_order_id=client_order_id, venue_order_id=venue_order_id
    )


# Orders


async def test_an_order_lives_from_placing_to_cancelling(desk: Desk):
    placed = await desk.client.place_order(LIMIT)
    assert placed.status is OrderStatus.PENDING
    assert (placed.filled_quantity, placed.client_order_id) == (0, "c1")

    resting = await desk.client.get_order(ref(venue_order_id=placed.venue_order_id))
    assert resting.status is OrderStatus.ACKNOWLEDGED
    assert (resting.quantity, resting.limit_price) == (D("0.5"), 60000)

    answer = await desk.client.cancel_order(ref(venue_order_id=placed.venue_order_id))
    assert answer.is_accepted
    ended = await desk.client.get_order(ref(venue_order_id=placed.venue_order_id))
    assert ended.status is OrderStatus.CANCELLED


async def test_a_repeated_client_id_returns_the_first_order(desk: Desk):
    first = await desk.client.place_order(LIMIT)
    again = await desk.client.place_order(LIMIT)

    assert again.venue_order_id == first.venue_order_id
    assert len(desk.exchange.orders) == 1


async def test_a_client_id_used_for_something_else_returns_what_it_was_used_for(desk: Desk):
    first = await desk.client.place_order(LIMIT)
    other = await desk.client.place_order(replace(MARKET, client_order_id="c1", side=Side.SELL))

    assert other.venue_order_id == first.venue_order_id
    assert (other.side, other.order_type) == (Side.BUY, OrderType.LIMIT)
    assert other.status is OrderStatus.ACKNOWLEDGED


async def test_a_market_order_fills_and_its_fills_and_balances_agree(desk: Desk):
    before = {one.currency: one for one in await desk.client.get_balance()}
    placed = await desk.client.place_order(replace(MARKET, quantity=D(3)))
    order = await desk.client.get_order(ref("m1", placed.venue_order_id))
    fills = (await desk.client.get_fills(OrderQuery(venue_order_id=order.venue_order_id))).items
    after = {one.currency: one for one in await desk.client.get_balance()}

    assert order.status is OrderStatus.FILLED
    assert len(fills) > 1
    assert sum(fill.quantity for fill in fills) == order.filled_quantity == 3
    assert sum(fill.price * fill.quantity for fill in fills) == order.filled_value
    assert sum(fill.fee for fill in fills) == order.fees
    assert after["BTC"].total - before["BTC"].total == 3
    assert before["USD"].total - after["USD"].total == order.filled_value + order.fees


async def test_a_notional_order_is_read_back_as_one(desk: Desk):
    await desk.client.place_order(replace(MARKET, quantity=None, notional=D(1000)))
    order = await desk.client.get_order(ref("m1"))

    assert (order.notional, order.quantity, order.status) == (1000, None, OrderStatus.FILLED)


async def test_a_resting_order_shows_as_a_hold(desk: Desk):
    await desk.client.place_order(LIMIT)
    (usd,) = [one for one in await desk.client.get_balance() if one.currency == "USD"]

    assert usd.held == D("0.5") * 60000 * D("1.006")
    assert usd.total == 2_000_000


@pytest.mark.parametrize(
    ("change", "cause", "code"),
    [
        ({"quantity": D(3000)}, Cause.INSUFFICIENT_FUNDS, "INSUFFICIENT_FUND"),
        ({"symbol": "NO-PE"}, Cause.INVALID, "INVALID_PRODUCT_ID"),
        ({"limit_price": D("60000.001")}, Cause.INVALID, "INVALID_PRICE_PRECISION"),
        ({"quantity": D("0.000000001")}, Cause.INVALID, "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
        (
            {"limit_price": D(70000), "post_only": True},
            Cause.INVALID,
            "INVALID_LIMIT_PRICE_POST_ONLY",
        ),
    ],
)
async def test_a_refusal_says_why(desk: Desk, change, cause, code):
    with pytest.raises(Rejected) as refused:
        await desk.client.place_order(replace(LIMIT, **change))

    assert (refused.value.cause, refused.value.venue_code) == (cause, code)
    assert desk.exchange.orders == {}


async def test_a_halted_venue_is_a_temporary_no(desk: Desk):
    desk.exchange.is_halted = True

    with pytest.raises(Rejected) as refused:
        await desk.client.place_order(LIMIT)
    assert refused.value.cause is Cause.TEMPORARY


async def test_cancelling_what_is_filled_or_unknown(desk: Desk):
    placed = await desk.client.place_order(MARKET)
    answer = await desk.client.cancel_order(ref("m1", placed.venue_order_id))
    assert (answer.is_accepted, answer.is_already_done) == (False, True)

    with pytest.raises(Rejected) as refused:
        await desk.client.cancel_order(ref("x", "nothing"))
    assert refused.value.cause is Cause.NOT_FOUND


async def test_an_order_that_is_not_there_is_not_found(desk: Desk):
    for wanted in (ref("nobody"), ref("nobody", "no-such-id")):
        with pytest.raises(Rejected) as refused:
            await desk.client.get_order(wanted)
        assert refused.value.cause is Cause.NOT_FOUND


# Doubt


@pytest.mark.parametrize(
    ("kind", "arrived"),
    [
        (Kind.STATUS_AFTER, True),
        (Kind.CUT_AFTER, True),
        (Kind.GARBAGE_AFTER, True),
        (Kind.STATUS_BEFORE, False),
        (Kind.CUT_BEFORE, False),
    ],
)
async def test_a_lost_answer_is_unknown_and_the_client_id_tells_the_truth(
    desk: Desk, kind, arrived
):
    desk.fail(kind, method="POST")

    with pytest.raises(OutcomeUnknown):
        await desk.client.place_order(LIMIT)
    assert len(desk.exchange.orders) == (1 if arrived else 0)
    if arrived:
        found = await desk.client.get_order(ref())
        assert found.status is OrderStatus.ACKNOWLEDGED
    else:
        with pytest.raises(Rejected) as refused:
            await desk.client.get_order(ref())
        assert refused.value.cause is Cause.NOT_FOUND


async def test_an_order_that_waits_too_long_for_its_answer_is_unknown(desk: Desk):
    client = desk.connect(patience=Patience(read_seconds=0.05))
    desk.fail(Kind.SLOW, method="POST", seconds=0.2)

    with pytest.raises(OutcomeUnknown):
        await client.place_order(LIMIT)
    await client.aclose()


async def test_a_429_was_not_sent_and_carries_the_wait(desk: Desk):
    desk.fail(Kind.RATE_LIMIT, method="POST", retry_after=7)

    with pytest.raises(NotSent) as refused:
        await desk.client.place_order(LIMIT)
    assert (refused.value.cause, refused.value.retry_after) == (Cause.RATE_LIMITED, 7)
    assert desk.exchange.orders == {}


async def test_reads_and_cancels_get_over_a_bad_moment(desk: Desk):
    placed = await desk.client.place_order(LIMIT)
    desk.fail(Kind.STATUS_BEFORE, method="GET")
    desk.fail(Kind.CUT_AFTER, path="batch_cancel")

    assert await desk.client.get_balance()
    # The first cancel arrived and its answer was lost; the second finds the order gone.
    with pytest.raises((Rejected, OutcomeUnknown)):
        await desk.client.cancel_order(ref(venue_order_id=placed.venue_order_id))
    ended = await desk.client.get_order(ref(venue_order_id=placed.venue_order_id))
    assert ended.status is OrderStatus.CANCELLED


async def test_nobody_listening_means_not_sent(desk: Desk):
    nowhere = replace(desk.config, rest_url="http://127.0.0.1:1/coinbase_advanced")
    client = replace(desk, config=nowhere).connect()

    with pytest.raises(NotSent):
        await client.place_order(LIMIT)
    assert not (await client.health()).is_up
    await client.aclose()


# Keys


async def test_a_key_nobody_knows_is_an_auth_failure(desk: Desk):
    stranger = generate_demo_key()
    client = desk.connect(ApiKey(stranger.key_id, stranger.secret))

    with pytest.raises(Rejected) as refused:
        await client.place_order(LIMIT)
    assert refused.value.cause is Cause.AUTH
    register_key(desk.data_dir, stranger.entry)
    assert (await client.place_order(LIMIT)).venue_order_id
    await client.aclose()


async def test_a_secret_that_does_not_fit_the_key_is_an_auth_failure(desk: Desk):
    client = desk.connect(ApiKey(desk.key.key_id, generate_demo_key().secret))

    with pytest.raises(Rejected) as refused:
        await client.get_balance()
    assert refused.value.cause is Cause.AUTH
    await client.aclose()


async def test_a_key_that_may_not_trade_cannot(desk: Desk):
    viewer = generate_demo_key("viewer")
    entry = type(viewer.entry)(
        key_id=viewer.key_id,
        account_ref="viewer",
        public_key=viewer.entry.public_key,
        can_trade=False,
    )
    register_key(desk.data_dir, entry)
    client = desk.connect(ApiKey(viewer.key_id, viewer.secret))

    assert not (await client.get_key_rights()).can_trade
    with pytest.raises(Rejected) as refused:
        await client.place_order(LIMIT)
    assert refused.value.cause is Cause.AUTH
    await client.aclose()


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_that_is_wrong_is_corrected_by_the_venues(desk: Desk, minutes):
    wrong = timedelta(minutes=minutes)
    client = desk.connect(now=lambda: datetime.now(UTC) + wrong)

    assert (await client.place_order(LIMIT)).venue_order_id
    health = await client.health()
    assert health.clock_offset_seconds == pytest.approx(-wrong.total_seconds(), abs=1)
    tape = Tape(client.subscribe_executions(["BTC-USD"]))
    await tape.until(lambda items: "subscribed" in resets(items))
    await tape.close()
    await client.aclose()


async def test_without_a_key_only_public_things_can_be_read(desk: Desk):
    client = build_client("coinbase_advanced", config=desk.config, key=None)

    assert (await client.get_order_book("BTC-USD", 5)).bids
    assert (await client.health()).is_up
    for call in (client.place_order(LIMIT), client.get_balance(), client.get_order(ref())):
        with pytest.raises(NotSent) as refused:
            await call
        assert refused.value.cause is Cause.AUTH
    await client.aclose()


# Listings


async def test_listings_page_to_their_end_without_loss(desk: Desk):
    for number in range(7):
        await desk.client.place_order(replace(LIMIT, client_order_id=f"c{number}"))
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = await desk.client.get_orders(
            OrderQuery(symbols=("BTC-USD",), limit=3, cursor=cursor)
        )
        seen += [order.client_order_id for order in page.items]
        cursor = page.cursor
        if not cursor:
            break
        await desk.client.place_order(replace(LIMIT, client_order_id=f"late{cursor}"))

    assert seen == [f"c{number}" for number in reversed(range(7))]


async def test_fills_page_by_time_order_and_symbol(desk: Desk):
    placed = await desk.client.place_order(replace(MARKET, quantity=D(3)))
    await desk.client.place_order(replace(MARKET, client_order_id="m2", symbol="ETH-USD"))
    everything = (await desk.client.get_fills(OrderQuery(limit=250))).items
    seen: list[str] = []
    cursor = ""
    while True:
        page = await desk.client.get_fills(OrderQuery(limit=2, cursor=cursor))
        seen += [fill.venue_execution_id for fill in page.items]
        cursor = page.cursor
        if not cursor:
            break
    by_order = await desk.client.get_fills(OrderQuery(venue_order_id=placed.venue_order_id))
    later = await desk.client.get_fills(OrderQuery(since=everything[0].executed_at))

    assert seen == [fill.venue_execution_id for fill in everything]
    assert len(set(seen)) == len(seen)
    assert {fill.symbol for fill in by_order.items} == {"BTC-USD"}
    assert everything[0] in [
        replace(one, received_at=everything[0].received_at) for one in later.items
    ]


async def test_open_orders_of_one_side_are_found(desk: Desk):
    await desk.client.place_order(LIMIT)
    await desk.client.place_order(
        replace(LIMIT, client_order_id="s", side=Side.SELL, limit_price=D(70000))
    )
    await desk.client.place_order(MARKET)

    page = await desk.client.get_orders(OrderQuery(statuses=OPEN_STATUSES, side=Side.SELL))
    assert [order.client_order_id for order in page.items] == ["s"]


async def test_instruments_have_the_venues_steps(desk: Desk):
    instruments = {one.symbol: one for one in await desk.client.get_instruments()}

    assert set(instruments) == {"BTC-USD", "ETH-USD", "SOL-USD", "BTC-USDC"}
    assert instruments["BTC-USDC"].quote == "USDC"
    assert instruments["BTC-USD"].price_tick == D("0.01")


def test_the_client_says_what_it_can_do():
    client = build_client(
        "coinbase_advanced", config=VenueConfig(rest_url="", ws_url="", ws_user_url=""), key=None
    )

    for ability in (ListsInstruments, ListsFills, StreamsExecutions, ChecksKey):
        assert isinstance(client, ability)


# Streams


async def test_a_streamed_book_equals_the_venues_own(desk: Desk):
    assembler = Assembler("BTC-USDC")
    tape = Tape(desk.client.subscribe_order_book(["BTC-USDC", "ETH-USD"]))
    await tape.until(
        lambda items: (
            {i.symbol for i in items if isinstance(i, BookEvent)} == {"BTC-USDC", "ETH-USD"}
        )
    )
    for number in range(20):
        desk.app.step()
        if number == 10:
            await desk.client.place_order(replace(MARKET, quantity=D(2)))
    desk.app.second()
    await tape.until(lambda items: any(isinstance(i, BookEvent) and not i.changes for i in items))
    for item in tape.items:
        if isinstance(item, BookEvent) and item.symbol == "BTC-USDC":
            assembler.apply(item)
    await tape.close()

    truth = await desk.client.get_order_book("BTC-USDC", 100)
    taken = assembler.snapshot(100)
    assert taken is not None
    assert (taken.bids, taken.asks) == (truth.bids, truth.asks)
    assert resets(tape.items) == ["connected"]


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.GAP])
async def test_a_gap_resets_the_books_and_brings_a_new_snapshot(desk: Desk, kind):
    tape = Tape(desk.client.subscribe_order_book(["BTC-USD"]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(kind, channel="l2_data")
    for _ in range(2):
        desk.app.step()
    await tape.until(lambda items: len(resets(items)) == 2)
    at = next(n for n, i in enumerate(tape.items) if isinstance(i, StreamReset) and n)
    await tape.until(
        lambda items: any(isinstance(i, BookEvent) and i.kind == "snapshot" for i in items[at:])
    )
    await tape.close()

    assert "sequence gap" in resets(tape.items)[1]


async def test_a_repeated_message_is_left_out(desk: Desk):
    tape = Tape(desk.client.subscribe_order_book(["BTC-USD"]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(Kind.DUPLICATE, channel="l2_data")
    for _ in range(3):
        desk.app.step()
    await tape.until(lambda items: sum(isinstance(i, BookEvent) for i in items) >= 4)
    await tape.close()

    numbers = [item.sequence for item in tape.items if isinstance(item, BookEvent)]
    assert len(set(numbers)) == len(numbers)
    assert resets(tape.items) == ["connected"]


@pytest.mark.parametrize("kind", [Kind.DISCONNECT, Kind.GARBLE])
async def test_a_broken_stream_comes_back_with_a_snapshot(desk: Desk, kind):
    tape = Tape(desk.client.subscribe_order_book(["BTC-USD"]))
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items))
    desk.fail(kind, channel="l2_data")
    desk.app.step()
    await tape.until(lambda items: resets(items).count("connected") == 2)
    at = len(tape.items)
    await tape.until(lambda items: any(isinstance(i, BookEvent) for i in items[at - 1 :]))
    await tape.close()

    assert tape.items[-1].kind == "snapshot"


async def test_trades_are_streamed_with_the_takers_side(desk: Desk):
    tape = Tape(desk.client.subscribe_trades(["BTC-USD"]))
    await tape.until(resets)
    await desk.listening("market_trades")
    await desk.client.place_order(replace(MARKET, side=Side.SELL, quantity=D(3)))
    await tape.until(lambda items: sum(i.quantity for i in items if isinstance(i, Trade)) >= 3)
    await tape.close()

    assert {i.side for i in tape.items if isinstance(i, Trade)} == {Side.SELL}


async def test_executions_begin_with_what_is_open_and_follow_each_change(desk: Desk):
    for number in range(51):
        await desk.client.place_order(
            replace(LIMIT, client_order_id=f"c{number}", quantity=D("0.01"))
        )
    tape = Tape(desk.client.subscribe_executions(["BTC-USD"]))
    await tape.until(lambda items: sum(isinstance(i, OrderUpdate) for i in items) == 51)
    assert all(i.is_snapshot for i in tape.items if isinstance(i, OrderUpdate))

    desk.exchange.jump("BTC-USD", D(59000))
    desk.app.step()
    await tape.until(
        lambda items: (
            sum(isinstance(i, OrderUpdate) and i.order.status is OrderStatus.FILLED for i in items)
            == 51
        )
    )
    await tape.close()
    assert resets(tape.items) == ["connected", "subscribed"]


async def test_a_gap_in_the_private_stream_asks_for_a_new_reading(desk: Desk):
    tape = Tape(desk.client.subscribe_executions(["BTC-USD"]))
    await tape.until(lambda items: "subscribed" in resets(items))
    desk.fail(Kind.DROP, channel="user")
    await desk.client.place_order(LIMIT)
    await desk.client.place_order(MARKET)
    await tape.until(lambda items: any("sequence gap" in reason for reason in resets(items)))
    await tape.until(lambda items: any(isinstance(i, OrderUpdate) for i in items))
    await tape.close()


async def test_a_refused_private_stream_says_so_and_never_looks_alive(desk: Desk):
    client = desk.connect(ApiKey(desk.key.key_id, generate_demo_key().secret))
    tape = Tape(client.subscribe_executions(["BTC-USD"]))
    await tape.until(lambda items: sum("refused" in reason for reason in resets(items)) >= 2)
    await tape.close()
    await client.aclose()

    assert "authentication failure" in str(resets(tape.items))
    assert "subscribed" not in resets(tape.items)
