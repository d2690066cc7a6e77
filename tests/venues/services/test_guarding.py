from __future__ import annotations

import uuid

import httpx
import pytest

from cqops.platform.live.redis import client
from venues.interface.errors import Cause, NotSent
from venues.services import budget
from venues.services.guarding import guarded
from venues.transport.answers import HeldBack, Refusal
from venues.transport.breaker import State
from venues.transport.http import HttpTransport, Safety, Seams
from venues.transport.operation import CANCEL, PLACE


@pytest.fixture
def venue():
    name = f"venue-{uuid.uuid4()}"
    yield name
    for key in client().scan_iter(f"{budget.PREFIX}:{{{name}}}:*"):
        client().delete(key)


def transport(seams: Seams, answer: httpx.Response) -> HttpTransport:
    def wire(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=answer.headers, content=b"{}")

    async def no_wait(_seconds: float) -> None:
        pass

    return HttpTransport(
        "https://venue.test",
        auth=None,
        read_refusal=lambda status, body: Refusal(Cause.TEMPORARY, "", ""),
        seams=Seams(
            wire=httpx.MockTransport(wire),
            sleep=no_wait,
            observe=seams.observe,
            finished=seams.finished,
            guards=seams.guards,
        ),
    )


async def test_a_ban_heard_by_one_client_of_a_key_silences_every_other(venue):
    banned = transport(
        guarded(venue, "coinbase_advanced", account="a", credential="k"),
        httpx.Response(429, headers={"retry-after": "60"}),
    )
    with pytest.raises(NotSent):
        await banned.post("/order", b"{}", safety=Safety.ONCE, operation=PLACE)
    await banned.aclose()

    other = transport(
        guarded(venue, "coinbase_advanced", account="a", credential="k"), httpx.Response(200)
    )
    with pytest.raises(HeldBack):
        await other.delete("/order/1", operation=CANCEL)
    await other.aclose()

    with_another_key = transport(
        guarded(venue, "coinbase_advanced", account="b", credential="k2"), httpx.Response(200)
    )
    assert await with_another_key.delete("/order/1", operation=CANCEL) == b"{}"
    await with_another_key.aclose()


async def test_clients_of_an_account_share_a_breaker_and_clients_without_a_key_share_none(venue):
    broken = transport(
        guarded(venue, "coinbase_advanced", account="a", credential="k"), httpx.Response(503)
    )
    for _ in range(2):
        with pytest.raises(NotSent):
            await broken.get("/thing")
    await broken.aclose()

    same = transport(
        guarded(venue, "coinbase_advanced", account="a", credential="k"), httpx.Response(200)
    )
    public = transport(guarded(venue, "coinbase_advanced"), httpx.Response(200))
    assert same.breaker.state is State.OPEN
    assert public.breaker.state is State.CLOSED
    await same.aclose()
    await public.aclose()


async def test_an_adapter_with_declared_limits_pays_for_its_calls(venue):
    seams = guarded(venue, "coinbase_advanced", account="a", credential="k")
    sender = transport(seams, httpx.Response(200, headers={"x-ratelimit-remaining": "5"}))
    await sender.get("/thing")
    await sender.aclose()

    assert sender.budget_left == {"key:private": 5}
