"""The little of HTTP and WebSocket a simulated venue needs, over plain ASGI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl

from venues.simulator.exchange import Exchange

if TYPE_CHECKING:
    from venues.simulator.limits import RateLimits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_WAITING_MESSAGES: Final = 1000
LARGEST_BODY: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, its path without the venue's prefix."""

    method: str
    prefix: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    target: str = ""  # path and query as they were sent, for venues that sign them
    reject_with: str = ""
    peer: str = ""  # the address it came from

    def rejected(self, code: str) -> Request:
        return replace(self, reject_with=code)

    def first(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)

    def every(self, name: str) -> set[str]:
        """Read a repeated parameter; a comma-separated one is the same."""
        found: set[str] = set()
        for key, value in self.query:
            if key == name:
                found.update(part for part in value.split(",") if part)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def saying(self, headers: dict[str, str]) -> Response:
        """Return the same answer with more headers."""
        return replace(self, headers={**self.headers, **headers}) if headers else self


class Socket:
    """One client's socket with a bounded outbox: a reader that stops is hung up on."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING_MESSAGES)
        self.is_open = True
        self._is_silent = False

    def go_silent(self) -> None:
        """Say and hear nothing from now on, and close nothing: a half-open connection."""
        self._is_silent = True

    def write(self, message: bytes) -> None:
        if not self.is_open or self._is_silent:
            return
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            self.hang_up()

    def hang_up(self) -> None:
        """Close after what is already waiting, or at once if nothing more fits."""
        if self._is_silent:
            return
        self.is_open = False
        if self._outbox.full():
            self._outbox.get_nowait()
        self._outbox.put_nowait(None)

    async def run(self, on_message: Callable[[bytes], None]) -> None:
        """Serve both directions until either end hangs up."""
        await self._receive()
        await self._send({"type": "websocket.accept"})
        writer = asyncio.create_task(self._write_all())
        reader = asyncio.create_task(self._read_all(on_message))
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_open = False
            for task in (writer, reader):
                task.cancel()
            for task in (writer, reader):
                with contextlib.suppress(asyncio.CancelledError, OSError, RuntimeError):
                    await task

    async def _write_all(self) -> None:
        while (message := await self._outbox.get()) is not None:
            await self._send({"type": "websocket.send", "text": message.decode()})
        await self._send({"type": "websocket.close", "code": 1001})

    async def _read_all(self, on_message: Callable[[bytes], None]) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._is_silent:
                continue
            text = message.get("text")
            on_message(text.encode() if text is not None else message.get("bytes") or b"")


class SimulatedVenue(Protocol):
    """One venue's wire protocol over one exchange; the app runs any number of them."""

    exchange: Exchange
    limits: RateLimits

    def answer(self, request: Request) -> Response: ...

    def knows_socket(self, path: str) -> bool: ...

    async def serve_socket(self, path: str, socket: Socket) -> None: ...

    def publish(self) -> None:
        """Send what happened to whoever subscribed to it."""
        ...

    def second(self) -> None:
        """Do what happens once a second."""
        ...


async def read_request(scope: Scope, receive: Receive, prefix: str) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY or not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        prefix=prefix,
        path=scope["path"].removeprefix(prefix),
        query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        },
        body=body,
        target=_target(scope).removeprefix(prefix),
        peer=(scope.get("client") or ("",))[0],
    )


def _target(scope: Scope) -> str:
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    sent: bytes = path.split(b"?", 1)[0] + (b"?" + query if query else b"")
    return sent.decode("latin-1")


async def send_response(response: Response, send: Send) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *((name.encode(), value.encode()) for name, value in response.headers.items()),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def cut(send: Send) -> None:
    """Break the answer off in the middle: the server then closes the connection."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
