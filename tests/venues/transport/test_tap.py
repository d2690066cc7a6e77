from __future__ import annotations

import threading
import time

import httpx
import pytest

from venues.interface.errors import Cause, Rejected
from venues.transport.answers import Refusal
from venues.transport.http import Guards, HttpTransport, Safety, Seams
from venues.transport.operation import BOOK, PLACE
from venues.transport.signers.mac import Mac, QueryAuth, SecretIs, Written
from venues.transport.tap import Copy, Direction, Kind, Raw, Tap

CANARY = "hunter2-canary-0001"


def frame(body: bytes = b"x") -> Raw:
    return Raw(direction=Direction.RECEIVED, kind=Kind.FRAME, at=1.0, body=body)


def refuse(_copy: Copy) -> None:
    message = "the disk is full"
    raise OSError(message)


def transport(tap: Tap, status: int = 200) -> HttpTransport:
    mac = Mac(CANARY, secret_is=SecretIs.TEXT, written=Written.HEX)
    body = b'{"order":"1","token":"hunter2-canary-0001"}'
    return HttpTransport(
        "https://venue.test",
        auth=QueryAuth(mac.sign, headers={"X-MBX-APIKEY": CANARY}),
        read_refusal=lambda _status, _body: Refusal(Cause.INVALID, "", "no"),
        seams=Seams(
            wire=httpx.MockTransport(lambda _: httpx.Response(status, content=body)),
            guards=Guards(tap=tap),
        ),
    )


async def test_request_and_answer_are_copied_with_what_they_belong_to():
    copies: list[Copy] = []
    tap = Tap(copies.append, wall=lambda: 42.0)
    sender = transport(tap)
    await sender.post(
        "/order",
        b'{"a":1,"passphrase":"hunter2-canary-0001"}',
        safety=Safety.ONCE,
        operation=PLACE.about("ops-1"),
    )
    await sender.aclose()
    assert copies == [], "the call must not wait for the sink"

    assert tap.drain() == 2
    asked, answered = copies
    assert (asked.direction, asked.kind, asked.at) == (Direction.SENT, Kind.REQUEST, 42.0)
    assert (asked.operation, asked.reference) == ("place", "ops-1")
    assert asked.line == "POST /order"
    assert (answered.direction, answered.kind, answered.status) == (
        Direction.RECEIVED,
        Kind.ANSWER,
        200,
    )
    assert answered.reference == "ops-1"
    assert CANARY not in str(copies)


async def test_a_refusal_is_copied_too_and_its_signature_is_not():
    copies: list[Copy] = []
    tap = Tap(copies.append)
    sender = transport(tap, status=400)
    with pytest.raises(Rejected):
        await sender.get("/order", params=[("symbol", "BTCUSDT")])
    await sender.aclose()
    tap.drain()

    assert [one.status for one in copies] == [0, 400]
    assert "BTCUSDT" in copies[1].line
    assert "signature=[redacted]" in copies[1].line


async def test_what_is_public_is_not_copied():
    copies: list[Copy] = []
    tap = Tap(copies.append)
    sender = transport(tap)
    await sender.get("/book", is_signed=False, operation=BOOK)
    await sender.aclose()

    assert tap.drain() == 0


async def test_a_sink_that_fails_is_counted_and_never_heard_of():
    tap = Tap(refuse)
    sender = transport(tap)
    await sender.get("/order")
    await sender.aclose()

    assert tap.drain() == 2
    assert tap.failed == 2


def test_what_cannot_wait_any_more_is_counted_as_lost():
    copies: list[Copy] = []
    tap = Tap(copies.append, most_waiting=2)
    for _ in range(5):
        tap.note(frame())

    assert tap.drain() == 2
    assert tap.lost == 3


def test_its_thread_keeps_the_order_and_hands_over_everything_at_the_end():
    copies: list[Copy] = []
    is_slow = threading.Event()

    def sink(copy: Copy) -> None:
        is_slow.wait(0.001)
        copies.append(copy)

    tap = Tap(sink)
    tap.start()
    began = time.monotonic()
    for number in range(100):
        tap.note(frame(str(number).encode()))
    noting = time.monotonic() - began
    tap.stop()

    assert [one.text for one in copies] == [str(number) for number in range(100)]
    assert noting < 0.1, "noting waited for the sink"
