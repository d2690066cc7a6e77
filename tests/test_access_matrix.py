"""Who gets through which door: what happens is exactly what `access_matrix.csv` says.

Every address of the product is asked by everybody, with GET and with POST, and so is every action of
the admin and every channel of the socket. A door without a row fails, and so does a row without a
door. `foreign` is a trader whose only grant is for another account than the one all rows belong to.

  door     sent to the sign-in page, or told to come with a token
  no       refused
  hidden   told that there is nothing here
  yes      let in; what they sent may still be refused as a form
  sees     let in, and shown something of the account
"""

import asyncio
import csv
import json
import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from cqops.platform.access import demo
from cqops.platform.access.models import DeskSession
from cqops.platform.access.policy import Role
from cqops.platform.access.scopes import parts_of
from cqops.platform.access.sessions import sessions_of
from cqops.platform.access.tokens import issue
from cqops.platform.approvals.models import Request
from cqops.platform.audit.models import Entry
from cqops.platform.live.hub import close_hub
from cqops.platform.live.publish import publish
from portfolio.models import Break, Reconciliation
from portfolio.services.positions import absorb_executions
from portfolio.services.reconciliation import request_reconciliation
from tests import cast
from trading.models import ExecutionReport, Order
from trading.services.executions import record
from trading.services.tickets import place
from venues.models import Account

FILE = Path(__file__).with_name("access_matrix.csv")
OBSERVED = settings.LOCAL_DIR / "access_matrix.csv"
PEOPLE = ["anonymous", "nobody", *Role, "foreign"]
ACCOUNT = "Matrix main"
OF_AN_ORDER = {"approvals", "breaks", "orders", "positions", "reconciliations"}


@pytest.fixture
def row_of_each():
    """Make something behind every address, all of it of one account."""
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    trader = cast.person(Role.TRADER, "tom")
    trader.email = f"tom@{demo.DOMAIN}"
    trader.save()
    account = cast.account(ACCOUNT)
    large = cast.ticket(trader, account=account, quantity=Decimal("1.2"))
    place(ticket=large, client_order_id="matrix-large", by=trader)
    order = place(
        ticket=cast.ticket(trader, account=account), client_order_id="matrix-order", by=trader
    )
    Order.objects.filter(pk=order.pk).update(
        venue_order_id="V-matrix-order", state="acknowledged", sent_at=timezone.now()
    )
    order.refresh_from_db()
    record(account=account, fills=[cast.fill(order, number=1, quantity="0.1")], by="test")
    absorb_executions()
    now = timezone.now()
    run = request_reconciliation(account=account)
    Break.objects.create(
        account=account,
        key="balance:USD",
        kind="balance",
        title="USD balance",
        amount=1,
        unit="USD",
        first_seen_at=now,
        last_seen_at=now,
        last_run=run,
    )
    issue(user=trader, name="strategy")
    Client().force_login(trader)
    from axes.models import AccessAttempt  # noqa: PLC0415

    AccessAttempt.objects.create(username="tom", failures_since_start=1)
    return order


def everybody(order):
    """Make one person of each kind."""
    elsewhere = cast.account("Elsewhere")
    people = {role.value: cast.person(role, f"of-{role}") for role in Role}
    people["nobody"] = cast.person(None, "nobody")
    people["foreign"] = cast.person(Role.TRADER, "foreign", scope="account", scope_id=elsewhere.pk)
    return people


def addresses():
    """List every pattern there is, with the names of what it takes."""

    def walk(patterns, space, route):
        for one in patterns:
            here = route + str(one.pattern)
            if isinstance(one, URLResolver):
                inner = f"{space}{one.namespace}:" if one.namespace else space
                yield from walk(one.url_patterns, inner, here)
            elif isinstance(one, URLPattern):
                name = f"{space}{one.name}" if one.name else ""
                yield name or here, name, one.pattern.regex.groupindex

    yield from walk(get_resolver().url_patterns, "", "")


