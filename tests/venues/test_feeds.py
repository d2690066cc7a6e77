"""The market-data process against streams that follow a script."""

import asyncio
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from channels.db import database_sync_to_async
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from assets.services.claims import ended
from cqops.platform.access.allowances import seeding
from cqops.platform.live.redis import client as redis_client
from cqops.platform.telemetry.forever import end
from cqops.platform.telemetry.logs import trace_id
from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues import feeds as module
from venues.feeds import Feeds, read_plan
from venues.interface.types import (
    BookEvent,
    BookEventKind,
    BookSide,
    LevelChange,
    Side,
    StreamReset,
    Trade,
)
from venues.live import TRADES_KEPT, tickers_key, trades_key
from venues.marketdata.assembler import Assembler
from venues.models import Venue
from venues.services.books import BookState, PublishedBook, book_key, read_touch

# Each runs the whole process, on machines that may be busy with another suite.
pytestmark = pytest.mark.timeout(20)
NAME = "coinbase_advanced:BTC-USD"


def level(side, price, quantity):
    return LevelChange(side, price, quantity)


def event(kind, *changes):
    return BookEvent(
        symbol="BTC-USD",
        kind=kind,
        changes=changes,
        sequence=None,
        venue_time=None,
        received_at=datetime.now(UTC),
    )


def snapshot():
    return event(
        BookEventKind.SNAPSHOT,
        level(BookSide.BID, "100.10", "1"),
        level(BookSide.BID, "100.00", "2"),
        level(BookSide.ASK, "100.20", "3"),
    )


def better_bid():
    return event(BookEventKind.UPDATE, level(BookSide.BID, "100.15", "5"))


def trade():
    return Trade(
        symbol="BTC-USD",
        venue_trade_id="t1",
        price=Decimal("100.1"),
        quantity=Decimal(2),
        side=Side.BUY,
        venue_time=datetime.now(UTC),
        received_at=datetime.now(UTC),
    )


class ScriptedStreams:
    def __init__(self, books, trades=()):
        self.books, self.trades = books, trades

    async def subscribe_order_book(self, symbols):
        for one in self.books:
            yield one
        await asyncio.Event().wait()

    async def subscribe_trades(self, symbols):
        for one in self.trades:
            yield one
        await asyncio.Event().wait()

    async def aclose(self):
        return None


@pytest.fixture
def redis():
    found = redis_client()
    found.flushdb()
    return found


async def _looks_at_nothing():
    return None


async def follow(monkeypatch, streams, *, until):
    monkeypatch.setattr(module, "open_public_client", lambda venue, *, ring: streams)
    monkeypatch.setattr(
        module, "read_plan", lambda: [(module.Venue(slug="coinbase_advanced"), ("BTC-USD",))]
    )
    monkeypatch.setattr(module, "beat", lambda *_, **__: None)
    monkeypatch.setattr(module, "look", _looks_at_nothing)
    process = Feeds()
    task = asyncio.create_task(process.run())
    try:
        async with asyncio.timeout(15):
            while not until(process):
                if task.done():
                    await task
                await asyncio.sleep(0.02)
    finally:
        await end(task)
        await process.redis.aclose()
    return process


def stored():
    data = redis_client().get(book_key(NAME))
    return msgspec.json.decode(data, type=PublishedBook) if data else None


@pytest.mark.django_db(transaction=True)
async def test_a_book_is_assembled_and_published(monkeypatch, redis):
    streams = ScriptedStreams([snapshot(), better_bid()], [trade()])

    def done(_):
        book = stored()
        return book and book.bids[0] == ("100.15", "5") and redis.llen(trades_key(NAME))

    await follow(monkeypatch, streams, until=done)
    book = stored()
    assert book.state == "live"
    assert [price for price, _ in book.bids] == ["100.15", "100.10", "100.00"]
    assert book.asks == [("100.20", "3")]
    ticker = msgspec.json.decode(redis.hget(tickers_key(), NAME))
    assert (ticker["bid"], ticker["ask"], ticker["state"]) == ("100.15", "100.20", "live")
    tape = msgspec.json.decode(redis.lindex(trades_key(NAME), 0))
    assert (tape["id"], tape["side"]) == ("t1", "buy")


@pytest.mark.django_db(transaction=True)
async def test_a_broken_stream_says_so_at_once(monkeypatch, redis):
    reset = StreamReset(reason="gap", received_at=datetime.now(UTC))
    streams = ScriptedStreams([snapshot(), reset, better_bid()])
    process = await follow(
        monkeypatch,
        streams,
        until=lambda _: stored() is not None and stored().state == "syncing",
    )
    assert stored().bids == []
    assert process.books[NAME].resyncs == 1


