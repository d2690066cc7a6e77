"""The socket through the real ASGI application: origin, session, token, permission, frames."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from cqops.platform.audit.models import Entry
from cqops.platform.live.hub import close_hub
from cqops.platform.live.publish import publish
from tests import cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(20)]
REAL = {}
BOOK = "book:coinbase_advanced:BTC-USD"


def session_cookie(user):
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return f"cqops_session={store.session_key}"


@pytest.fixture(scope="session")
def application(django_db_setup, django_db_blocker):
    """Import the real application, which asks the database what installation this is."""
    with django_db_blocker.unblock():
        from cqops.asgi import application as real  # noqa: PLC0415
    return real


@pytest.fixture(autouse=True)
async def _the_application(application, monkeypatch):
    monkeypatch.setitem(REAL, "application", application)
    yield
    await close_hub()


def socket(*, cookie="", token="", origin="http://localhost", host="localhost"):
    headers = [(b"host", host.encode())]
    if origin:
        headers.append((b"origin", origin.encode()))
    if cookie:
        headers.append((b"cookie", cookie.encode()))
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    return WebsocketCommunicator(REAL["application"], "/ws/live/", headers=headers)


async def browser_of(role):
    user = await sync_to_async(cast.person)(role)
    talk = socket(cookie=await sync_to_async(session_cookie)(user))
    connected, _ = await talk.connect(timeout=5)
    assert connected
    return user, talk


async def frame(talk, kind, *, within=5.0):
    """Return the next frame of a kind, passing over heartbeats and states of the link."""
    async with asyncio.timeout(within):
        while True:
            found = json.loads(await talk.receive_from(timeout=within))
            if found["type"] == kind:
                return found


async def ask(talk, op, channel, kind="ack"):
    await talk.send_to(text_data=json.dumps({"op": op, "channel": channel, "id": "7"}))
    return await frame(talk, kind)


async def test_a_page_joins_reads_the_state_and_then_hears_changes():
    await sync_to_async(cast.publish_book)(await sync_to_async(cast.symbol)())
    _, talk = await browser_of(Role.VIEWER)
    answer = await ask(talk, "subscribe", BOOK)
    assert answer["id"] == "7"
    first = await frame(talk, "data")
    assert first["data"]["bids"][0] == ["50000.00", "3"]
    assert await sync_to_async(publish)(BOOK, {"n": 1})
    following = await frame(talk, "data")
    assert (following["seq"], following["data"]) == (first["seq"] + 1, {"n": 1})
    await talk.disconnect()


async def test_every_event_of_a_lossless_channel_arrives_in_order():
    _, talk = await browser_of(Role.TRADER)
    start = (await ask(talk, "subscribe", "orders"))["seq"]
    for number in range(50):
        await sync_to_async(publish)("orders", {"n": number})
    got = [await frame(talk, "data") for _ in range(50)]
    assert [one["data"]["n"] for one in got] == list(range(50))
    assert [one["seq"] for one in got] == list(range(start + 1, start + 51))
    await talk.disconnect()


async def test_nothing_comes_after_unsubscribing():
    _, talk = await browser_of(Role.VIEWER)
    await ask(talk, "subscribe", "orders")
    await ask(talk, "unsubscribe", "orders")
    await sync_to_async(publish)("orders", {"n": 1})
    with pytest.raises(TimeoutError):
        await frame(talk, "data", within=0.5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"op":"subscribe","channel":"secrets"}', "no such channel"),
        ('{"op":"subscribe","channel":"book:a\\"b"}', "no such channel"),
        ('{"op":"dance"}', "subscribe or unsubscribe"),
        ("garbage", "not a request"),
        ('{"op":7}', "not a request"),
    ],
)
async def test_nonsense_is_refused_in_words_and_the_socket_stays(text, reason):
    _, talk = await browser_of(Role.VIEWER)
    await talk.send_to(text_data=text)
    assert reason in (await frame(talk, "refused"))["reason"]
    await ask(talk, "subscribe", "orders")
    await talk.disconnect()


async def test_somebody_without_a_role_is_refused_each_channel():
    _, talk = await browser_of(None)
    for channel in (BOOK, "orders", "positions", "tickers"):
        assert "roles" in (await ask(talk, "subscribe", channel, "refused"))["reason"]
    await talk.disconnect()


async def test_everything_a_socket_does_is_under_one_request_and_one_trace():
    user = await sync_to_async(cast.person)(None)
    for _ in range(2):
        talk = socket(cookie=await sync_to_async(session_cookie)(user))
        await talk.connect(timeout=5)
        for channel in ("orders", "positions"):
            await ask(talk, "subscribe", channel, "refused")
        await talk.disconnect()
    told = [(one.request_id, one.trace_id) async for one in Entry.objects.order_by("id")]

    assert told == [told[0], told[0], told[2], told[2]]
    assert told[0] != told[2]
    assert {len(one) for pair in told for one in pair} == {32}


async def test_a_program_may_name_the_request_and_the_trace_of_its_socket():
    user = await sync_to_async(cast.person)(None)
    talk = socket(cookie=await sync_to_async(session_cookie)(user))
    talk.scope["headers"] += [
        (b"x-request-id", b"my-own-socket"),
        (b"traceparent", f"00-{'a' * 32}-{'b' * 16}-01".encode()),
    ]
    await talk.connect(timeout=5)
    await ask(talk, "subscribe", "orders", "refused")
    await talk.disconnect()

    entry = await Entry.objects.alatest("id")
    assert (entry.request_id, entry.trace_id) == ("my-own-socket", "a" * 32)


async def test_a_stranger_is_shown_the_door():
    talk = socket()
    connected, _ = await talk.connect(timeout=5)
    assert connected
    assert (await talk.receive_output(timeout=5))["code"] == 4401


async def test_a_page_of_another_site_is_refused():
    user = await sync_to_async(cast.person)(Role.TRADER)
    cookie = await sync_to_async(session_cookie)(user)
    connected, _ = await socket(cookie=cookie, origin="http://evil.example").connect(timeout=5)
    assert not connected


async def test_a_program_comes_in_by_token_and_leaves_when_it_is_revoked():
    user = await sync_to_async(cast.person)(Role.TRADER)
    token = await sync_to_async(issue)(user=user, name="strategy")
    talk = socket(token=token, origin="")
    connected, _ = await talk.connect(timeout=5)
    assert connected
    await ask(talk, "subscribe", "orders")
    await sync_to_async(ApiToken.objects.filter(user=user).update)(revoked_at=timezone.now())
    async with asyncio.timeout(5):
        while (event := await talk.receive_output(timeout=5))["type"] != "websocket.close":
            continue
    assert event["code"] == 4401
    again = socket(token=token, origin="")
    await again.connect(timeout=5)
    assert (await again.receive_output(timeout=5))["code"] == 4401


async def test_the_open_page_of_a_disabled_user_ends_within_five_seconds():
    user, talk = await browser_of(Role.TRADER)
    await sync_to_async(User.objects.filter(pk=user.pk).update)(is_active=False)
    async with asyncio.timeout(5):
        while (event := await talk.receive_output(timeout=5))["type"] != "websocket.close":
            continue
    assert event["code"] == 4401
