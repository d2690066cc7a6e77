"""A small HTTP load: as many connections as asked for, each with one request after another for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass
class Load:
    """What came of it: how long each answer took, and how many of them were none."""

    seconds: float
    taken: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def a_second(self) -> float:
        return len(self.taken) / self.seconds

    def quantile(self, share: float) -> float:
        return sorted(self.taken)[int(len(self.taken) * share)] * 1000


class _Caller(asyncio.Protocol):
    def __init__(self, load: Load, request: Callable[[], bytes], until: float) -> None:
        self.load = load
        self.request = request
        self.until = until
        self.over = asyncio.get_running_loop().create_future()
        self.answer = b""
        self.transport: asyncio.Transport
        self.asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, mark, body = self.answer.partition(END)
        if not mark or len(body) < _length(head):
            return
        now = time.perf_counter()
        self.load.taken.append(now - self.asked)
        self.load.refused += b" 200 " not in head[:16]
        if now < self.until:
            self._ask()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        if not self.over.done():
            self.over.set_result(None)

    def _ask(self) -> None:
        self.answer = b""
        self.asked = time.perf_counter()
        self.transport.write(self.request())


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(LENGTH)
    return int(rest.split(b"\r\n")[0])


def get(path: str, port: int, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def put_under_load(
    port: int, request: Callable[[], bytes], *, connections: int, seconds: float
) -> Load:
    load = Load(seconds)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        until = time.perf_counter() + seconds
        callers = []
        for _ in range(connections):
            _, caller = await loop.create_connection(
                lambda: _Caller(load, request, until), "127.0.0.1", port
            )
            callers.append(caller.over)
        await asyncio.gather(*callers)

    asyncio.run(run())
    return load
