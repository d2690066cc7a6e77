"""Planted secrets that must come out nowhere: not in a log, an error, a page, an answer, a message.

Each canary is put where its real counterpart lives, then used the way people use it, and everything
the desk says in the meantime is searched.
"""

import io
import json
import logging

import msgspec
import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from cqops.platform.access import second_factor
from cqops.platform.access.models import Authenticator, DeskSession, User
from cqops.platform.access.people import save_person
from cqops.platform.access.policy import Role
from cqops.platform.access.seals import unseal
from cqops.platform.access.tokens import create_token
from cqops.platform.approvals.models import Proposal
from cqops.platform.approvals.services.ways_in import propose_way_in
from cqops.platform.telemetry.logs import JsonLines, Lines
from tests import cast
from trading.services.tickets import place
from venues.models import Account
from venues.services.keys import propose_credential, seed_credential

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
REDACT = "venues.transport.redact.redact_text"
PEM = "-----BEGIN EC PRIVATE KEY-----\nCANARYpemCANARYpemCANARY\n-----END EC PRIVATE KEY-----"


class Canaries(dict):
    """Secrets by name, and where each of them was found."""

    def found_in(self, place, text):
        flat = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        return [f"{name} in {place}" for name, secret in self.items() if secret and secret in flat]


@pytest.fixture
def said(monkeypatch):
    """Hear every line of the log the way the product writes it, in both formats."""
    streams = []
    for formatter in (Lines(REDACT), JsonLines(REDACT)):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)
        streams.append((stream, handler))
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    yield lambda: "".join(stream.getvalue() for stream, _ in streams)
    logging.getLogger().setLevel(before)
    for _, handler in streams:
        logging.getLogger().removeHandler(handler)


def _hash_that_waits():
    return unseal(Proposal.objects.first().content["password"].encode()).decode()


@pytest.fixture
def canaries(settings):
    """Plant one of each kind."""
    admin_person = cast.person(Role.ADMIN, "adam")
    trader = cast.person(Role.TRADER, "tom")
    password = "canary password 7f3a"
    waiting = "canary password that waits 41c8"
    approver = cast.person(Role.APPROVER)
    asked = propose_way_in(person=trader, by=admin_person, new_password=password)
    cast.approve(asked, approver)
    propose_way_in(person=trader, by=admin_person, new_password=waiting)
    save_person(person=trader, roles=["trader"], by=admin_person)
    enrolled = second_factor.begin(user=trader)
    seed = second_factor.seed_text(enrolled)
    paper = second_factor.confirm(user=trader, code=second_factor.present_code(trader))
    token, text = create_token(owner=trader, name="canary", scopes=["order.view"], days=1)
    seed_credential(account=cast.account(), key_id="public id", secret="canary-secret-91bd")
    seed_credential(account=cast.account("Pem"), key_id="other id", secret=PEM)
    propose_credential(
        account=cast.account(), key_id="next id", secret="canary-secret-2b7e", by=admin_person
    )
    client = Client()
    client.force_login(trader)
    trader.refresh_from_db()
    return Canaries(
        {
            "password": password,
            "password that waits": waiting,
            "password hash that waits": _hash_that_waits(),
            "password hash": trader.password.rpartition("$")[2],
            "second factor seed": seed,
            "paper code": paper[0],
            "paper code, bare": paper[0].replace("-", ""),
            "paper code digest": trader.backup_codes.first().digest,
            "token": text,
            "token digest": token.digest,
            "credential": "canary-secret-91bd",
            "credential that waits": "canary-secret-2b7e",
            "private key": "CANARYpemCANARYpemCANARY",
            "session key": client.session.session_key,
            "SECRET_KEY": settings.SECRET_KEY,
            "CREDENTIAL_KEYS": settings.CREDENTIAL_KEYS[0],
            "DATABASE_URL password": settings.DATABASES["default"]["PASSWORD"],
        }
    )


def _admin_pages():
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        for row in model.objects.all()[:3]:
            yield reverse(f"{name}_change", args=[row.pk])
            yield reverse(f"{name}_history", args=[row.pk])


def test_no_page_of_the_admin_shows_one(canaries, said):
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    found = []
    for path in _admin_pages():
        answer = client.get(path)
        assert answer.status_code in {200, 403}, path
        found += canaries.found_in(path, answer.content)

    assert found == []
    assert canaries.found_in("log", said()) == []


