"""The reads that are answered before Django: the same bytes, the same headers, the same refusals."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import OperationalError
from django.utils import timezone

from assets.hot import answers, doors, lookups
from assets.hot.doors import HotReads, question_of
from assets.hot.listener import Listener
from assets.models import Asset
from assets.services.catalogue import create_asset, update_asset
from cqops.platform.access.known_tokens import REMEMBERED_SECONDS, KnownTokens
from cqops.platform.access.models import ApiToken
from cqops.platform.access.people import take_role
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue, revoke_token
from cqops.platform.audit.models import Entry
from tests import cast
from tests.assets import stage
from tests.assets.hot.test_listener import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(20)]
RESOLVE = "/api/v1/resolve"


class Asked:
    """An ASGI application asked like a server asks it."""

    def __init__(self, application):
        self.application = application

    async def __call__(self, path, *, token="", query="", method="GET", **headers):
        given = {"host": "localhost", "x-request-id": "a-request", **headers}
        if token:
            given["authorization"] = f"Bearer {token}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), text.encode()) for name, text in given.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        sent, bodies = [], [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if not bodies:
                await asyncio.Event().wait()
            return bodies.pop()

        async def send(message):
            sent.append(message)

        await self.application(scope, receive, send)
        body = b"".join(one.get("body", b"") for one in sent[1:])
        return sent[0]["status"], {k.lower(): v for k, v in sent[0]["headers"]}, body


class Counted:
    """Django, and how often it was asked."""

    def __init__(self):
        self.django = get_asgi_application()
        self.count = 0

    async def __call__(self, scope, receive, send):
        self.count += 1
        await self.django(scope, receive, send)


@pytest.fixture
def listening():
    """Let the registry's own look-ups hear this test's database, and forget it afterwards."""
    listener = Listener(lookups.cache, proof_seconds=0.05)
    listener.start()
    eventually(lookups.cache.is_believed)
    yield lookups.cache
    listener.stop()
    for kind in lookups.cache.kinds:
        kind._here.clear()


@pytest.fixture
def world(listening):
    return World()


class World:
    def __init__(self):
        self.now = 0.0
        self.person = cast.person(Role.AUDITOR)
        self.token = issue(user=self.person, name="hot")
        odd = {"a": [1.5, 1e30, "ü\u2028<"]}
        self.asset = create_asset(
            asset=Asset(symbol="SOL", name="Solana", kind="token", metadata=odd)
        )
        stage.asset("SOL", "Another")
        self.django = Counted()
        self.ask = Asked(HotReads(self.django, tokens=KnownTokens(clock=lambda: self.now)))
        self.straight = Asked(self.django.django)
        self.path = f"/api/v1/assets/{self.asset.pk}"

    async def warm(self, path, **more):
        """Let it learn what stands above an answer, and what the answer is."""
        for _ in range(3):
            found = await self.ask(path, token=self.token, **more)
        return found

    @asynccontextmanager
    async def past_django(self):
        before = self.django.count
        yield
        assert self.django.count == before


async def test_an_asset_is_answered_with_the_bytes_and_headers_of_its_view(world):
    await world.warm(world.path)
    async with world.past_django():
        mine = await world.ask(world.path, token=world.token)
    theirs = await world.straight(world.path, token=world.token)
    assert mine == theirs
    assert mine[1][b"etag"] == b'"1"'
    assert b"same_ticker" in mine[2]


@pytest.mark.parametrize("query", ["symbol=SOL", "symbol=sol&chain=solana", "symbol=NONE"])
async def test_a_ticker_is_answered_with_the_bytes_and_headers_of_its_view(
    world, monkeypatch, query
):
    await world.warm(RESOLVE, query=query)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    async with world.past_django():
        mine = await world.ask(RESOLVE, token=world.token, query=query)
    theirs = await world.straight(RESOLVE, token=world.token, query=query)
    assert mine == theirs


async def test_a_change_is_answered_at_once(world):
    await world.warm(world.path)
    steward = await sync_to_async(cast.person)(Role.STEWARD, "stella")
    await sync_to_async(update_asset)(
        asset_id=world.asset.pk,
        expected_version=1,
        changes={"name": "Sol"},
        reason="x",
        by=steward,
    )
    stamp = answers.asset_answer.stamp
    await sync_to_async(eventually)(lambda: answers.asset_answer.held(str(world.asset.pk)) is None)
    assert answers.asset_answer.stamp >= stamp
    status, headers, body = await world.ask(world.path, token=world.token)
    assert (status, headers[b"etag"]) == (200, b'"2"')
    assert b'"Sol"' in body


async def test_a_revoked_token_opens_nothing_once_what_is_remembered_is_old(world):
    await world.warm(world.path)
    token = await ApiToken.objects.select_related("user").aget(user=world.person)
    await sync_to_async(revoke_token)(token=token, by=world.person)
    assert REMEMBERED_SECONDS < 5
    world.now += REMEMBERED_SECONDS
    status, headers, body = await world.ask(world.path, token=world.token)
    assert (status, headers[b"content-type"]) == (401, b"application/problem+json")
    assert b"revoked" in body


async def test_whoever_lost_the_role_is_refused_and_that_is_written_down(world):
    await world.warm(world.path)
    grant = await world.person.role_grants.aget()
    admin = await sync_to_async(cast.person)(Role.ADMIN, "ada")
    await sync_to_async(take_role)(grant=grant, by=admin)
    world.now += REMEMBERED_SECONDS
    status, _, _ = await world.ask(world.path, token=world.token)
    assert status in {401, 403}
    trader = await sync_to_async(cast.person)(Role.VIEWER, "vera")
    viewer = await sync_to_async(issue)(user=trader, name="no registry")
    status, _, _ = await world.ask(world.path, token=viewer)
    assert status == 403
    assert await Entry.objects.filter(action="access.refused").aexists()


async def test_refusals_are_those_of_django(world):
    await world.warm(world.path)
    nowhere = f"/api/v1/assets/{uuid.uuid4()}"
    for path, more, status in [
        (world.path, {}, 401),
        (world.path, {"token": "cqops_wrong"}, 401),
        (world.path, {"token": world.token, "host": "elsewhere"}, 400),
        (world.path, {"token": world.token, "accept": "text/html"}, 406),
        (world.path, {"token": world.token, "method": "DELETE"}, 403),
        (nowhere, {"token": world.token}, 404),
        (RESOLVE, {"token": world.token, "query": "symbol="}, 400),
        (RESOLVE, {"token": world.token, "query": "symbol=SOL&symbl=x"}, 400),
    ]:
        before = world.django.count
        answer = await world.ask(path, **more)
        assert answer[0] == status, (path, more)
        assert world.django.count == before + 1


async def test_it_is_written_and_counted_like_any_request(world, caplog):
    await world.warm(world.path)
    caplog.set_level(logging.INFO, "cqops.requests")
    caplog.clear()
    await world.ask(world.path, token=world.token)
    await world.straight(world.path, token=world.token)
    mine, theirs = (
        {**record.fields, "ms": 0} for record in caplog.records if record.name == "cqops.requests"
    )
    assert mine == {**theirs, "caller": world.person.username}


async def test_while_the_database_is_away_django_says_so(world, monkeypatch):
    await world.warm(world.path)

    def away(key):
        raise OperationalError

    other = await sync_to_async(stage.asset)("ETH")
    monkeypatch.setattr(answers.asset_answer, "get", away)
    before = world.django.count
    status, _, _ = await world.ask(f"/api/v1/assets/{other.pk}", token=world.token)
    assert (status, world.django.count) == (200, before + 1)


def test_only_what_is_plain_is_read_here():
    key = uuid.uuid4()

    def asked(path=f"/api/v1/assets/{key}", query=b"", method="GET", headers=(), **more):
        scope = {"type": "http", "method": method, "path": path, "query_string": query, **more}
        found = question_of({**scope, "headers": [(b"host", b"localhost"), *headers]})
        return None if found is None else found.key

    assert asked() == str(key)
    assert asked(headers=[(b"accept", b"application/json")]) == str(key)
    assert asked(RESOLVE, b"symbol=BTC") == ("BTC", "")
    assert asked(RESOLVE, b"symbol=USDC.e&chain=base") == ("USDC.e", "base")
    for given in [
        {"method": "HEAD"},
        {"path": "/api/v1/assets"},
        {"path": f"/api/v1/assets/{str(key).upper()}"},
        {"path": f"/api/v1/assets/{key}/rename"},
        {"query": b"format=json"},
        {"headers": [(b"cookie", b"a=b")]},
        {"headers": [(b"host", b"other")]},
        {"headers": [(b"content-length", b"3")]},
        {"headers": [(b"accept", b"application/json; indent=4")]},
        {"root_path": "/desk"},
        *(
            {"path": RESOLVE, "query": query}
            for query in (
                b"",
                b"symbol=",
                b"symbol=%20BTC",
                b"symbol=BTC&symbol=ETH",
                b"symbol=BTC&chain=",
                b"symbol=BTC&as_of=2026-01-01T00:00:00Z",
                b"symbol=BTC&chain=base&chain=base",
                b"group=ETH",
                b"symbol=B%00C",
                "symbol=\u0412\u0422\u0421".encode(),
            )
        ),
    ]:
        assert asked(**given) is None, given


async def test_no_more_ways_in_are_remembered_than_there_is_room_for(world, monkeypatch):
    monkeypatch.setattr(doors, "WAYS", 1)
    await world.warm(world.path)
    for _ in range(2):
        before = world.django.count
        status, _, _ = await world.ask(world.path, token=world.token, x_forwarded_proto="http")
        assert (status, world.django.count) == (200, before + 1)


async def test_an_answer_with_a_cookie_teaches_nothing(world):
    async def baking(scope, receive, send):
        async def with_cookie(message):
            if message["type"] == "http.response.start":
                message["headers"].append((b"Set-Cookie", b"one=caller"))
            await send(message)

        await world.django(scope, receive, with_cookie)

    ask = Asked(HotReads(baking, tokens=KnownTokens()))
    for _ in range(3):
        status, headers, _ = await ask(f"/api/v1/assets/{world.asset.pk}", token=world.token)
        assert (status, headers[b"set-cookie"]) == (200, b"one=caller")
    assert world.django.count == 3
