"""The canaries the suite does not meet by itself are used the way people use them, and every ear is tried.

`tests.canaries` plants and listens while the whole suite runs; what comes out fails the run at its end.
"""

import asyncio
import logging

import pytest
from axes.models import AccessAttempt
from celery import current_app
from celery.signals import before_task_publish
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from cqops import demo
from cqops.platform.access import second_factor
from cqops.platform.access.models import Authenticator, DeskSession, User
from cqops.platform.access.people import save_person
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import create_token
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.services.ways_in import propose_way_in
from cqops.platform.audit.models import Entry
from cqops.platform.audit.services import record
from cqops.platform.background import doorbells, pushes
from cqops.platform.events.models import Event
from cqops.platform.events.relay import publish_waiting
from cqops.platform.events.streams import Streams
from cqops.platform.live.publish import publish
from cqops.platform.live.redis import client as redis_client
from cqops.platform.local.places import CHECKOUT
from cqops.platform.telemetry.ops import journal
from tests import cast
from tests.canaries import (
    EARS,
    MARKS,
    NAMES,
    Ears,
    expected,
    hear_dump,
    hear_logs,
    planted,
)
from trading.services.tickets import place
from venues.interface.errors import Cause, OutcomeUnknown
from venues.models import Account, Credential
from venues.services import clients, powers
from venues.services.keys import propose_credential, seed_credential
from venues.simulator.demo_keys import generate_demo_key
from venues.transport.signer import CdpSigner

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PEM = "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----"


@pytest.fixture(autouse=True)
def _every_level():
    """Write everything there is to write while secrets are at hand."""
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    yield
    logging.getLogger().setLevel(before)


@pytest.fixture
def canaries(monkeypatch):
    """Plant one of each kind that the suite does not make by itself all the time."""
    cast.venue_says(monkeypatch)
    admin_person = cast.person(Role.ADMIN, "adam")
    trader = cast.person(Role.TRADER, "tom")
    password = planted("password")
    approver = cast.person(Role.APPROVER)
    asked = propose_way_in(person=trader, by=admin_person, new_password=password)
    cast.approve(asked, approver)
    propose_way_in(person=trader, by=admin_person, new_password=planted("password"))
    save_person(person=trader, roles=["trader"], by=admin_person)
    second_factor.begin(user=trader)
    paper = second_factor.confirm(user=trader, code=second_factor.present_code(trader))
    _, token = create_token(owner=trader, name="canary", scopes=["order.view"], days=1)
    pem = PEM.format(planted("venue key, PEM"))
    seed_credential(account=cast.account(), key_id="old id", secret=planted("retired venue key"))
    seed_credential(account=cast.account(), key_id="public id", secret=planted("venue secret"))
    seed_credential(account=cast.account("Pem"), key_id="other id", secret=pem)
    seed_credential(account=cast.account("Key"), key_id="third", secret=generate_demo_key().secret)
    propose_credential(
        account=cast.account(), key_id="next id", secret=planted("venue secret"), by=admin_person
    )
    client = Client()
    client.force_login(trader)
    return {
        "password": password,
        "paper": paper[0],
        "token": token,
        "pem": pem,
        "secret": planted("venue secret"),
        "base64": generate_demo_key().secret,
    }


@pytest.fixture
def leaks():
    """Name what was heard in this test; the end of the run would name it, too."""
    before = set(EARS.found)
    return lambda: sorted(set(EARS.found) - before)


def _admin_pages():
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        for row in model.objects.all()[:3]:
            yield reverse(f"{name}_change", args=[row.pk])
            yield reverse(f"{name}_history", args=[row.pk])


def test_no_page_of_the_admin_shows_one(canaries, leaks):
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    for path in _admin_pages():
        assert client.get(path).status_code in {200, 403}, path

    assert leaks() == []


def test_no_page_of_the_desk_and_no_answer_to_a_program_holds_one(canaries, leaks):
    client, program = Client(), Client(headers={"Authorization": f"Bearer {canaries['token']}"})
    client.force_login(User.objects.get(username="tom"))
    paths = ["/", "/tokens/", "/tokens/?format=csv", "/sessions/", "/second-factor/", "/confirm/"]
    paths += ["/preferences/", "/orders/", "/positions/", "/markets/", "/statusz", "/api/schema/"]
    for path in paths:
        client.get(path)
    for path in ("/api/v1/orders", "/api/v1/positions", "/api/v1/symbols", "/api/v1/nowhere"):
        program.get(path)

    assert leaks() == []


def test_signing_in_with_them_rightly_and_wrongly_leaves_no_trace(canaries, leaks):
    client = Client()
    right = {"username": "tom", "password": canaries["password"]}
    wrong = {"username": "tom", "password": planted("password typed wrongly")}
    Client().post("/sign-in/", wrong)
    client.post("/sign-in/", right)
    client.post("/sign-in/code/", {"code": "000000"})
    Authenticator.objects.update(throttling_failure_timestamp=None)
    client.post("/sign-in/code/", {"code": canaries["paper"]})
    # What was meant for one person, typed for another: it is somebody's secret all the same.
    Client().post("/sign-in/", {**right, "username": "adam"})
    client.post("/confirm/", {"code": canaries["password"]})
    foreign = planted("foreign bearer token", "k" * 24)
    Client(headers={"Authorization": f"Bearer cqops_{foreign}"}).get("/api/v1/orders")

    assert AccessAttempt.objects.exists()
    assert leaks() == []


