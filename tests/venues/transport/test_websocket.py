from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from venues.interface.errors import Cause, NotSent
from venues.transport.tap import Copy, Tap
from venues.transport.websocket import Lost, Opened, Persistence, Recurring, WebSocketSession

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def running(handler: Handler) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def persistence(self, **changes: float) -> Persistence:
        return Persistence(
            sleep=self.sleep, dice=lambda: 1.0, stopwatch=lambda: self.now, **changes
        )  # type: ignore[arg-type]


async def collect(session: WebSocketSession, count: int) -> list[object]:
    found: list[object] = []
    async with aclosing(session.frames()) as frames:
        async for frame in frames:
            found.append(frame)
            if len(found) == count:
                break
    return found


async def test_it_says_hello_again_on_every_connection():
    heard: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        heard.append(await socket.recv())
        heard.append(await socket.recv())
        await socket.send(f"frame {len(heard)}")

    clock = Clock()
    hellos = iter("abcd")
    async with running(handler) as url:
        session = WebSocketSession(
            url, hello=lambda: [next(hellos), next(hellos)], persistence=clock.persistence()
        )
        found = await collect(session, 6)

    assert heard == ["a", "b", "c", "d"]
    assert found[0] == Opened(1)
    assert found[1] == b"frame 2"
    assert isinstance(found[2], Lost)
    assert found[3:5] == [Opened(2), b"frame 4"]


async def test_the_wait_doubles_to_a_minute_while_nothing_lasts():
    clock = Clock()
    session = WebSocketSession("ws://127.0.0.1:1", hello=list, persistence=clock.persistence())

    found = await collect(session, 9)

    assert all(isinstance(one, Lost) for one in found)
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_the_wait_starts_over_after_a_connection_that_lasted():
    clock = Clock()

    async def handler(socket: ServerConnection) -> None:
        clock.now += 31
        await socket.close()

    async with running(handler) as url:
        await collect(WebSocketSession(url, hello=list, persistence=clock.persistence()), 8)

    assert clock.slept == [1, 1, 1]


def test_the_wait_is_jittered_within_its_bounds():
    low = Persistence(dice=lambda: 0.0)
    high = Persistence(dice=lambda: 1.0)

    assert [low.delay(n) for n in (1, 2, 5, 50)] == [1, 1, 8, 30]
    assert [high.delay(n) for n in (1, 2, 5, 50)] == [1, 2, 16, 60]


