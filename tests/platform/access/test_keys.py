"""Tokens, sessions, locks and proofs: what people come in with, and how it ends."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access import freshness, second_factor, sessions
from cqops.platform.access.addresses import client_address, device_name
from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import ApiToken, DeskSession, RoleGrant
from cqops.platform.access.policy import Action, NotAllowed, Role, may
from cqops.platform.access.tokens import create_token, find, issue, narrowed, revoke_token
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
from cqops.platform.approvals.services.programs import make_token
from tests import cast

pytestmark = pytest.mark.django_db
PASSWORD = "a good long word"


@pytest.fixture(autouse=True)
def _nothing_seen():
    sessions._seen.clear()


def someone(role=Role.TRADER, name="tom"):
    user = cast.person(role, name)
    user.set_password(PASSWORD)
    user.save()
    return user


def long_ago(client):
    """Let the last proof of a client be ten minutes old."""
    session = client.session
    session[sessions.FRESH_AT] -= 600
    session.save()


class TestTokens:
    def test_a_token_does_what_it_names_and_no_more(self, client):
        trader = someone()
        _, text = create_token(owner=trader, name="reader", scopes=["order.view"], days=1)
        bearer = {"headers": {"Authorization": f"Bearer {text}"}}

        assert client.get("/api/v1/orders", **bearer).status_code == 200
        assert client.get("/api/v1/positions", **bearer).status_code == 403
        assert client.post("/api/v1/orders", {}, **bearer).status_code == 403

    def test_a_token_loses_what_its_owner_loses(self):
        trader = someone()
        text = cast.agreed_token(trader, ["order.place"])
        assert may(narrowed(find(text, now=timezone.now())), Action.ORDER_PLACE)
        RoleGrant.objects.filter(user=trader).delete()

        assert not may(narrowed(find(text, now=timezone.now())), Action.ORDER_PLACE)

    def test_one_that_does_more_than_read_opens_nothing_before_a_second_person_agreed(self, client):
        trader, approver = someone(), cast.person(Role.APPROVER, "alma")
        client.force_login(trader)
        form = {"name": "bot", "days": "30", "scopes": ["order.view", "order.place"]}
        page = client.post(reverse("token-new"), form).content.decode()
        text = page.partition('<code id="token">')[2].partition("<")[0]
        bearer = {"headers": {"Authorization": f"Bearer {text}"}}

        assert "It opens nothing yet" in page
        assert Client().get("/api/v1/orders", **bearer).status_code == 401
        assert "Waits for a second person" in client.get(reverse("tokens")).content.decode()
        cast.approve(Request.objects.get(), approver)
        assert Client().get("/api/v1/orders", **bearer).status_code == 200

    def test_one_that_was_refused_is_ended(self, client):
        trader, approver = someone(), cast.person(Role.APPROVER, "alma")
        token, text, asked = make_token(owner=trader, name="t", scopes=["order.place"], days=1)
        decide(
            request_id=asked.pk,
            by=approver,
            verdict=Verdict.REFUSE,
            reason="Not this one.",
            seen_hash=asked.instruction_hash,
        )
        settle_left()

        assert find(text, now=timezone.now()) is None
        token.refresh_from_db()
        assert token.revoked_at

    def test_revoking_one_that_waits_takes_the_question_back(self, client):
        trader, _ = someone(), cast.person(Role.APPROVER)
        token, _, asked = make_token(owner=trader, name="t", scopes=["order.place"], days=1)
        client.force_login(trader)

        client.post(reverse("token-revoke", args=[token.pk]))

        asked.refresh_from_db()
        assert asked.state == "voided"

    def test_where_nobody_could_agree_none_is_made_and_the_form_says_what_to_do(self, client):
        client.force_login(someone())

        page = client.post(
            reverse("token-new"), {"name": "x", "days": "1", "scopes": ["order.place"]}
        )

        assert "Nobody else here could agree" in page.content.decode()
        assert not ApiToken.objects.exists()

    def test_the_database_releases_no_token_that_writes_and_prolongs_none(self):
        trader, now = someone(), timezone.now()
        token, _ = create_token(owner=trader, name="t", scopes=["order.place"], days=1)
        reader, _ = create_token(owner=trader, name="r", scopes=["order.view"], days=1)
        mine = ApiToken.objects.filter(pk=token.pk)
        theirs = ApiToken.objects.filter(pk=reader.pk)

        for refused in (
            lambda: mine.update(released_at=now),
            lambda: theirs.update(scopes=["order.place"]),
            lambda: theirs.update(expires_at=now + timedelta(days=400)),
            lambda: theirs.update(digest="0" * 64),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                refused()

    def test_one_that_is_seeded_never_decides(self):
        approver = someone(Role.APPROVER, "alma")
        issue(user=approver, name="seeded")
        scopes = ApiToken.objects.get().scopes

        assert "approval.decide" not in scopes
        with pytest.raises(IntegrityError, match="needs a second person"), seeding():
            ApiToken.objects.update(scopes=[*scopes, "approval.decide"])

    def test_nobody_gives_a_program_what_they_do_not_have(self, client):
        client.force_login(someone(Role.VIEWER, "vera"))

        answer = client.post(
            reverse("token-new"), {"name": "x", "days": "1", "scopes": ["order.place"]}
        )

        assert answer.status_code == 422
        assert not ApiToken.objects.exists()

    @pytest.mark.parametrize("days", ["0", "366", "-1", "x"])
    def test_a_token_lasts_a_year_at_most(self, client, days):
        client.force_login(someone())

        answer = client.post(
            reverse("token-new"), {"name": "x", "days": days, "scopes": ["order.view"]}
        )

        assert answer.status_code == 422
        assert not ApiToken.objects.exists()

    def test_the_text_is_shown_once_and_stored_nowhere(self, client):
        client.force_login(someone())

        made = client.post(
            reverse("token-new"), {"name": "x", "days": "30", "scopes": ["order.view"]}
        ).content.decode()
        text = made.partition('<code id="token">')[2].partition("<")[0]
        listed = client.get(reverse("tokens")).content.decode()

        assert find(text, now=timezone.now()).name == "x"
        assert text.startswith("cqops_")
        assert text not in listed
        assert ApiToken.objects.get().digest not in made + listed

    def test_a_name_is_used_once(self, client):
        client.force_login(someone())
        asked = {"name": "x", "days": "30", "scopes": ["order.view"]}
        client.post(reverse("token-new"), asked)

        answer = client.post(reverse("token-new"), asked)

        assert "You have used this name already" in answer.content.decode()

    def test_revoking_ends_it_at_once(self, client):
        trader = someone()
        token, text = create_token(owner=trader, name="t", scopes=["order.view"], days=1)
        client.force_login(trader)

        client.post(reverse("token-revoke", args=[token.pk]))

        answer = Client().get("/api/v1/orders", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 401

    def test_nobody_touches_anothers_token_but_an_admin(self, client):
        token, _ = create_token(owner=someone(), name="t", scopes=["order.view"], days=1)
        client.force_login(someone(Role.TRADER, "other"))

        assert client.post(reverse("token-revoke", args=[token.pk])).status_code == 404
        with pytest.raises(NotAllowed):
            revoke_token(token=token, by=cast.person(Role.APPROVER))
        revoke_token(token=token, by=cast.person(Role.ADMIN))
        assert ApiToken.objects.get().revoked_at

    def test_a_token_that_is_over_opens_nothing_and_says_so(self, client):
        trader = someone()
        _, text = create_token(owner=trader, name="t", scopes=["order.view"], days=1)
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        client.force_login(trader)

        assert find(text, now=timezone.now()) is None
        assert "Expired" in client.get(reverse("tokens")).content.decode()
        assert "No such token" in client.get(reverse("tokens"), {"state": "good"}).content.decode()

    def test_the_list_is_exported_without_digests(self, client):
        trader = someone()
        create_token(owner=trader, name="mine", scopes=["order.view"], days=1)
        client.force_login(trader)

        text = client.get(reverse("tokens"), {"format": "csv"}).content.decode()

        assert "mine,order.view" in text
        assert ApiToken.objects.get().digest not in text


class TestSessions:
    def test_signing_in_is_written_down_with_device_and_address(self, client):
        someone()
        agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"

        client.post(
            "/sign-in/",
            {"username": "tom", "password": PASSWORD},
            headers={"User-Agent": agent},
            REMOTE_ADDR="203.0.113.7",
        )

        found = DeskSession.objects.get()
        assert (found.device, found.address) == ("Chrome on Linux", "203.0.113.7")

    def test_a_session_ended_elsewhere_opens_nothing_any_more(self, client):
        trader, other = someone(), Client()
        client.force_login(trader)
        other.force_login(trader)

        client.post(reverse("sessions-end-others"))

        assert other.get("/orders/").status_code == 302
        assert client.get("/orders/").status_code == 200
        assert DeskSession.objects.count() == 1

    def test_one_is_ended_by_its_own_person_and_by_nobody_like_them(self, client):
        trader, other = someone(), Client()
        other.force_login(trader)
        row = DeskSession.objects.get()
        client.force_login(someone(Role.TRADER, "mallory"))

        assert client.post(reverse("session-end", args=[row.pk])).status_code == 404
        assert other.get("/orders/").status_code == 200

    def test_an_admin_ends_anybodys_and_never_sees_the_key(self, client):
        trader, other = someone(), Client()
        other.force_login(trader)
        row = DeskSession.objects.get()
        client.force_login(cast.person(Role.ADMIN))
        address = reverse("admin:access_desksession_changelist")
        page = client.get(address).content.decode()
        one = client.get(reverse("admin:access_desksession_change", args=[row.pk]))

        client.post(address, {"action": "end", "_selected_action": [str(row.pk)]})

        assert row.session_id not in page + one.content.decode()
        assert other.get("/orders/").status_code == 302

    def test_last_seen_follows_at_one_write_in_half_a_minute(
        self, client, django_assert_num_queries
    ):
        client.force_login(someone())
        DeskSession.objects.update(seen_at=timezone.now() - timedelta(hours=1))
        client.get("/preferences/")
        first = DeskSession.objects.get().seen_at
        client.get("/preferences/")

        assert timezone.now() - first < timedelta(minutes=1)
        assert DeskSession.objects.get().seen_at == first

    def test_an_expired_session_is_not_listed(self, client):
        trader = someone()
        Client().force_login(trader)
        Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
        client.force_login(trader)

        assert sessions.sessions_of(trader).count() == 1

    def test_the_page_names_the_session_it_is_seen_with(self, client):
        client.force_login(someone())

        assert client.get(reverse("sessions")).content.decode().count("This one") == 1


class TestAddresses:
    def test_behind_a_proxy_only_the_entry_of_our_own_proxy_counts(self, rf, settings):
        request = rf.get("/", headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.9"})
        assert client_address(request) == "127.0.0.1"

        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        assert client_address(request) == "203.0.113.9"

    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/128.0", "Firefox on Windows"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604",
                "Safari on iPhone",
            ),
            ("curl/8.1", "curl/8.1"),
            ("", "unknown"),
        ],
    )
    def test_a_device_is_named_as_its_owner_would(self, agent, name):
        assert device_name(agent) == name


@pytest.mark.slow  # hashing passwords is slow by design
class TestLocks:
    def _try(self, client, typed="wrong", address="203.0.113.7", name="tom"):
        form = {"username": name, "password": typed}
        return client.post("/sign-in/", form, REMOTE_ADDR=address)

    @pytest.fixture
    def locked(self, client):
        someone()
        for _ in range(5):
            self._try(client)

    def test_five_wrong_passwords_lock_the_name_in_plain_words(self, client, locked):
        answer = self._try(client, PASSWORD)

        assert answer.status_code == 429
        assert "Too many wrong passwords" in answer.content.decode()
        assert "15 minutes" in answer.content.decode()

    def test_other_names_and_other_addresses_are_not_locked(self, client, locked):
        someone(Role.VIEWER, "vera")

        assert self._try(client, PASSWORD, name="vera").status_code == 302
        assert self._try(Client(), PASSWORD, address="203.0.113.8").status_code == 302

    def test_an_admin_lets_them_try_again_and_sees_no_password(self, client, locked):
        admin = Client()
        admin.force_login(cast.person(Role.ADMIN))
        address = reverse("admin:axes_accessattempt_changelist")
        from axes.models import AccessAttempt  # noqa: PLC0415

        row = AccessAttempt.objects.get()
        one = admin.get(reverse("admin:axes_accessattempt_change", args=[row.pk]))
        admin.post(address, {"action": "unlock", "_selected_action": [str(row.pk)]})

        assert "wrong" not in one.content.decode().replace("wrong passwords", "")
        assert self._try(client, PASSWORD).status_code == 302


class TestFreshness:
    def test_a_dangerous_page_asks_again_and_leads_back(self, client):
        client.force_login(someone())
        long_ago(client)

        asked = client.get(reverse("token-new"))
        assert asked["Location"] == "/confirm/?next=%2Ftokens%2Fnew%2F"
        wrong = client.post("/confirm/", {"password": "nope", "next": "/tokens/new/"})
        assert wrong.status_code == 422
        right = client.post("/confirm/", {"password": PASSWORD, "next": "/tokens/new/"})
        assert right["Location"] == "/tokens/new/"
        assert client.get(reverse("token-new")).status_code == 200

    def test_with_a_second_factor_the_password_is_not_enough(self, client):
        trader = someone()
        second_factor.begin(user=trader)
        second_factor.confirm(user=trader, code=second_factor.present_code(trader))
        client.force_login(trader)
        long_ago(client)

        assert client.post("/confirm/", {"password": PASSWORD}).status_code == 422
        code = second_factor.present_code(trader)
        assert client.post("/confirm/", {"code": code}).status_code == 302

    def test_what_was_sent_too_late_is_not_done(self, client):
        client.force_login(someone())
        long_ago(client)

        client.post(reverse("token-new"), {"name": "x", "days": "1", "scopes": ["order.view"]})

        assert not ApiToken.objects.exists()

    def test_it_never_leads_to_another_site(self, client):
        client.force_login(someone())

        answer = client.post("/confirm/", {"password": PASSWORD, "next": "https://evil.example/"})

        assert answer["Location"] == reverse("overview")

    def test_a_fragment_is_told_to_go_and_confirm(self, rf):
        request = rf.get("/tokens/new/", headers={"HX-Request": "true"})

        answer = freshness.ask_again(request)

        assert answer["HX-Redirect"].startswith("/confirm/")

    @pytest.mark.parametrize("page", ["access_user_add", "venues_credential_add"])
    def test_forms_over_people_and_keys_ask_again(self, client, page):
        client.force_login(cast.person(Role.ADMIN))
        assert client.get(reverse(f"admin:{page}")).status_code == 200
        long_ago(client)

        assert client.get(reverse(f"admin:{page}"))["Location"].startswith("/confirm/")

    def test_trading_is_loosened_only_with_a_proof_and_stopped_without_one(self, client):
        switch = cast.desk_switch("off")
        client.force_login(cast.person(Role.ADMIN))
        cast.person(Role.APPROVER)
        long_ago(client)
        address = reverse("admin:trading_tradingswitch_change", args=[switch.pk])

        for mode in ("on", "reduce_only"):
            asked = client.post(address, {"reason": "because", "mode": mode})
            assert asked["Location"].startswith("/confirm/")
        assert not Request.objects.exists()
        cast.desk_switch("on")
        client.post(address, {"reason": "because", "mode": "reduce_only"})
        switch.refresh_from_db()
        assert switch.mode == "reduce_only"

    def test_ending_something_is_never_held_up(self, client):
        token, _ = create_token(owner=someone(), name="t", scopes=["order.view"], days=1)
        client.force_login(cast.person(Role.ADMIN))
        long_ago(client)

        client.post(
            reverse("admin:access_apitoken_changelist"),
            {"action": "revoke", "_selected_action": [str(token.pk)]},
        )

        token.refresh_from_db()
        assert token.revoked_at