def _values(name, order):
    """Fill what an address takes."""
    values = {
        "order_id": order.pk,
        "venue": order.symbol.venue.slug,
        "symbol": order.symbol.symbol,
        "username": "tom",
        "session_id": DeskSession.objects.get(user=order.placed_by).pk,
        "token_id": order.placed_by.api_tokens.get().pk,
        "request_id": Request.objects.get().pk,
        "break_id": Break.objects.get().pk,
        "run_id": Reconciliation.objects.get().pk,
        "entry_id": Entry.objects.order_by("id").values_list("pk", flat=True).first(),
        "app_label": "trading",
        "content_type_id": 1,
        "url": "nowhere",
    }
    if not name.startswith("admin:"):
        return values
    for model in admin.site._registry:
        meta = model._meta
        if name.startswith(f"admin:{meta.app_label}_{meta.model_name}_"):
            row = model.objects.filter(**_of_the_account(model)).first()
            values["object_id"] = row.pk if row else uuid.uuid4()
    return {"object_id": 1, **values}


def _of_the_account(model):
    if model is Account:
        return {"name": ACCOUNT}
    names = {one.name for one in model._meta.get_fields() if one.is_relation}
    return {"account__name": ACCOUNT} if "account" in names else {}


def _path(name, groups, order):
    values = _values(name, order)
    missing = set(groups) - set(values)
    assert not missing, f"{name} takes {missing}: give it a value in _values"
    return reverse(name, kwargs={group: values[group] for group in groups})


def _outcome(answer, marks):
    status = answer.status_code
    assert status < 500 or status == 503, answer.content.decode()[:2000]
    words = {401: "door", 403: "no", 404: "hidden", 405: "-"}
    if status in words:
        return words[status]
    if status == 302:
        target = answer["Location"]
        if target.startswith(("/sign-in/", "/admin/login/")) and "next=" in target:
            return "door"
        # The admin leads to its front page for a row that there is not for this person.
        return "hidden" if target == "/admin/" else "yes"
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return "sees" if any(mark.encode() in text for mark in marks) else "yes"


def _ask(cookies, method, path, marks):
    """Ask in a transaction that is taken back, so that no answer changes the next."""
    client = Client(raise_request_exception=False)
    client.cookies = cookies.copy()
    with transaction.atomic():
        found = _outcome(client.generic(method, path, b""), marks)
        transaction.set_rollback(True)
    return found


def _cookies(user):
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.cookies


def observe_addresses(order, people):
    execution = ExecutionReport.objects.get()
    marks = [str(order.pk), "matrix-order", ACCOUNT, execution.venue_execution_id]
    cookies = {name: _cookies(people.get(name)) for name in PEOPLE}
    table = {}
    for what, name, groups in addresses():
        path = _path(name, groups, order) if name else None
        for method in ("GET", "POST"):
            if path is None:
                continue
            cells = [_ask(cookies[one], method, path, marks) for one in PEOPLE]
            if set(cells) != {"-"}:
                table["address", what, method] = cells
    return table


def observe_actions(people):
    table = {}
    for model, model_admin in admin.site._registry.items():
        allowed = {}
        for name in PEOPLE[1:]:
            request = RequestFactory().get("/admin/")
            request.user = people[name]
            allowed[name] = set(model_admin.get_actions(request))
        for action in sorted(set().union(*allowed.values())):
            cells = ["no", *("yes" if action in allowed[one] else "no" for one in PEOPLE[1:])]
            table["action", model._meta.label, action] = cells
    return table