async def test_silence_ends_a_connection():
    async def handler(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.wait_closed()

    clock = Clock()
    async with running(handler) as url:
        session = WebSocketSession(
            url, hello=list, persistence=clock.persistence(idle_seconds=0.02)
        )
        found = await collect(session, 4)

    assert found[1] == b"one"
    assert found[2] == Lost("silent for 0.02 s")
    assert found[3] == Opened(2)


async def test_a_consumer_can_ask_for_a_new_connection():
    async def handler(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.wait_closed()

    clock = Clock()
    async with running(handler) as url:
        session = WebSocketSession(url, hello=list, persistence=clock.persistence())
        found: list[object] = []
        async with aclosing(session.frames()) as frames:
            async for frame in frames:
                found.append(frame)
                if frame == b"one":
                    session.drop("gap")
                if len(found) == 4:
                    break

    assert found == [Opened(1), b"one", Lost("gap"), Opened(2)]


async def test_a_frame_of_sixteen_megabytes_passes():
    async def handler(socket: ServerConnection) -> None:
        await socket.send("x" * (16 * 1024 * 1024))
        await socket.wait_closed()

    async with running(handler) as url:
        session = WebSocketSession(url, hello=list, persistence=Clock().persistence())
        found = await collect(session, 2)

    assert isinstance(found[1], bytes)
    assert len(found[1]) == 16 * 1024 * 1024


async def test_what_is_sent_without_a_connection_is_let_go():
    session = WebSocketSession("ws://127.0.0.1:1", hello=list)

    await session.send("nothing")


async def test_cancelling_the_reader_hangs_up():
    gone = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.wait_closed()
        gone.set()

    async with running(handler) as url:
        session = WebSocketSession(url, hello=list, persistence=Clock().persistence())
        reader = asyncio.create_task(collect(session, 99))
        await asyncio.sleep(0.05)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        async with asyncio.timeout(2):
            await gone.wait()


async def test_a_hello_may_wait_for_its_token_and_a_token_not_given_is_asked_for_again():
    heard: list[str | bytes] = []
    tokens = iter([None, "first", "second"])

    async def hello() -> list[str]:
        await asyncio.sleep(0)
        token = next(tokens)
        if token is None:
            message = "no token now"
            raise NotSent(message, cause=Cause.TEMPORARY)
        return [token]

    async def handler(socket: ServerConnection) -> None:
        heard.append(await socket.recv())

    async with running(handler) as url:
        session = WebSocketSession(url, hello=hello, persistence=Clock().persistence())
        found = await collect(session, 4)

    assert isinstance(found[0], Lost)
    assert "no token now" in found[0].reason
    assert found[1] == Opened(2)
    assert heard[:1] == ["first"]


async def test_a_venues_own_ping_is_sent_again_and_again_and_ends_with_the_connection():
    pings = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal pings
        async for text in socket:
            assert text == '{"op":"ping"}'
            pings += 1
            await socket.send("pong")
            if pings == 3:
                return

    turns = asyncio.Event()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if seconds == 99:
            await asyncio.sleep(0.001)
        else:
            await turns.wait()

    async with running(handler) as url:
        session = WebSocketSession(
            url,
            hello=list,
            persistence=Persistence(sleep=sleep),
            recurring=[Recurring(every_seconds=99, texts=lambda: ['{"op":"ping"}'])],
        )
        found = await collect(session, 5)
        sent_when_lost = slept.count(99)
        await asyncio.sleep(0.02)

    assert found[:4] == [Opened(1), b"pong", b"pong", b"pong"]
    assert isinstance(found[4], Lost)
    assert slept.count(99) == sent_when_lost


async def test_a_token_that_cannot_be_renewed_gives_the_connection_up_in_time():
    async def handler(socket: ServerConnection) -> None:
        while True:
            await socket.send("data")
            await asyncio.sleep(0.001)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0.005)

    def no_token() -> list[str]:
        message = "the key is gone"
        raise NotSent(message, cause=Cause.AUTH)

    async with running(handler) as url:
        session = WebSocketSession(
            url,
            hello=list,
            persistence=Persistence(sleep=sleep),
            recurring=[Recurring(every_seconds=600, texts=no_token)],
        )
        async with aclosing(session.frames()) as frames, asyncio.timeout(3):
            async for frame in frames:
                if isinstance(frame, Lost):
                    break

    assert "the key is gone" in frame.reason


async def test_a_connection_is_renewed_before_the_venue_ends_it_and_without_a_wait():
    clock = Clock()

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        clock.now += 100
        await socket.send("one")
        await socket.wait_closed()

    async with running(handler) as url:
        session = WebSocketSession(
            url, hello=lambda: ["hi"], persistence=clock.persistence(), longest_life_seconds=100
        )
        found = await collect(session, 5)

    assert found[0] == Opened(1)
    assert Opened(2) in found
    assert any(isinstance(one, Lost) and "renewed" in one.reason for one in found)
    assert clock.slept == []


async def test_an_end_that_is_gone_without_a_word_is_found_although_we_keep_sending():
    """A half-open connection: the server's task stands still and never reads nor answers."""

    over = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await over.wait()

    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0.005)

    async with running(handler) as url:
        session = WebSocketSession(
            url,
            hello=list,
            persistence=Persistence(sleep=sleep, idle_seconds=0.05),
            recurring=[Recurring(every_seconds=1, texts=lambda: ["ping"])],
        )
        found = await collect(session, 2)
        over.set()

    assert isinstance(found[1], Lost)
    assert "silent" in found[1].reason


async def test_every_frame_of_a_tapped_session_is_copied_without_its_secrets():
    copies: list[Copy] = []
    tap = Tap(copies.append, wall=lambda: 5.0)

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"fill":1}')
        await socket.wait_closed()

    async with running(handler) as url:
        session = WebSocketSession(
            url,
            hello=lambda: ['{"op":"login","signature":"canary-1"}'],
            persistence=Clock().persistence(),
            tap=tap,
        )
        await collect(session, 2)
    tap.drain()

    assert [(one.direction, one.at) for one in copies] == [("sent", 5.0), ("received", 5.0)]
    assert copies[1].text == '{"fill":1}'
    assert "canary" not in copies[0].text