@pytest.mark.django_db(transaction=True)
async def test_a_break_of_other_symbols_leaves_a_book_as_it_is(monkeypatch, redis):
    reset = StreamReset(reason="gap", received_at=datetime.now(UTC), symbols=("ETH-USD",))
    streams = ScriptedStreams([snapshot(), reset, better_bid()])
    process = await follow(
        monkeypatch,
        streams,
        until=lambda _: stored() is not None and stored().bids[:1] == [("100.15", "5")],
    )
    assert process.books[NAME].resyncs == 0


def kinds(journal):
    journal.flush(is_end=True)
    return list(OpsEvent.objects.order_by("pk").values_list("kind", "words"))


@pytest.mark.django_db(transaction=True)
async def test_what_breaks_a_stream_is_told_by_its_kind(monkeypatch, redis, journal):
    resets = [
        StreamReset(reason=reason, received_at=datetime.now(UTC))
        for reason in ("connected", "sequence gap: 9 after 7", "connection lost: 1006")
    ]
    await follow(
        monkeypatch,
        ScriptedStreams([*resets, snapshot()]),
        until=lambda _: stored() is not None and stored().state == "live",
    )
    told = await database_sync_to_async(kinds)(journal)
    assert [kind for kind, _ in told if kind.startswith("stream")] == [
        "stream.connected",
        "stream.gap",
        "stream.reset",
    ]
    assert "sequence gap: 9 after 7" in told[1][1]


@pytest.mark.django_db(transaction=True)
async def test_a_book_is_told_to_be_stale_once_and_live_again_once(journal):
    process = Feeds()
    for state, reason in [
        (BookState.SYNCING, ""),
        (BookState.LIVE, ""),
        (BookState.STALE, "silent for 5.1 s"),
        (BookState.STALE, "silent for 6.1 s"),
        (BookState.SYNCING, "gap"),
        (BookState.LIVE, ""),
        (BookState.LIVE, ""),
    ]:
        process._tell_state(NAME, state, reason)
    await process.redis.aclose()

    assert await database_sync_to_async(kinds)(journal) == [
        ("book.stale", f"The book of {NAME} is silent and prices nothing."),
        ("book.live", f"The book of {NAME} is live again."),
    ]


@pytest.mark.django_db(transaction=True)
async def test_redis_away_and_back_are_told_once_each(monkeypatch, redis, journal):
    real, failures = Feeds._publish, [RedisConnectionError("away")] * 2

    async def sometimes(process):
        if failures:
            raise failures.pop()
        await real(process)

    monkeypatch.setattr(Feeds, "_publish", sometimes)
    await follow(
        monkeypatch,
        ScriptedStreams([snapshot()]),
        until=lambda process: stored() is not None and not process.is_redis_away,
    )
    told = [kind for kind, _ in await database_sync_to_async(kinds)(journal)]
    assert [kind for kind in told if kind.startswith("redis")] == ["redis.away", "redis.back"]


@pytest.mark.django_db(transaction=True)
async def test_a_silent_book_is_marked_stale(monkeypatch, redis, settings):
    settings.BOOK_STALE_SECONDS = 1
    await follow(
        monkeypatch,
        ScriptedStreams([snapshot()]),
        until=lambda _: stored() is not None and stored().state == "stale",
    )


class Planned:
    """A process whose plan, streams and beats the test holds."""

    def __init__(self, monkeypatch, *plan):
        self.plan, self.opened, self.beats = list(plan), [], []
        self.streams = ScriptedStreams([snapshot()])
        monkeypatch.setattr(module, "REPLAN_SECONDS", 0.02)
        monkeypatch.setattr(module, "BEAT_SECONDS", 0.02)
        monkeypatch.setattr(module, "read_plan", lambda: list(self.plan))
        monkeypatch.setattr(module, "open_public_client", self.open)
        monkeypatch.setattr(module, "beat", self.beat)
        monkeypatch.setattr(module, "look", _looks_at_nothing)

    def open(self, venue, *, ring):
        self.opened.append(venue.ws_url)
        return self.streams

    def beat(self, process, words, *, is_well):
        self.beats.append((words, is_well))

    async def run(self, *steps):
        """Take one step after the other, each once the one before has come true."""
        process = Feeds()
        task = asyncio.create_task(process.run())
        try:
            async with asyncio.timeout(15):
                for step in steps:
                    while not step(process):
                        if task.done():
                            await task
                        await asyncio.sleep(0.01)
        finally:
            await end(task)
            await process.redis.aclose()
        return process


def venue_at(url):
    return module.Venue(pk=uuid.UUID(int=1), slug="coinbase_advanced", ws_url=url)


@pytest.mark.django_db(transaction=True)
async def test_a_changed_address_is_followed_anew(monkeypatch, redis):
    made = Planned(monkeypatch, (venue_at("ws://old"), ("BTC-USD",)))

    def move(_):
        if made.opened.count("ws://old") == 2:
            made.plan = [(venue_at("ws://new"), ("BTC-USD",))]
            return True
        return False

    await made.run(move, lambda _: made.opened.count("ws://new") == 2)
    assert len(made.opened) == 4  # books and trades, once each


