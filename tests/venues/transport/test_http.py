from __future__ import annotations

from typing import Any

import httpx
import pytest

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.transport.answers import HeldBack, retry_after
from venues.transport.breaker import State
from venues.transport.budget import Bucket, Limits
from venues.transport.http import FORM, Exchange, HttpTransport, Refusal, Safety, Seams
from venues.transport.operation import AMEND, BOOK, CANCEL, LOOK_UP, PLACE
from venues.transport.report import Finished, Outcome
from venues.transport.rules import VenueRules, left_in

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

    def transport(self, rules: VenueRules | None = None, **listeners: Any) -> HttpTransport:
        return HttpTransport(
            "https://venue.test/",
            auth=None,
            read_refusal=lambda status, body: Refusal(Cause.INVALID, "CODE", body.decode()),
            seams=Seams(
                wire=httpx.MockTransport(self),
                sleep=self.sleep,
                dice=lambda: 1.0,
                stopwatch=lambda: self.now,
                **{"observe": self.seen.append, **listeners},
            ),
            rules=rules,
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


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30,
        ),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            0,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(headers, seconds):
    assert retry_after(httpx.Response(429, headers=headers), lambda: 40.0) == seconds


async def test_a_put_and_a_delete_are_sent_as_they_are():
    venue = Venue(httpx.Response(200, content=b"{}"))
    transport = venue.transport()
    await transport.put("/order/1", b'{"price": "1"}', safety=Safety.ONCE, operation=AMEND)
    await transport.delete("/order/1", params=[("product_id", "BTC-USD")], operation=CANCEL)
    await transport.aclose()

    put, delete = venue.calls
    assert (put.method, put.content) == ("PUT", b'{"price": "1"}')
    assert (delete.method, delete.url.raw_path) == ("DELETE", b"/order/1?product_id=BTC-USD")
    assert [one.operation for one in venue.seen] == ["amend", "cancel"]


async def test_a_query_in_the_path_is_sent_where_no_parameters_are_given():
    venue = Venue(httpx.Response(200, content=b"{}"))
    transport = venue.transport()
    await transport.post("/withdraw?token=BTC", b"", safety=Safety.ONCE, content_type=FORM)
    await transport.aclose()

    assert venue.calls[0].url.raw_path == b"/withdraw?token=BTC"
    assert venue.calls[0].headers["content-type"] == FORM


async def test_a_cancel_that_was_cut_may_be_sent_again_and_a_deletion_of_another_kind_is_not():
    venue = Venue(httpx.ReadTimeout("no"))
    transport = venue.transport()
    with pytest.raises(OutcomeUnknown):
        await transport.delete("/order/1", operation=CANCEL)
    assert len(venue.calls) == 3

    with pytest.raises(OutcomeUnknown):
        await transport.delete("/key/1", safety=Safety.ONCE)
    await transport.aclose()
    assert len(venue.calls) == 4


async def test_an_operation_is_told_once_with_its_retries_and_how_it_ended_for_the_caller():
    venue = Venue(httpx.Response(503), httpx.Response(200, content=b"x"))
    told: list[Finished] = []
    transport = venue.transport(finished=told.append)
    await transport.get("/thing", operation=LOOK_UP.about("ops-1"))
    venue.replies = [httpx.Response(400)]
    with pytest.raises(Rejected):
        await transport.get("/thing", operation=BOOK)
    await transport.aclose()

    first, second = told
    assert (first.operation, first.reference) == ("look_up", "ops-1")
    assert (first.outcome, first.attempts, first.seconds) == (Outcome.OK, 2, 0.25)
    assert (second.outcome, second.cause) == (Outcome.REJECTED, "invalid")
    assert second.breaker == "closed"


async def test_a_listener_that_fails_turns_no_sent_order_into_an_error():
    def broken(_told: object) -> None:
        raise RuntimeError

    venue = Venue(httpx.Response(200, content=b"{}"))
    transport = venue.transport(finished=broken, observe=broken)

    assert await transport.post("/order", b"{}", safety=Safety.ONCE) == b"{}"
    await transport.aclose()


async def test_a_venue_that_does_not_answer_is_left_alone_but_its_cancels_go_out():
    venue = Venue(httpx.Response(503))
    transport = venue.transport()
    for _ in range(2):
        with pytest.raises(NotSent):
            await transport.get("/thing")
    assert transport.breaker.state is State.OPEN
    calls = len(venue.calls)

    with pytest.raises(HeldBack):
        await transport.post("/order", b"{}", safety=Safety.ONCE, operation=PLACE)
    assert len(venue.calls) == calls

    with pytest.raises(OutcomeUnknown):
        await transport.delete("/order/1", operation=CANCEL)
    assert len(venue.calls) > calls
    await transport.aclose()


async def test_a_refusal_inside_a_success_is_a_refusal():
    venue = Venue(httpx.Response(200, content=b"EOrder:Insufficient funds"))
    found = Refusal(Cause.INSUFFICIENT_FUNDS, "EOrder", "Insufficient funds")
    transport = venue.transport(rules=VenueRules(refusal_within=lambda _: found))
    with pytest.raises(Rejected) as refused:
        await transport.post("/order", b"{}", safety=Safety.ONCE)
    await transport.aclose()

    assert refused.value.cause is Cause.INSUFFICIENT_FUNDS


async def test_a_throttle_inside_a_success_closes_the_budget_for_as_long_as_it_says():
    venue = Venue(httpx.Response(200, content=b"EService: Throttled"))
    found = Refusal(Cause.RATE_LIMITED, "EService", "Throttled", retry_after=20)
    transport = venue.transport(rules=VenueRules(refusal_within=lambda _: found))
    with pytest.raises(NotSent) as throttled:
        await transport.post("/order", b"{}", safety=Safety.ONCE)
    with pytest.raises(HeldBack):
        await transport.delete("/order/1", operation=CANCEL)
    await transport.aclose()

    assert throttled.value.retry_after == 20
    assert len(venue.calls) == 1


@pytest.mark.parametrize(("status", "is_public_shut"), [(418, True), (429, False)])
async def test_a_ban_shuts_out_the_address_a_throttle_only_the_key(status, is_public_shut):
    venue = Venue(
        httpx.Response(status, headers={"retry-after": "60"}), httpx.Response(200, content=b"x")
    )
    rules = VenueRules(pauses={429: 1, 418: 120}, bans=frozenset({418}))
    transport = venue.transport(rules=rules)
    with pytest.raises(NotSent):
        await transport.get("/account")
    if is_public_shut:
        with pytest.raises(HeldBack):
            await transport.get("/book", is_signed=False)
    else:
        assert await transport.get("/book", is_signed=False) == b"x"
    await transport.aclose()


async def test_the_venues_own_count_lowers_what_we_believe_is_left():
    venue = Venue(httpx.Response(200, content=b"x", headers={"x-ratelimit-remaining": "2"}))
    limits = Limits(
        buckets=(Bucket(name="private", per_second=1, burst=30),), otherwise={"private": 1}
    )
    rules = VenueRules(limits=limits, read_left=left_in("x-ratelimit-remaining", "private"))
    transport = venue.transport(rules=rules)
    await transport.get("/thing", operation=LOOK_UP)
    assert transport.budget_left == {"key:private": 2}
    for _ in range(2):
        await transport.get("/thing", operation=LOOK_UP)
    assert venue.slept == []

    await transport.get("/thing", operation=LOOK_UP)
    await transport.aclose()
    assert venue.slept == [1]
