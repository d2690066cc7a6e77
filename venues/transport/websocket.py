"""A WebSocket that is always coming back: connect, say hello, yield frames, and again.

It knows no venue. It yields the raw frames, and between them a marker for each connection it
opened (`Opened`) and lost (`Lost`), so that the adapter can tell its listeners that continuity is
gone. Reading is pulled by the consumer: `max_queue` frames wait at most, then the socket itself
is held back, so a slow reader costs bounded memory.

Silence is a failure: when no frame came for `idle_seconds` the connection is given up. The wait
before coming back doubles from one second to sixty, jittered, and starts over only after a
connection has proved stable, so a venue that accepts and drops at once is not hammered.

A half-open connection, whose other end is gone without a word, is found three ways: by that silence,
by the protocol's own pings, and by `Recurring` texts, such as a venue's own ping, that nobody
answers. The same texts renew a token before it ends. A venue that closes connections of a certain
age is left before that age, and the next connection follows at once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from venues.interface.errors import VenueError
from venues.transport.http import LOOPBACK
from venues.transport.redact import redact_text
from venues.transport.tap import Direction, Kind, Listens, Raw

LARGEST_FRAME_BYTES: Final = 32 * 1024 * 1024
PROTOCOL_PING_SECONDS: Final = 20.0

# What is sent on a new connection, or again and again; a token may have to be fetched for it.
Texts = Callable[[], Sequence[str] | Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A new connection, its hello sent."""

    number: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone; another one follows."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How the session holds on and comes back; the callables are what a test replaces."""

    idle_seconds: float = 8.0
    stable_seconds: float = 30.0
    first_delay_seconds: float = 1.0
    longest_delay_seconds: float = 60.0
    max_queue: int = 256
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Callable[[], float] = random.random
    stopwatch: Callable[[], float] = time.monotonic

    def delay(self, failures: int) -> float:
        """Wait this long after so many connections in a row that did not last."""
        doubled = self.first_delay_seconds * (1 << min(failures - 1, 16))
        longest = min(doubled, self.longest_delay_seconds)
        return max(self.first_delay_seconds, longest * (0.5 + self.dice() / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """Texts sent every so often while a connection lasts: a venue's ping, a new token."""

    every_seconds: float
    texts: Texts


class _Dropped(Exception):
    """The consumer asked for a new connection."""


class WebSocketSession:
    """One endpoint, for as long as somebody listens."""

    def __init__(  # noqa: PLR0913 -- each is a decision of its own of whoever listens
        self,
        url: str,
        *,
        hello: Texts,
        persistence: Persistence | None = None,
        recurring: Sequence[Recurring] = (),
        longest_life_seconds: float = float("inf"),
        tap: Listens | None = None,
        name: str = "",
    ) -> None:
        self._url = url
        self._hello = hello
        self._persistence = persistence or Persistence()
        self._recurring = tuple(recurring)
        self._longest_life = longest_life_seconds
        self._tap = tap
        self._name = name
        self._socket: ClientConnection | None = None
        self._drop_reason = ""

    def drop(self, reason: str) -> None:
        """Give this connection up when the consumer next asks for a frame."""
        self._drop_reason = reason

    async def send(self, text: str) -> None:
        """Send on the present connection; a broken one shows itself on the next read."""
        if self._socket is None:
            return
        self._note(Direction.SENT, text.encode())
        try:
            await self._socket.send(text)
        except (OSError, WebSocketException) as error:
            self.drop(_reason(error))

    async def frames(self) -> AsyncGenerator[bytes | Opened | Lost, None]:
        """Yield frames for ever; close the generator to hang up."""
        failures = 0
        number = 0
        while True:
            began = self._persistence.stopwatch()
            number += 1
            reason = ""
            self._drop_reason = ""
            try:
                async with aclosing(self._one_connection(number)) as connection:
                    async for event in connection:
                        yield event
            except (OSError, TimeoutError, WebSocketException, VenueError, _Dropped) as error:
                reason = _reason(error)
            yield Lost(reason or "the venue closed the connection")
            lasted = self._persistence.stopwatch() - began
            if lasted >= self._longest_life:
                failures = 0
                continue
            failures = 1 if lasted >= self._persistence.stable_seconds else failures + 1
            await self._persistence.sleep(self._persistence.delay(failures))

    async def _one_connection(self, number: int) -> AsyncGenerator[bytes | Opened, None]:
        async with connect(
            self._url,
            max_size=LARGEST_FRAME_BYTES,
            max_queue=self._persistence.max_queue,
            close_timeout=1,
            ping_interval=PROTOCOL_PING_SECONDS,
            ping_timeout=PROTOCOL_PING_SECONDS,
            proxy=None if urlsplit(self._url).hostname in LOOPBACK else True,
        ) as socket:
            self._socket = socket
            ends_at = self._persistence.stopwatch() + self._longest_life
            try:
                for text in await _said(self._hello):
                    self._note(Direction.SENT, text.encode())
                    await socket.send(text)
                async with self._routines():
                    yield Opened(number)
                    while True:
                        yield await self._frame(socket, ends_at)
            finally:
                self._socket = None

    async def _frame(self, socket: ClientConnection, ends_at: float) -> bytes:
        """Wait for the next frame, or say why there will be none."""
        idle = self._persistence.idle_seconds
        if self._drop_reason:
            raise _Dropped(self._drop_reason)
        if self._persistence.stopwatch() >= ends_at:
            message = "renewed before the venue ends it"
            raise _Dropped(message)
        try:
            async with asyncio.timeout(idle):
                frame = await socket.recv(decode=False)
        except TimeoutError as error:
            message = f"silent for {idle:g} s"
            raise _Dropped(message) from error
        self._note(Direction.RECEIVED, frame)
        return frame

    @asynccontextmanager
    async def _routines(self) -> AsyncIterator[None]:
        """Send what recurs, for as long as this connection lasts."""
        tasks = [asyncio.create_task(self._repeat(one)) for one in self._recurring]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, recurring: Recurring) -> None:
        while not self._drop_reason:
            await self._persistence.sleep(recurring.every_seconds)
            try:
                texts = await _said(recurring.texts)
            except Exception as error:  # noqa: BLE001 -- whatever broke, a new connection starts over
                self.drop(_reason(error))
                return
            for text in texts:
                await self.send(text)

    def _note(self, direction: Direction, body: bytes) -> None:
        if self._tap is not None:
            at = self._tap.now()
            self._tap.note(
                Raw(direction=direction, kind=Kind.FRAME, at=at, body=body, operation=self._name)
            )


async def _said(texts: Texts) -> Sequence[str]:
    found = texts()
    return await found if isawaitable(found) else found


def _reason(error: Exception) -> str:
    if isinstance(error, _Dropped):
        return str(error)
    return f"{type(error).__name__} {redact_text(str(error))[:200]}".strip()