def compare(observed, kinds):
    """Hold what happens against what is declared, and leave what happened where it can be taken."""
    with FILE.open(newline="") as file:
        rows = list(csv.reader(file))[1:] if FILE.exists() else []
    declared = {tuple(row[:3]): row[3:] for row in rows if row[0] in kinds}
    _write({**{tuple(row[:3]): row[3:] for row in rows if row[0] not in kinds}, **observed})
    wrong = []
    for key in sorted(observed.keys() | declared.keys()):
        happens, says = observed.get(key), declared.get(key)
        if happens is None or says is None:
            wrong.append(f"{' '.join(key)}: {'not declared' if says is None else 'is no door'}")
        elif happens != says:
            cells = zip(PEOPLE, says, happens, strict=True)
            told = [f"{who} {said} -> {did}" for who, said, did in cells if said != did]
            wrong.append(f"{' '.join(key)}: {', '.join(told)}")
    assert not wrong, "\n".join([*wrong, f"All of it meant? Copy {OBSERVED} over {FILE}."])


def _write(table):
    OBSERVED.parent.mkdir(parents=True, exist_ok=True)
    with OBSERVED.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kind", "what", "how", *PEOPLE])
        writer.writerows([*key, *cells] for key, cells in sorted(table.items()))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.django_db
def test_every_address_and_every_action_of_the_admin_is_as_declared(row_of_each):
    people = everybody(row_of_each)
    # One browser each, so that the addresses of sessions and tokens are always somebody else's.
    assert all(not sessions_of(one).exists() for one in people.values())

    observed = {**observe_addresses(row_of_each, people), **observe_actions(people)}

    compare(observed, {"address", "action"})


@pytest.fixture(scope="module")
def application(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        from cqops.asgi import application as real  # noqa: PLC0415
    return real


async def _hears(talk, channel, order):
    """Follow a channel, and wait for a push about the order to arrive or not."""
    await talk.send_to(text_data=json.dumps({"op": "subscribe", "channel": channel, "id": "1"}))
    while (said := json.loads(await talk.receive_from(timeout=5)))["type"] not in {
        "ack",
        "refused",
    }:
        if said["type"] == "status" and not said["live"]:
            pytest.fail("the live service is away")
    if said["type"] == "refused":
        return "no"
    parts = parts_of(order) if channel in OF_AN_ORDER else {}
    await sync_to_async(publish)(channel, {"about": str(order.pk)}, parts=parts)
    try:
        async with asyncio.timeout(0.5):
            while str(order.pk) not in await talk.receive_from(timeout=5):
                continue
    except TimeoutError:
        return "yes"
    return "sees"


async def _observe_sockets(application, order, people):
    from tests.platform.live.test_consumers import session_cookie  # noqa: PLC0415

    channels = [f"book:{order.symbol.key}", *sorted(OF_AN_ORDER), "tickers"]
    channels.append(f"trades:{order.symbol.key}")
    assert {one.partition(":")[0] for one in channels} == set(settings.LIVE_CHANNELS)
    table = {("socket", one.partition(":")[0], "subscribe"): [] for one in channels}
    for name in PEOPLE:
        cookie = await sync_to_async(session_cookie)(people[name]) if name in people else ""
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        headers.append((b"cookie", cookie.encode()))
        for channel in channels:
            talk = WebsocketCommunicator(application, "/ws/live/", headers=headers)
            await talk.connect(timeout=5)
            cells = table["socket", channel.partition(":")[0], "subscribe"]
            if not cookie:
                assert (await talk.receive_output(timeout=5))["code"] == 4401
                cells.append("door")
                continue
            cells.append(await _hears(talk, channel, order))
            await talk.disconnect()
    return table


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
async def test_every_channel_of_the_socket_is_as_declared(application):
    order = await sync_to_async(_an_order)()
    people = await sync_to_async(everybody)(order)
    try:
        compare(await _observe_sockets(application, order, people), {"socket"})
    finally:
        await close_hub()


def _an_order():
    cast.desk_switch()
    trader = cast.person(Role.TRADER, "tom")
    ticket = cast.ticket(trader, account=cast.account(ACCOUNT))
    made = place(ticket=ticket, client_order_id=uuid.uuid4().hex, by=trader)
    made.placed_at -= timedelta(seconds=1)
    return made
