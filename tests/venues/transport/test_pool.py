"""Many subscriptions on few sockets, each looked after by itself, against a real local server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from venues.interface.errors import NotSent, Rejected
from venues.transport.link import Heard, Subscription
from venues.transport.mailbox import Break, Mailbox, Overflow
from venues.transport.pool import SocketPool
from venues.transport.websocket import Persistence

PRIVATE = Subscription("orders", overflow=Overflow.HOLD)


def book(symbol: str, **changes: float) -> Subscription:
    return Subscription("book", symbol, **changes)  # type: ignore[arg-type]


class Words:
    """A venue's way to subscribe: one message each, data named by channel and symbol."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Subscription] = {}

    def subscribe(self, wanted: Sequence[Subscription]) -> list[str]:
        self.known |= {(one.channel, one.symbol): one for one in wanted}
        return [json.dumps(["subscribe", one.channel, one.symbol]) for one in wanted]

    def unsubscribe(self, unwanted: Sequence[Subscription]) -> list[str]:
        return [json.dumps(["unsubscribe", one.channel, one.symbol]) for one in unwanted]

    def hear(self, frame: bytes) -> Heard:
        kind, channel, symbol, *rest = json.loads(frame)
        found = self.known.get((channel, symbol))
        if found is None:
            return Heard()
        if kind == "ack":
            return Heard(acknowledged=[found])
        if kind == "error":
            return Heard(refused={found: rest[0]})
        return Heard(data_for=[found])


class Venue:
    """A server that acknowledges, and sends what a test tells it to."""

    def __init__(self) -> None:
        self.sockets: list[ServerConnection] = []
        self.heard: list[tuple[int, list[str]]] = []
        self.refuses: set[str] = set()
        self.is_mute = False
        self.holders: dict[tuple[str, str], ServerConnection] = {}

    async def handle(self, socket: ServerConnection) -> None:
        number = len(self.sockets)
        self.sockets.append(socket)
        async for text in socket:
            words = json.loads(text)
            self.heard.append((number, words))
            if words[0] != "subscribe" or self.is_mute:
                continue
            self.holders[words[1], words[2]] = socket
            answer = (
                ["error", *words[1:], "no such market"]
                if words[2] in self.refuses
                else ["ack", *words[1:]]
            )
            await socket.send(json.dumps(answer))

    async def say(self, subscription: Subscription, number: int) -> None:
        key = (subscription.channel, subscription.symbol)
        await self.holders[key].send(json.dumps(["data", *key, number]))

    def count(self, kind: str) -> Counter[str]:
        return Counter(words[2] for _, words in self.heard if words[0] == kind)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)


@asynccontextmanager
async def pool(
    venue: Venue, clock: Clock | None = None, *, most_per_socket: int = 3, most_waiting: int = 64
) -> AsyncIterator[SocketPool]:
    clock = clock or Clock()
    async with serve(venue.handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        found = SocketPool(
            f"ws://127.0.0.1:{port}",
            Words(),
            most_per_socket=most_per_socket,
            most_sockets=3,
            persistence=Persistence(
                sleep=clock.sleep, stopwatch=lambda: clock.now, max_queue=most_waiting
            ),
        )
        try:
            yield found
        finally:
            await found.aclose()


class Reader:
    """Someone who listens to one subscription."""

    def __init__(self, found: SocketPool, subscription: Subscription) -> None:
        self.events: list[bytes | Break] = []
        self.subscription = subscription
        self.failure: Exception | None = None
        self.task = asyncio.create_task(self._run(found))

    async def _run(self, found: SocketPool) -> None:
        try:
            async with aclosing(found.subscribe(self.subscription)) as frames:
                async for frame in frames:
                    self.events.append(frame)
        except (NotSent, Rejected) as error:
            self.failure = error

    @property
    def numbers(self) -> list[int]:
        return [json.loads(one)[3] for one in self.events if isinstance(one, bytes)]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(condition) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.005)


async def listening(found: SocketPool, venue: Venue, *wanted: Subscription) -> list[Reader]:
    readers = [Reader(found, one) for one in wanted]
    await until(lambda: all((one.channel, one.symbol) in venue.holders for one in wanted))
    return readers


async def test_subscriptions_share_a_socket_up_to_the_venues_limit_and_then_open_another():
    venue = Venue()
    async with pool(venue) as found:
        readers = await listening(found, venue, *(book(f"S{n}") for n in range(5)))
        for number, reader in enumerate(readers):
            await venue.say(reader.subscription, number)
        await until(lambda: all(reader.numbers for reader in readers))

        assert found.sockets == 2
        assert [reader.numbers for reader in readers] == [[0], [1], [2], [3], [4]]
        assert set(venue.count("subscribe").values()) == {1}
        for reader in readers:
            await reader.stop()
        assert found.sockets == 0


async def test_one_joins_and_one_leaves_while_the_socket_lives():
    venue = Venue()
    async with pool(venue) as found:
        (first,) = await listening(found, venue, book("A"))
        (second,) = await listening(found, venue, book("B"))
        await first.stop()
        await until(lambda: venue.count("unsubscribe")["A"] == 1)
        await venue.say(book("B"), 7)
        await until(lambda: second.numbers == [7])

        assert len(venue.sockets) == 1
        await second.stop()


async def test_everything_is_subscribed_again_after_a_lost_connection():
    venue = Venue()
    async with pool(venue) as found:
        readers = await listening(found, venue, book("A"), book("B"))
        venue.holders.clear()
        await venue.sockets[0].close()
        await until(lambda: len(venue.holders) == 2)
        await venue.say(book("A"), 2)
        await until(lambda: readers[0].numbers == [2])

        for reader in readers:
            reasons = [one.reason for one in reader.events if isinstance(one, Break)]
            assert reasons[-1] == "connected"
            await reader.stop()