def test_no_page_of_the_desk_and_no_answer_to_a_program_holds_one(canaries, said):
    trader = User.objects.get(username="tom")
    client, program = Client(), Client(headers={"Authorization": f"Bearer {canaries['token']}"})
    client.force_login(trader)
    paths = ["/", "/tokens/", "/tokens/?format=csv", "/sessions/", "/second-factor/", "/confirm/"]
    paths += ["/preferences/", "/orders/", "/positions/", "/markets/", "/statusz", "/api/schema/"]
    found = []
    for path in paths:
        found += canaries.found_in(path, client.get(path).content)
    for path in ("/api/v1/orders", "/api/v1/positions", "/api/v1/symbols", "/api/v1/nowhere"):
        found += canaries.found_in(path, program.get(path).content)

    assert found == []
    assert canaries.found_in("log", said()) == []


def test_signing_in_with_them_rightly_and_wrongly_leaves_no_trace(canaries, said):
    client = Client()
    right = {"username": "tom", "password": canaries["password"]}
    answers = [client.post("/sign-in/", right), client.post("/sign-in/code/", {"code": "000000"})]
    Authenticator.objects.update(throttling_failure_timestamp=None)
    answers.append(client.post("/sign-in/code/", {"code": canaries["paper code"]}))
    # What was meant for one person, typed for another: it is somebody's secret all the same.
    answers.append(Client().post("/sign-in/", {**right, "username": "adam"}))
    answers.append(client.post("/confirm/", {"code": canaries["password"]}))
    bad = Client(headers={"Authorization": f"Bearer {canaries['token']}x"})
    answers.append(bad.get("/api/v1/orders"))

    found = [one for answer in answers for one in canaries.found_in("answer", answer.content)]
    assert found == []
    assert canaries.found_in("log", said()) == []
    assert _in_the_database(canaries) == []


def test_a_failure_with_all_of_them_at_hand_says_none(canaries, said, monkeypatch):
    """Let a view fall over while it holds every secret in its own variables and its error."""
    from trading import views  # noqa: PLC0415

    def broken(*_args, **_kwargs):
        held = dict(canaries)
        message = (
            f"Bearer {held['token']} password={held['password']!r} secret={held['credential']} "
            f"{PEM} postgres://cqops:{held['DATABASE_URL password'] or 'x'}@db/cqops"
        )
        raise RuntimeError(message)

    monkeypatch.setattr(views, "page", broken)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="tom"))

    answer = client.get("/orders/")

    assert answer.status_code == 500
    assert canaries.found_in("page", answer.content) == []
    assert "RuntimeError" in said()
    assert canaries.found_in("log", said()) == []


def test_a_form_that_fails_does_not_give_back_what_was_typed_as_a_secret(canaries):
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    account = Account.objects.first()

    answers = [
        client.post(
            reverse("admin:venues_credential_add"),
            {"account": str(account.pk), "key_id": "", "secret": canaries["credential"]},
        ),
        client.post(
            reverse("admin:access_user_add"), {"username": "", "new_password": canaries["password"]}
        ),
        client.post("/confirm/", {"password": canaries["password"]}),
    ]

    assert [one for answer in answers for one in canaries.found_in("form", answer.content)] == []


def test_what_is_sent_to_workers_and_pages_holds_keys_of_rows_and_nothing_else(
    canaries, monkeypatch, django_capture_on_commit_callbacks
):
    from trading import doorbell, live  # noqa: PLC0415

    sent = []
    monkeypatch.setattr(doorbell, "_send", lambda *words: sent.append(words))
    monkeypatch.setattr(
        live, "publish_on_commit", lambda channel, data, about=None: sent.append((channel, data))
    )
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    trader = User.objects.get(username="tom")
    with django_capture_on_commit_callbacks(execute=True):
        place(ticket=cast.ticket(trader), client_order_id="canary-order", by=trader)
    doorbell.doorbells.wait()

    assert len(sent) >= 2
    text = json.dumps(
        [msgspec.to_builtins(list(words), str_keys=True) for words in sent], default=str
    )
    assert canaries.found_in("message", text) == []


# Where a secret has to be to do its work; everything it says is unusable without another one.
LIVES_IN = {
    "session key": {"django_session", "access_desksession"},
    "password hash": {"access_user"},
    "token digest": {"access_apitoken"},
    "paper code digest": {"access_backupcode"},
}


def _in_the_database(canaries):
    """Search every row of every table, as somebody would who has a dump."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")  # noqa: S608
            text = cursor.fetchone()[0]
            found += [
                one
                for one in canaries.found_in(table, text)
                if table not in LIVES_IN.get(one.rpartition(" in ")[0], ())
            ]
    return found


def test_a_dump_of_the_database_opens_nothing(canaries):
    assert DeskSession.objects.exists()
    assert _in_the_database(canaries) == []


def test_a_canary_that_sings_is_heard(canaries):
    """Guard the guards: what searches for nothing finds nothing."""
    assert canaries.found_in("here", f"…{canaries['token']}…") == ["token in here"]
    assert len([secret for secret in canaries.values() if secret]) >= 13
