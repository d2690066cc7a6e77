"""The second factor: enrolling, signing in, paper codes, guessing, resetting, being made to."""

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access import demo, second_factor
from cqops.platform.access.allowances import approved
from cqops.platform.access.models import ApiToken, Authenticator, BackupCode
from cqops.platform.access.people import OwnRoles
from cqops.platform.access.policy import Role
from cqops.platform.access.second_factor import AlreadyEnrolled, TooSoon, present_code
from cqops.platform.access.sockets import who_is_it_now
from cqops.platform.access.tokens import issue
from cqops.platform.approvals.services import NotYours
from cqops.platform.approvals.services.ways_in import propose_way_in
from tests import cast

pytestmark = pytest.mark.django_db
PASSWORD = "a good long word"


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests turn, for the codes and for the waiting after wrong ones."""

    class Clock:
        now = timezone.now().timestamp()

        def turn(self, seconds):
            self.now += seconds
            Authenticator.objects.update(throttling_failure_timestamp=None)

    clock = Clock()
    monkeypatch.setattr(second_factor.time, "time", lambda: clock.now)
    return clock


def someone(role=Role.TRADER, name="tom", *, is_demo=False):
    user = cast.person(role, name)
    user.set_password(PASSWORD)
    user.email = f"{name}@{demo.DOMAIN}" if is_demo else ""
    user.save()
    return user


def enrolled(user):
    second_factor.begin(user=user)
    return second_factor.confirm(user=user, code=present_code(user))


def _password(client, name="tom", **more):
    return client.post("/sign-in/", {"username": name, "password": PASSWORD, **more})


class TestSigningIn:
    def test_a_password_alone_does_not_open_a_door_with_a_second_lock(self, client, clock):
        enrolled(someone())

        answer = _password(client)

        assert answer["Location"] == "/sign-in/code/"
        assert client.get("/orders/").status_code == 302
        assert "_auth_user_id" not in client.session

    def test_the_code_opens_it_and_leads_where_they_were_going(self, client, clock):
        user = someone()
        enrolled(user)
        _password(client, next="/orders/")
        clock.turn(30)

        answer = client.post("/sign-in/code/", {"code": present_code(user)})

        assert answer["Location"] == "/orders/"
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_a_code_opens_a_door_once(self, clock):
        user = someone()
        enrolled(user)
        clock.turn(30)
        code = present_code(user)

        assert second_factor.prove(user=user, code=code)
        assert not second_factor.prove(user=user, code=code)

    def test_a_wrong_code_does_not_open_and_the_next_guess_has_to_wait(self, clock):
        user = someone()
        enrolled(user)

        assert not second_factor.prove(user=user, code="000000")
        with pytest.raises(TooSoon):
            second_factor.prove(user=user, code=present_code(user))

    def test_the_password_step_is_forgotten_after_five_minutes(self, client, clock, monkeypatch):
        enrolled(someone())
        _password(client)
        clock.turn(301)

        answer = client.get("/sign-in/code/")

        assert answer["Location"] == "/sign-in/"

    def test_nobody_reaches_the_code_page_without_the_password(self, client):
        assert client.get("/sign-in/code/")["Location"] == "/sign-in/"

    def test_a_simulated_desk_shows_the_codes_of_demo_people_and_of_nobody_else(
        self, client, clock
    ):
        tom, real = someone(name="tom", is_demo=True), someone(name="real")
        enrolled(tom), enrolled(real)

        _password(client, "tom")
        shown = client.get("/sign-in/code/").content.decode()
        _password(client, "real")
        hidden = client.get("/sign-in/code/").content.decode()

        assert f'<code id="demo-code">{present_code(tom)}</code>' in shown
        assert "demo-code" not in hidden
        assert present_code(real) not in hidden

    def test_outside_simulated_nobodys_code_is_shown(self, settings, clock):
        tom = someone(is_demo=True)
        enrolled(tom)
        settings.IS_SIMULATED = False

        assert demo.code_of(tom) is None

    def test_a_used_code_is_not_shown_again(self, client, clock):
        tom = someone(is_demo=True)
        enrolled(tom)
        assert second_factor.prove(user=tom, code=present_code(tom))

        _password(client)
        page = client.get("/sign-in/code/").content.decode()

        assert "Load this page again in a moment" in page
        clock.turn(30)
        assert demo.code_of(tom)


class TestEnrolling:
    def test_the_page_draws_a_code_without_style_and_takes_the_first_digits(self, client, clock):
        user = someone()
        client.force_login(user)
        page = client.get(reverse("second-factor")).content.decode()

        answer = client.post(reverse("second-factor"), {"code": present_code(user)})

        assert '<svg xmlns="http://www.w3.org/2000/svg"' in page or "<svg " in page
        assert "style=" not in page
        assert answer.content.decode().count("<li><code>") == 10
        assert second_factor.has_one(user)

    def test_a_wrong_first_code_enrols_nobody(self, client):
        user = someone()
        client.force_login(user)
        client.get(reverse("second-factor"))

        answer = client.post(reverse("second-factor"), {"code": "000000"})

        assert answer.status_code == 422
        assert not second_factor.has_one(user)

    def test_the_same_seed_is_shown_until_it_is_taken_and_never_afterwards(self, client, clock):
        user = someone()
        client.force_login(user)
        client.get(reverse("second-factor"))
        seed = second_factor.seed_text(Authenticator.objects.get())

        again = client.get(reverse("second-factor")).content.decode()
        second_factor.confirm(user=user, code=present_code(user))
        after = client.get(reverse("second-factor")).content.decode()

        assert seed in again
        assert seed not in after

    def test_what_is_stored_is_neither_the_seed_nor_the_codes(self, clock):
        user = someone()
        codes = enrolled(user)
        row = Authenticator.objects.get()
        seed = second_factor.unseal(row.sealed_seed)

        assert seed not in bytes(row.sealed_seed)
        stored = set(BackupCode.objects.values_list("digest", flat=True))
        assert not stored & {code.replace("-", "") for code in codes}

    def test_a_second_one_needs_a_reset_first(self, clock):
        user = someone()
        enrolled(user)

        with pytest.raises(AlreadyEnrolled):
            second_factor.begin(user=user)


class TestPaper:
    def test_each_code_opens_once(self, clock):
        user = someone()
        code = enrolled(user)[0]

        assert second_factor.prove(user=user, code=code.upper())
        assert not second_factor.prove(user=user, code=code)
        assert second_factor.paper_codes_left(user) == 9

    def test_somebody_elses_code_opens_nothing(self, clock):
        other = enrolled(someone(name="other"))[0]
        user = someone()
        enrolled(user)

        assert not second_factor.prove(user=user, code=other)


class TestResetting:
    def test_an_admin_and_a_second_person_take_it_away(self, clock):
        user, admin, approver = someone(), cast.person(Role.ADMIN), cast.person(Role.APPROVER)
        enrolled(user)

        asked = propose_way_in(person=user, by=admin, is_factor_reset=True)
        assert second_factor.has_one(user)
        cast.approve(asked, approver)

        assert not second_factor.has_one(user)
        assert BackupCode.objects.count() == 0

    def test_nobody_asks_for_their_own_and_a_trader_for_nobodys(self, clock):
        admin, trader = someone(Role.ADMIN, "adam"), someone()
        cast.person(Role.APPROVER)
        enrolled(admin)

        for by, error in ((admin, OwnRoles), (trader, NotYours)):
            with pytest.raises(error):
                propose_way_in(person=admin, by=by, is_factor_reset=True)
        assert second_factor.has_one(admin)

    def test_the_database_lets_none_go_without_an_approval_of_it(self, clock):
        user, admin, approver = someone(), cast.person(Role.ADMIN), cast.person(Role.APPROVER)
        enrolled(user)
        asked = propose_way_in(person=user, by=admin, new_password="quite another word")
        cast.approve(asked, approver)

        for approval in (asked.pk, user.pk):
            with pytest.raises(IntegrityError, match="needs a second person"), approved(approval):
                second_factor.reset(person=user)
        assert second_factor.has_one(user)


class TestBeingMadeTo:
    @pytest.fixture(autouse=True)
    def _roles(self, settings):
        settings.SECOND_FACTOR_ROLES = ["trader"]

    def test_every_page_leads_to_setting_it_up(self, client):
        client.force_login(someone())

        for path in ("/", "/orders/", "/tokens/", "/admin/"):
            assert client.get(path)["Location"] == reverse("second-factor"), path
        assert client.get("/api/v1/orders").status_code == 403
        assert client.get(reverse("second-factor")).status_code == 200

    def test_the_desk_opens_once_it_is_there(self, client, clock):
        user = someone()
        client.force_login(user)
        client.get(reverse("second-factor"))
        client.post(reverse("second-factor"), {"code": present_code(user)})

        assert client.get("/orders/").status_code == 200

    def test_other_roles_are_left_alone(self, client):
        client.force_login(someone(Role.VIEWER, "vera"))

        assert client.get("/orders/").status_code == 200

    def test_a_program_of_theirs_is_not_let_in_either(self, clock):
        user = someone()
        token = issue(user=user, name="strategy")
        row = ApiToken.objects.get()
        asked = {"headers": {"Authorization": f"Bearer {token}"}}
        assert Client().get("/api/v1/orders", **asked).status_code == 401
        assert who_is_it_now({"token_id": row.pk}) is None

        enrolled(user)

        assert Client().get("/api/v1/orders", **asked).status_code == 200
        assert who_is_it_now({"token_id": row.pk}) == user