def test_a_token_in_an_address_is_in_no_log_and_no_entry(canaries, leaks):
    client = Client()
    client.force_login(User.objects.get(username="tom"))
    text = planted("token in an address")
    client.get("/tokens/", {"format": "csv", "token": text})
    client.get("/audit/", {"token": text})

    assert Entry.objects.filter(action="export.taken").exists()
    assert Entry.objects.filter(action="access.refused").exists()
    assert leaks() == []


def test_a_failure_with_all_of_them_at_hand_says_none(
    canaries, leaks, settings, monkeypatch, caplog
):
    """Let a view fall over while it holds every secret in its own variables and its error."""
    from trading import views  # noqa: PLC0415

    def broken(*_args, **_kwargs):
        held = {
            "passphrase": planted("venue passphrase"),
            "signature": planted("venue signature"),
            "credential_keys": list(settings.CREDENTIAL_KEYS),
        }
        message = (
            f"Bearer {canaries['token']} password={canaries['password']!r} {canaries['base64']} "
            f"secret={canaries['secret']} CB-ACCESS-PASSPHRASE: {held['passphrase']} "
            f"{canaries['pem']} cb-access-sign={held['signature']} SECRET_KEY={settings.SECRET_KEY} "
            f"postgres://cqops:{settings.DATABASES['default']['PASSWORD']}@db/cqops"
        )
        raise RuntimeError(message)

    monkeypatch.setattr(views, "page", broken)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="tom"))

    assert client.get("/orders/").status_code == 500
    assert "RuntimeError" in caplog.text
    assert leaks() == []


def test_a_form_that_fails_does_not_give_back_what_was_typed_as_a_secret(canaries, leaks):
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    typed = planted("password in a refused form")
    secret = {"account": str(Account.objects.first().pk), "key_id": "", "secret": typed}

    client.post(reverse("admin:venues_credential_add"), secret)
    client.post(reverse("admin:access_user_add"), {"username": "", "new_password": typed})
    client.post("/confirm/", {"password": typed})

    assert leaks() == []


def test_trying_a_key_refusing_it_and_reporting_it_as_leaked_tell_none(
    canaries, leaks, monkeypatch, django_capture_on_commit_callbacks
):
    """Whatever the venue or the signer says of a key, and wherever it is shown."""
    monkeypatch.setattr(powers, "try_key", clients.try_key)
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    keys = list(Credential.objects.filter(retired_at=None))
    with django_capture_on_commit_callbacks(execute=True):
        for key in keys:
            client.get(reverse("account", args=[key.account_id]))
            said = client.post(reverse("key-test", args=[key.pk]), follow=True).content.decode()
            assert "The venue refuses this key" in said or "did not answer" in said
        form = {"account": str(cast.account("Pem").pk), "key_id": "new", "secret": canaries["pem"]}
        page = client.post(reverse("admin:venues_credential_add"), form, follow=True)
        assert "Nobody was asked, and nothing was kept" in page.content.decode()
        for key in keys:
            client.post(reverse("key-leaked", args=[key.pk]), follow=True)
    journal.flush()

    assert Entry.objects.filter(action="credential.leaked").count() == len(keys)
    assert leaks() == []


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_to_workers_and_pages_holds_keys_of_rows_and_nothing_else(canaries, leaks):
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    trader = User.objects.get(username="tom")
    sent = []
    before_task_publish.connect(lambda **told: sent.append(told), weak=False, dispatch_uid="here")
    place(ticket=cast.ticket(trader), client_order_id="canary-order", by=trader)
    doorbells.wait()
    pushes.wait()
    publish_waiting()
    before_task_publish.disconnect(dispatch_uid="here")

    assert sent
    assert not Event.objects.filter(published_at=None).exists()
    assert leaks() == []


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_opens_nothing(canaries, leaks):
    assert DeskSession.objects.exists()
    canary_demo = User.objects.create(username="demo")
    canary_demo.set_password(demo.password_of("demo"))
    canary_demo.save()

    hear_dump()

    assert leaks() == []


def test_the_run_plants_twenty_five_of_them_each_of_its_own(canaries, settings):
    """Every kind is made by now, here or at its source, and no two could be taken for each other."""
    client = Client()
    client.get("/sign-in/")
    CdpSigner("k", canaries["base64"], clock=lambda: 0.0, nonce=lambda: "n").websocket_token()
    made = {name: planted(name) for name in NAMES}
    assert len(NAMES) == len(set(NAMES)) == len(MARKS) == 25
    assert all(EARS.in_text(text) == {name} for name, text in made.items())
    given = [settings.SECRET_KEY, *settings.CREDENTIAL_KEYS, canaries["base64"], canaries["token"]]
    given += [settings.DATABASES["default"]["PASSWORD"], settings.REDIS_URL]
    assert [sorted(EARS.in_text(text)) for text in given] == [
        ["secret key"],
        ["newest credential key"],
        ["older credential key"],
        ["venue key, base64"],
        ["API token"],
        ["database password"],
        ["redis password"],
    ]