async def test_private_frames_and_market_data_never_share_a_socket():
    venue = Venue()
    async with pool(venue) as found:
        readers = await listening(found, venue, book("A"), PRIVATE)

        assert found.sockets == 2
        for reader in readers:
            await reader.stop()


async def test_a_refused_subscription_ends_with_the_venues_words_and_its_neighbour_goes_on():
    venue = Venue()
    venue.refuses = {"BAD"}
    async with pool(venue) as found:
        good, bad = await listening(found, venue, book("GOOD"), book("BAD"))
        await until(lambda: bad.failure is not None)
        await venue.say(book("GOOD"), 1)
        await until(lambda: good.numbers == [1])

        assert isinstance(bad.failure, Rejected)
        assert "no such market" in str(bad.failure)
        await good.stop()


async def test_one_that_falls_silent_is_subscribed_anew_and_then_the_socket_is_given_up():
    venue = Venue()
    clock = Clock()
    quiet = book("QUIET", quiet_seconds=5)
    async with pool(venue, clock) as found:
        silent, lively = await listening(found, venue, quiet, book("LIVELY"))
        await venue.say(quiet, 1)
        await until(lambda: silent.numbers == [1])

        clock.now += 6
        await venue.say(book("LIVELY"), 1)
        await until(lambda: venue.count("subscribe")["QUIET"] == 2)
        assert venue.count("subscribe")["LIVELY"] == 1

        clock.now += 6
        await venue.say(book("LIVELY"), 2)
        await venue.say(book("LIVELY"), 3)
        await until(lambda: len(venue.sockets) == 2)
        reasons = [one.reason for one in lively.events if isinstance(one, Break)]
        assert any("QUIET stays silent" in reason for reason in reasons)
        await silent.stop()
        await lively.stop()


async def test_one_that_is_never_acknowledged_is_asked_for_again():
    venue = Venue()
    clock = Clock()
    async with pool(venue, clock) as found:
        (lively,) = await listening(found, venue, book("LIVELY"))
        venue.is_mute = True
        late = Reader(found, book("LATE"))
        await until(lambda: venue.count("subscribe")["LATE"] == 1)
        await venue.say(book("LIVELY"), 1)
        await until(lambda: lively.numbers == [1])
        venue.is_mute = False
        clock.now += 11
        await venue.say(book("LIVELY"), 2)
        await until(lambda: venue.count("subscribe")["LATE"] == 2)

        await late.stop()
        await lively.stop()


async def test_a_second_reader_of_the_same_is_refused():
    venue = Venue()
    async with pool(venue) as found:
        (first,) = await listening(found, venue, book("A"))
        second = Reader(found, book("A"))
        await until(lambda: second.failure is not None)

        assert isinstance(second.failure, NotSent)
        await first.stop()


async def test_a_pool_that_is_full_says_so():
    venue = Venue()
    async with pool(venue, most_per_socket=1) as found:
        readers = await listening(found, venue, book("A"), book("B"), book("C"))
        fourth = Reader(found, book("D"))
        await until(lambda: fourth.failure is not None)

        assert isinstance(fourth.failure, NotSent)
        for reader in readers:
            await reader.stop()


async def test_a_slow_reader_of_a_book_gets_a_break_and_a_new_snapshot():
    venue = Venue()
    async with pool(venue, most_waiting=4) as found:
        frames = found.subscribe(book("A"))
        first = asyncio.ensure_future(anext(frames))
        await until(lambda: ("book", "A") in venue.holders)
        assert isinstance(await first, Break)
        for number in range(6):
            await venue.say(book("A"), number)
        await until(lambda: venue.count("subscribe")["A"] == 2)

        assert await anext(frames) == Break("the reader is too slow")
        await frames.aclose()


async def test_private_frames_are_never_dropped_however_slow_the_reader():
    venue = Venue()
    async with pool(venue, most_waiting=2) as found:
        frames = found.subscribe(PRIVATE)
        first = asyncio.ensure_future(anext(frames))
        await until(lambda: ("orders", "") in venue.holders)
        await first
        for number in range(50):
            await venue.say(PRIVATE, number)
        await asyncio.sleep(0.05)

        got = [json.loads(await anext(frames))[3] for _ in range(50)]
        assert got == list(range(50))
        await frames.aclose()


async def test_the_newest_ticker_wins():
    mailbox = Mailbox(2, Overflow.LATEST)
    for number in range(5):
        await mailbox.put(str(number).encode())

    assert [await mailbox.get(), await mailbox.get()] == [b"3", b"4"]
    assert mailbox.dropped == 3


async def test_whoever_waits_to_put_is_let_go_when_the_reader_leaves():
    mailbox = Mailbox(1, Overflow.HOLD)
    await mailbox.put(b"one")
    waiting = asyncio.create_task(mailbox.put(b"two"))
    await asyncio.sleep(0)
    assert not waiting.done()

    mailbox.close()

    async with asyncio.timeout(1):
        await waiting


@pytest.mark.parametrize("overflow", Overflow)
async def test_a_break_is_never_lost(overflow):
    mailbox = Mailbox(1, overflow)
    await mailbox.put(b"one")
    await mailbox.put(Break("lost"))

    found = [await mailbox.get() for _ in range(len(mailbox))]
    assert found[-1] == Break("lost")