@pytest.mark.django_db(transaction=True)
async def test_a_symbol_that_left_the_plan_is_shown_no_longer(monkeypatch, redis):
    redis.hset(tickers_key(), "coinbase_advanced:GONE-USD", "{}")  # from before a restart
    made = Planned(monkeypatch, (venue_at("ws://x"), ("BTC-USD", "ETH-USD")))

    def shrink(process):
        if redis.hexists(tickers_key(), NAME):
            redis.hset(tickers_key(), "coinbase_advanced:ETH-USD", "{}")
            made.plan = [(venue_at("ws://x"), ("BTC-USD",))]
            return True
        return False

    process = await made.run(
        shrink,
        lambda process: (
            set(process.books) == {NAME} and redis.hkeys(tickers_key()) == [NAME.encode()]
        ),
        lambda _: ("1 of 1 books live", True) in made.beats,
    )
    assert set(process.books) == {NAME}


async def test_without_a_live_book_nothing_is_well_unless_none_is_planned():
    process = Feeds()
    assert process.effect() == ("0 of 0 books live", True)
    process.books = {name: Assembler("BTC-USD") for name in (NAME, "other")}
    assert process.effect() == ("0 of 2 books live", False)
    process.books[NAME].apply(snapshot())
    assert process.effect() == ("1 of 2 books live", True)
    process.books[NAME].reset("gap")
    assert process.effect() == ("0 of 2 books live", False)
    await process.redis.aclose()


@pytest.mark.django_db(transaction=True)
async def test_trades_that_come_while_others_are_sent_are_sent_too(monkeypatch, redis):
    """The list was shortened from its front after the send, though it had been shortened meanwhile."""
    process = Feeds()
    process.books[NAME] = Assembler("BTC-USD")
    process.trades[NAME] = [b"first"] * TRADES_KEPT
    sending = asyncio.create_task(process._publish())
    await asyncio.sleep(0)
    process.trades[NAME].append(b"last")
    await sending
    assert process.trades[NAME] == [b"last"]
    await process._publish()
    await process.redis.aclose()
    assert redis.lindex(trades_key(NAME), 0) == b"last"


class RedisThatFails:
    """Takes every command of a pipeline, and is gone when it is to run them."""

    def pipeline(self, *, transaction):
        return self

    def __getattr__(self, command):
        return lambda *_, **__: None

    async def execute(self):
        await asyncio.sleep(0)
        raise RedisError


async def test_trades_that_could_not_be_sent_are_kept_and_the_oldest_go_first():
    process = Feeds()
    process.books[NAME] = Assembler("BTC-USD")
    process.trades[NAME] = [b"old"] * TRADES_KEPT
    process.redis = RedisThatFails()
    sending = asyncio.create_task(process._publish())
    await asyncio.sleep(0)
    process.trades[NAME].append(b"new")
    with pytest.raises(RedisError):
        await sending
    assert process.trades[NAME] == [*[b"old"] * (TRADES_KEPT - 1), b"new"]


@pytest.mark.django_db
def test_only_symbols_in_force_of_venues_that_are_on_are_followed():
    kept = cast.symbol("BTC-USD")
    gone = cast.symbol("ETH-USD")
    with seeding():
        ended(gone, at=cast.NOON, by=None, source="the venue")
    assert read_plan() == [(kept.venue, ("BTC-USD",))]
    kept.venue.is_enabled = False
    kept.venue.save()
    assert read_plan() == []


@pytest.mark.django_db
def test_a_touch_is_trusted_only_while_it_is_live_and_young(redis):
    row = cast.symbol()
    now = datetime.now(UTC)
    assert not read_touch(row, now=now).is_trusted
    cast.publish_book(row)
    touch = read_touch(row, now=now)
    assert touch.is_trusted
    assert touch.mid == Decimal("50000.50")
    cast.publish_book(row, age=30)
    assert read_touch(row, now=datetime.now(UTC)).state == "stale"
    cast.publish_book(row, state="syncing")
    assert not read_touch(row, now=datetime.now(UTC)).is_trusted


async def test_each_message_of_a_stream_is_a_trace_of_its_own(monkeypatch):
    stream = ScriptedStreams([snapshot(), better_bid(), better_bid()])
    monkeypatch.setattr(module, "open_public_client", lambda venue, *, ring: stream)
    traces = []
    events = Feeds()._events(Venue(slug="venue"), ("BTC-USD",), "books")
    async for _ in events:
        traces.append(trace_id.get())
        if len(traces) == 3:
            break

    assert len(set(traces)) == 3
    assert {len(one) for one in traces} == {32}
