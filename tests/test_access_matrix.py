"""Who gets through which door: what happens is exactly what `access_matrix.csv` says.

Every address of the product is asked by everybody, with GET and with POST, and so is every action of
the admin, on a row of the account, and every channel of the socket. A door without a row fails, and so
does a row without a door. Doors that change something get what they take (`access_stage.bodies`), so
that what they say is about who asks, and of what. PUT, PATCH and DELETE have to be refused or to do
what GET does, and nothing else.

  door     sent to the sign-in page, or told to come with a token
  no       refused
  hidden   told that there is nothing here
  yes      let in; what they sent may still be refused as a form
  sees     let in, and shown something of the account
  does     let in, and something was done: the audit log says so
"""

import asyncio
import csv
import json
import uuid
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from cqops.platform.access.models import DeskSession, RoleGrant, User
from cqops.platform.access.policy import Role
from cqops.platform.access.scopes import parts_of
from cqops.platform.access.sessions import sessions_of
from cqops.platform.approvals.models import Request
from cqops.platform.audit.models import Entry
from cqops.platform.live.hub import close_hub
from cqops.platform.live.publish import publish
from portfolio.models import Break, Reconciliation
from tests import cast
from tests.access_stage import (
    ACCOUNT,
    PEOPLE,
    bodies,
    everybody,
    in_registry,
    narrow_token,
    of_symbols,
    set_stage,
)
from trading.models import ExecutionReport
from trading.services.tickets import place
from venues.models import Account, DriftReport, Maintenance

FILE = Path(__file__).with_name("access_matrix.csv")
OBSERVED = settings.LOCAL_DIR / "access_matrix.csv"
# Entries that say somebody was turned away, or read something, and not that anything was changed.
NOT_DONE = ["access.refused", "export.taken"]
OF_AN_ORDER = {"approvals", "breaks", "orders", "positions", "reconciliations"}
# Who tries the methods that no page has: the powerful, and outside the admin, where a view looks at the
# method itself, also somebody foreign and a program.
TRIES_OTHERS = [Role.ADMIN, "foreign", "narrow-token"]


@pytest.fixture
def row_of_each(settings):
    # Nobody is asked for a second proof: what is taken here is who may, not when they last proved it.
    settings.FRESH_SECONDS = 86_400
    return set_stage()


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
        "request_id": Request.objects.get(state="pending").pk,
        "account_id": order.account_id,
        "key_id": order.account.credentials.get().pk,
        "break_id": Break.objects.get().pk,
        "maintenance_id": Maintenance.objects.get().pk,
        "report_id": DriftReport.objects.get().pk,
        "run_id": Reconciliation.objects.get().pk,
        "entry_id": Entry.objects.order_by("id").values_list("pk", flat=True).first(),
        "app_label": "trading",
        "content_type_id": 1,
        "url": "nowhere",
        **in_registry(),
        **of_symbols(order),
    }
    if not name.startswith("admin:"):
        return values
    for model in admin.site._registry:
        meta = model._meta
        if name.startswith(f"admin:{meta.app_label}_{meta.model_name}_"):
            values["object_id"] = _row_of(model).pk
    return {"object_id": 1, **values}


def _row_of(model):
    """Return a row of the account, where the model has any that belong to one."""
    if model is Request:
        return Request.objects.get(state="pending")
    row = model.objects.filter(**_of_the_account(model)).first()
    assert row is not None, f"set_stage makes no row of {model._meta.label}"
    return row


def _of_the_account(model):
    if model is Account:
        return {"name": ACCOUNT}
    # An admin may not touch what is their own: a viewer's rows say what may be done to others.
    if model is User:
        return {"role_grants__role": Role.VIEWER}
    if model is RoleGrant:
        return {"role": Role.VIEWER}
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


class Visitor:
    """One of the people, as a browser or a program of theirs."""

    def __init__(self, user=None, token=""):
        self._client = Client(raise_request_exception=False)
        if user is not None:
            self._client.force_login(user)
        self._cookies = self._client.cookies.copy()
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def asks(self, method, path, marks=(), body=None):
        """Ask in a transaction that is taken back, so that no answer changes the next."""
        self._client.cookies = self._cookies.copy()
        with transaction.atomic():
            last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            # What is of a version is changed by whoever names it.
            seen = {"if-match": '"1"'} if path.startswith("/api/") else {}
            answer = self._client.generic(
                method, path, *_sent(path, body), headers={**self._headers, **seen}
            )
            found = _outcome(answer, marks)
            done = Entry.objects.filter(pk__gt=last).exclude(action__in=NOT_DONE)
            if found in {"yes", "sees"} and done.exists():
                found = "does"
            transaction.set_rollback(True)
        return found


def _sent(path, body):
    if body is None:
        return (b"",)
    if path.startswith("/api/"):
        return json.dumps(body, default=str), "application/json"
    return urlencode(body, doseq=True), "application/x-www-form-urlencoded"