class Speaks:
    """Middleware that answers everything with what a test told it to."""

    words: dict = {}

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return HttpResponse(**self.words)


class TestEachEarHears:
    """Leak on purpose in every place: what listens to nothing finds nothing."""

    @pytest.fixture
    def caught(self):
        with expected() as found:
            yield found

    @pytest.fixture
    def secret(self):
        return planted("venue passphrase")

    def test_a_line_of_the_log(self, caught, secret):
        logging.getLogger("here").warning("sent %s", secret)
        logging.getLogger("there").error("failed", exc_info=RuntimeError(secret))

        assert set(caught) == {("venue passphrase", "log here"), ("venue passphrase", "log there")}

    @pytest.mark.parametrize("make", [Client, APIClient])
    @pytest.mark.parametrize("is_header", [True, False])
    def test_an_answer_and_its_headers(self, caught, secret, settings, make, is_header):
        Speaks.words = {"headers": {"X-Told": secret}} if is_header else {"content": secret}
        settings.MIDDLEWARE = ["tests.test_canaries.Speaks"]
        make().get("/healthz")

        assert set(caught) == {("venue passphrase", "answer /healthz")}

    def test_a_frame_of_a_socket(self, caught, secret):
        class Echo(AsyncWebsocketConsumer):
            async def receive(self, text_data=None, bytes_data=None):
                await self.send(text_data=text_data)

        async def talk():
            one = WebsocketCommunicator(Echo.as_asgi(), "/")
            await one.connect()
            await one.send_to(text_data=secret)
            await one.receive_from()
            await one.disconnect()

        asyncio.run(talk())
        assert set(caught) == {("venue passphrase", "socket")}

    def test_an_error_of_ours(self, caught, secret):
        OutcomeUnknown(f"POST /orders: {secret}", cause=Cause.TEMPORARY)
        Refused(secret)

        assert {place for _, place in caught} == {"error OutcomeUnknown", "error Refused"}

    def test_a_message_to_a_worker(self, caught, secret):
        with current_app.connection_for_write() as connection_:
            current_app.send_task("nobody.takes", [secret], connection=connection_, expires=1)
            connection_.default_channel.queue_purge("celery")

        assert {place for _, place in caught} == {"task", "redis"}

    def test_what_is_written_to_redis(self, caught, secret):
        publish("overview", {"text": secret})
        Streams.open().client.xadd("events:canary", {"payload": secret})
        redis_client().delete("events:canary")

        assert set(caught) == {("venue passphrase", "redis")}

    def test_an_entry_of_the_audit_log(self, caught, secret):
        record(action="x.y", reason=f"because {secret}")

        assert set(caught) == {("venue passphrase", "audit")}

    @pytest.mark.django_db(transaction=True)
    def test_a_dump(self, caught, secret):
        cast.person(Role.TRADER, secret)
        caught.clear()
        hear_dump()

        assert set(caught) == {("venue passphrase", "dump access_user")}

    def test_a_file_that_a_process_logs_to(self, caught, secret, tmp_path):
        (tmp_path / "desk" / "logs").mkdir(parents=True)
        (tmp_path / "desk" / "logs" / "worker.log").write_text(f"one\n{secret}\nthree\n")
        hear_logs(tmp_path)

        assert set(caught) == {("venue passphrase", "log file desk/logs/worker.log")}

    def test_what_a_running_desk_was_given(self, caught, tmp_path):
        own = {name: f"{name}-of-the-other-desk" for name in ("SECRET_KEY", "CREDENTIAL_KEYS")}
        own |= {name: f"x://u:{name}-other@h/d" for name in ("DATABASE_URL", "REDIS_URL")}
        (tmp_path / "env").write_text("".join(f"{name}={text}\n" for name, text in own.items()))
        ears = Ears()
        ears.know_desk(
            tmp_path / "env",
            {"users": [{"password": "tess-0123456789"}], "token": "cqops_0123456789"},
        )

        said = " ".join(own.values()) + " tess-0123456789 cqops_0123456789"
        assert ears.in_text(said) == {
            *("secret key", "newest credential key", "database password", "redis password"),
            *("demo password", "API token"),
        }

    def test_the_run_itself_fails_and_names_canary_place_and_test_but_no_value(
        self, pytester, monkeypatch
    ):
        monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "cqops.settings")
        monkeypatch.setenv("LOCAL_DIR", str(pytester.path))
        pytester.makepyfile(
            """
            import logging
            from tests.canaries import planted

            def test_leaks():
                logging.getLogger("here").warning(planted("paper code"))
            """
        )
        ran = pytester.runpytest_subprocess("-p", "tests.canaries", "-p", "no:randomly")

        ran.stdout.fnmatch_lines(["paper code in log here, first in *test_leaks*"])
        assert MARKS["paper code"] not in ran.stdout.str().partition("secrets came out")[2]
        assert ran.ret == pytest.ExitCode.TESTS_FAILED
