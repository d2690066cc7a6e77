"""What a real socket tells about a request on its way out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from venues.interface.errors import Cause, NotSent, OutcomeUnknown
from venues.transport.answers import Refusal, no_answer
from venues.transport.gate import Hold, Nonces, SendGate
from venues.transport.http import Guards, HttpTransport, Patience, Safety, Seams
from venues.transport.rules import VenueRules

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def transport(url: str, gate: SendGate | None = None, **patience: float) -> HttpTransport:
    return HttpTransport(
        url,
        auth=None,
        read_refusal=lambda status, body: Refusal(Cause.INVALID, "", ""),
        rules=VenueRules(hold=Hold.WRITTEN if gate else None),
        patience=Patience(**patience),  # type: ignore[arg-type]
        seams=Seams(guards=Guards(gate=(lambda _: gate) if gate else None)),
    )


async def test_the_next_call_leaves_when_the_first_is_written_not_when_it_is_answered():
    arrived: list[bytes] = []
    both = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        arrived.append(await reader.readexactly(length))
        if len(arrived) == 2:
            both.set()
        # No answer to either before both are here.
        await both.wait()
        writer.write(OK)
        await writer.drain()

    async with serving(handler) as url:
        sender = transport(url, SendGate(Nonces(lambda: 100)))
        async with asyncio.timeout(3):
            await asyncio.gather(
                *(
                    sender.post("/order", lambda nonce: str(nonce).encode(), safety=Safety.ONCE)
                    for _ in range(2)
                )
            )
        await sender.aclose()

    assert arrived == [b"100", b"101"]


async def test_a_connection_that_is_cut_after_the_first_byte_left_is_unknown():
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with serving(handler) as url:
        sender = transport(url)
        with pytest.raises(OutcomeUnknown):
            await sender.post("/order", b"{}", safety=Safety.ONCE)
        await sender.aclose()


async def test_no_listener_means_nothing_left():
    sender = transport("http://127.0.0.1:1")
    with pytest.raises(NotSent):
        await sender.post("/order", b"{}", safety=Safety.ONCE)
    await sender.aclose()


@pytest.mark.parametrize(
    "error",
    [httpx.LocalProtocolError("state"), httpx.ConnectError("late"), httpx.PoolTimeout("late")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_with_an_innocent_name_proves_nothing_once_bytes_are_out(error):
    assert type(no_answer(error, Safety.ONCE, has_begun=True)) is OutcomeUnknown
    assert type(no_answer(error, Safety.ONCE, has_begun=False)) is NotSent


@pytest.mark.parametrize(
    ("url", "is_offered"), [("https://v.test", True), ("http://v.test", False)]
)
async def test_http_2_is_offered_inside_tls_only(url, is_offered):
    sender = transport(url)
    pool = sender._client._transport._pool  # type: ignore[attr-defined]
    await sender.aclose()

    assert pool._http2 is is_offered