def visitors(people):
    made = {name: Visitor(people.get(name)) for name in PEOPLE}
    return {**made, "narrow-token": Visitor(token=narrow_token())}


def observe_addresses(order, everyone):
    execution = ExecutionReport.objects.get()
    marks = [str(order.pk), "matrix-order", ACCOUNT, execution.venue_execution_id]
    table, sent = {}, bodies(order)
    assert set(sent) <= {name for _, name, _ in addresses()}
    for what, name, groups in addresses():
        if not name:
            continue
        path = _path(name, groups, order)
        for method in ("GET", "POST"):
            body = sent.get(name) if method == "POST" else None
            cells = [everyone[one].asks(method, path, marks, body) for one in PEOPLE]
            if set(cells) != {"-"}:
                table["address", what, method] = cells
        table.update(
            _other_methods(what, path, marks, everyone, table.get(("address", what, "GET")))
        )
    return table


def _other_methods(what, path, marks, everyone, reads):
    """Take PUT, PATCH and DELETE, and return only what is more than refusing or reading."""
    found = {}
    for method in ("PUT", "PATCH", "DELETE"):
        tries = TRIES_OTHERS[:1] if what.startswith("admin:") else TRIES_OTHERS
        cells = [everyone[one].asks(method, path, marks) for one in tries]
        as_read = [reads[PEOPLE.index(one)] for one in tries] if reads else []
        is_less = all(cell in {"-", "no", "door"} for cell in cells)
        if not is_less and cells != as_read:
            said = dict(zip(tries, cells, strict=True))
            found["address", what, method] = [said.get(one, "") for one in PEOPLE]
    return found


def observe_actions(everyone, people):
    """Choose a row of the account in the admin's list and run each action on it."""
    table = {}
    for model, model_admin in admin.site._registry.items():
        list_of = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        row = str(_row_of(model).pk)
        for action in sorted(_actions(model_admin, people)):
            if model is User:
                Client().force_login(User.objects.get(pk=row))  # a session there is to end
            body = {"action": action, "_selected_action": [row], "reason": "too large", "index": 0}
            body["is_confirmed"] = "on"
            cells = [everyone[one].asks("POST", list_of, (), body) for one in PEOPLE]
            table["action", model._meta.label, action] = cells
    return table


def _actions(model_admin, people):
    """Name every action that anybody is offered."""
    found = set()
    for person in people.values():
        request = RequestFactory().get("/admin/")
        request.user = person
        found |= set(model_admin.get_actions(request))
    return found


# What the tests of this run saw: each of them looks at some of the kinds.
SEEN = {}


def compare(observed, kinds):
    """Hold what happens against what is declared, and leave what happened where it can be taken."""
    with FILE.open(newline="") as file:
        rows = list(csv.reader(file))[1:] if FILE.exists() else []
    declared = {tuple(row[:3]): row[3:] for row in rows if row[0] in kinds}
    SEEN.update(observed)
    not_yet = kinds | {kind for kind, *_ in SEEN}
    _write({**{tuple(row[:3]): row[3:] for row in rows if row[0] not in not_yet}, **SEEN})
    wrong = []
    for key in sorted(observed.keys() | declared.keys()):
        happens, says = observed.get(key), declared.get(key)
        if happens is None or says is None:
            wrong.append(f"{' '.join(key)}: {'not declared' if says is None else 'is no door'}")
        elif happens != says:
            cells = zip_longest(PEOPLE, says, happens)
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
@pytest.mark.timeout(900)
@pytest.mark.django_db
def test_every_address_and_every_action_of_the_admin_is_as_declared(row_of_each):
    people = everybody()
    # One browser each, so that the addresses of sessions and tokens are always somebody else's.
    assert all(not sessions_of(one).exists() for one in people.values())
    everyone = visitors(people)

    observed = {
        **observe_addresses(row_of_each, everyone),
        **observe_actions(everyone, people),
    }

    compare(observed, {"address", "action"})


@pytest.mark.slow
@pytest.mark.django_db
def test_every_model_of_the_admin_has_a_row_that_its_doors_are_tried_on(row_of_each):
    everybody()
    for model in admin.site._registry:
        assert _row_of(model).pk is not None


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
    token = await sync_to_async(narrow_token)()
    for name in PEOPLE:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        if name in people:
            cookie = await sync_to_async(session_cookie)(people[name])
            headers.append((b"cookie", cookie.encode()))
        elif name == "narrow-token":
            headers.append((b"authorization", f"Bearer {token}".encode()))
        for channel in channels:
            talk = WebsocketCommunicator(application, "/ws/live/", headers=headers)
            await talk.connect(timeout=5)
            cells = table["socket", channel.partition(":")[0], "subscribe"]
            if name == "anonymous":
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
    people = await sync_to_async(everybody)()
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
