from __future__ import annotations

import httpx
import pytest

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.transport.http import Exchange, HttpTransport, Refusal, Safety, Seams

Reply = httpx.Response | Exception


class Venue:
    """A venue whose answers are scripted; the last one repeats."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.calls: list[httpx.Request] = []
        self.slept: list[float] = []
        self.seen: list[Exchange] = []
        self.now = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def transport(self) -> HttpTransport:
        return HttpTransport(
            "https://venue.test/",
            auth=None,
            read_refusal=lambda status, body: Refusal(Cause.INVALID, "CODE", body.decode()),
            seams=Seams(
                wire=httpx.MockTransport(self),
                sleep=self.sleep,
                dice=lambda: 1.0,
                stopwatch=lambda: self.now,
                observe=self.seen.append,
            ),
        )


async def failure(venue: Venue, safety: Safety) -> VenueError:
    transport = venue.transport()
    is_read = safety is Safety.READ
    call = transport.get("/thing") if is_read else transport.post("/thing", b"{}", safety=safety)
    with pytest.raises(VenueError) as failed:
        await call
    await transport.aclose()
    return failed.value


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.PoolTimeout("no")],
    ids=lambda error: type(error).__name__,
)
async def test_an_order_that_found_no_connection_was_not_sent(error):
    venue = Venue(error)

    raised = await failure(venue, Safety.ONCE)

    assert type(raised) is NotSent
    assert raised.cause is Cause.TEMPORARY
    assert len(venue.calls) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("no"),
        httpx.WriteTimeout("no"),
        httpx.ReadError("no"),
        httpx.WriteError("no"),
        httpx.RemoteProtocolError("no"),
        httpx.DecodingError("no"),
        OSError("no"),
        RuntimeError("no"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_order_that_may_have_left_is_unknown_and_never_sent_again(error):
    venue = Venue(error)

    raised = await failure(venue, Safety.ONCE)

    assert type(raised) is OutcomeUnknown
    assert len(venue.calls) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 409, 425, 301, 307])
async def test_a_status_that_says_nothing_leaves_an_order_unknown(status):
    venue = Venue(httpx.Response(status, content=b"<html>"))

    raised = await failure(venue, Safety.ONCE)

    assert type(raised) is OutcomeUnknown
    assert len(venue.calls) == 1


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, Cause.INVALID),
        (403, Cause.AUTH),
        (404, Cause.NOT_FOUND),
        (422, Cause.INVALID),
    ],
)
async def test_a_clear_no_is_final(status, cause):
    venue = Venue(httpx.Response(status, content=b"because"))

    raised = await failure(venue, Safety.ONCE)

    assert type(raised) is Rejected
    assert raised.cause is cause
    assert "because" in str(raised)
    assert len(venue.calls) == 1


async def test_an_order_turned_away_for_its_rate_was_not_processed():
    venue = Venue(httpx.Response(429, headers={"retry-after": "7"}))

    raised = await failure(venue, Safety.ONCE)

    assert type(raised) is NotSent
    assert raised.cause is Cause.RATE_LIMITED
    assert raised.retry_after == 7
    assert len(venue.calls) == 1


async def test_a_first_401_is_asked_once_more_because_it_may_be_throttling():
    venue = Venue(httpx.Response(401), httpx.Response(200, content=b"{}"))
    transport = venue.transport()

    assert await transport.post("/thing", b"{}", safety=Safety.ONCE) == b"{}"
    await transport.aclose()
    assert venue.slept == [0.25]


async def test_a_second_401_is_final():
    venue = Venue(httpx.Response(401, content=b"Unauthorized"))

    raised = await failure(venue, Safety.ONCE)

    assert type(raised) is Rejected
    assert raised.cause is Cause.AUTH
    assert len(venue.calls) == 2


@pytest.mark.parametrize(
    "reply", [httpx.ConnectError("no"), httpx.ReadTimeout("no"), httpx.Response(503)]
)
async def test_a_read_is_tried_three_times_with_growing_waits(reply):
    venue = Venue(reply)

    raised = await failure(venue, Safety.READ)

    assert type(raised) is NotSent
    assert raised.cause is Cause.TEMPORARY
    assert len(venue.calls) == 3
    assert venue.slept == [0.25, 0.5]


async def test_a_read_waits_as_long_as_it_is_told_when_that_is_short():
    venue = Venue(
        httpx.Response(429, headers={"retry-after": "1.5"}), httpx.Response(200, content=b"x")
    )
    transport = venue.transport()

    assert await transport.get("/thing") == b"x"
    await transport.aclose()
    assert venue.slept == [1.5]


async def test_a_read_does_not_sit_out_a_long_ban():
    venue = Venue(httpx.Response(429, headers={"retry-after": "60"}))

    raised = await failure(venue, Safety.READ)

    assert raised.retry_after == 60
    assert len(venue.calls) == 1


async def test_a_cancel_is_repeated_but_keeps_the_doubt_of_its_first_attempt():
    venue = Venue(httpx.ReadTimeout("no"), httpx.ConnectError("no"))

    raised = await failure(venue, Safety.REPEATABLE)

    assert type(raised) is OutcomeUnknown
    assert len(venue.calls) == 3


async def test_a_cancel_never_sent_at_all_was_not_sent():
    raised = await failure(Venue(httpx.ConnectError("no")), Safety.REPEATABLE)

    assert type(raised) is NotSent


async def test_every_attempt_is_observed_without_its_query():
    venue = Venue(httpx.Response(200, content=b"x"))
    transport = venue.transport()
    await transport.get("/thing", params=[("secret", "s")])
    await transport.aclose()

    assert venue.seen == [Exchange(method="GET", path="/thing", status=200, seconds=0.0)]


async def test_the_exact_bytes_are_sent():
    venue = Venue(httpx.Response(200, content=b"{}"))
    transport = venue.transport()
    await transport.post("/thing", b'{"a": 1}', safety=Safety.ONCE)
    await transport.aclose()

    assert venue.calls[0].content == b'{"a": 1}'
    assert venue.calls[0].headers["content-type"] == "application/json"


async def test_a_venues_words_cannot_carry_a_token_into_the_log():
    venue = Venue(httpx.Response(400, content=b"bad header Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln"))

    raised = await failure(venue, Safety.ONCE)

    assert "eyJ" not in str(raised)
