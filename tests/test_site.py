"""The frame around every page: addresses, navigation, banner, and what needs somebody now."""

import importlib

import pytest
from django.test import Client
from django.urls import NoReverseMatch, clear_url_caches, reverse, set_urlconf

from cqops import site
from cqops.platform.access.policy import Action, Role
from cqops.platform.overview import OverviewRow, Severity, gather
from tests import cast

pytestmark = pytest.mark.django_db
PAGES = ["overview", "markets", "blotter", "positions", "preferences", "api-docs", "ticket"]


@pytest.fixture
def trader(client: Client):
    user = cast.person(Role.TRADER)
    client.force_login(user)
    return user


def _reload_urls():
    for name in ("cqops.platform.access.urls", "cqops.urls"):
        importlib.reload(importlib.import_module(name))
    clear_url_caches()
    set_urlconf(None)


@pytest.fixture
def mode(settings):
    """Build the addresses again as an installation of another kind would."""

    def become(environment: str) -> None:
        settings.ENVIRONMENT = environment
        settings.IS_SIMULATED = environment == "SIMULATED"
        _reload_urls()

    yield become
    settings.IS_SIMULATED = True
    _reload_urls()


class TestAddresses:
    @pytest.mark.parametrize("environment", ["SANDBOX", "LIVE"])
    def test_enter_as_does_not_exist_outside_simulated(self, mode, client, environment):
        cast.person(Role.TRADER, "tom")
        mode(environment)

        with pytest.raises(NoReverseMatch):
            reverse("enter-as", args=["tom"])
        assert client.post("/enter-as/tom/").status_code == 404

    @pytest.mark.parametrize("environment", ["SANDBOX", "LIVE"])
    def test_the_sign_in_page_offers_no_demo_people_outside_simulated(
        self, mode, client, environment
    ):
        mode(environment)

        page = client.get("/sign-in/").content.decode()

        assert "Enter as" not in page
        assert f"<strong>{environment}</strong>" in page

    @pytest.mark.parametrize("name", [*PAGES, "overview-rows", "positions-table"])
    def test_strangers_are_sent_to_the_sign_in_page(self, client, name):
        answer = client.get(reverse(name))

        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/?next=")

    def test_people_without_a_role_see_nothing(self, client):
        client.force_login(cast.person(None))

        for name in PAGES:
            if name != "preferences":
                assert client.get(reverse(name)).status_code == 403, name


class TestFrame:
    @pytest.mark.parametrize("name", PAGES)
    def test_every_page_carries_the_banner_and_the_strict_policy(self, client, trader, name):
        answer = client.get(reverse(name))

        page = answer.content.decode()
        policy = answer["Content-Security-Policy"]
        assert answer.status_code == 200
        assert 'class="environment environment-simulated"' in page
        assert "script-src 'self';" in policy + ";"
        assert "unsafe" not in policy
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page

    def test_only_the_admin_loosens_the_policy(self, client):
        client.force_login(cast.person(Role.ADMIN))

        assert "'unsafe-eval'" in client.get("/admin/")["Content-Security-Policy"]
        assert "unsafe" not in client.get("/")["Content-Security-Policy"]

    def test_the_admin_carries_the_banner_and_the_same_navigation(self, client):
        client.force_login(cast.person(Role.ADMIN))

        page = client.get("/admin/").content.decode()

        assert 'class="environment environment-simulated"' in page
        for title in ("Overview", "Blotter", "Positions", "People"):
            assert title in page

    def test_the_admin_lets_in_by_role_and_not_by_flag(self, client):
        user = cast.person(Role.VIEWER)
        user.is_staff = user.is_superuser = True
        user.save()
        client.force_login(user)

        assert client.get("/admin/", follow=True).status_code == 403

    def test_the_admin_sends_strangers_to_the_desks_own_sign_in_page(self, client):
        chain = client.get("/admin/", follow=True).redirect_chain

        assert chain[-1][0].startswith("/sign-in/")

    def test_the_navigation_holds_only_what_the_roles_allow(self, rf):
        request = rf.get("/orders/")
        request.user = cast.person(Role.VIEWER)

        titles = [page.title for _, pages in site.allowed_navigation(request) for page in pages]

        assert "Blotter" in titles
        assert "New order" not in titles
        assert "People" not in titles

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/", "/"),
            ("/orders/", "/orders/"),
            ("/orders/new/", "/orders/new/"),
            ("/orders/0b9b7d1e-0000-0000-0000-000000000000/", "/orders/"),
            ("/nowhere/", ""),
        ],
    )
    def test_the_nearest_page_is_marked(self, rf, path, expected):
        request = rf.get(path)
        request.user = cast.person(Role.TRADER)

        assert site.shell(request)["here"] == expected

    def test_no_two_pages_share_a_key(self):
        keys = [page.key for _, pages in site.NAVIGATION for page in pages if page.key]

        assert len(keys) == len(set(keys))


class TestRefusals:
    def test_a_missing_page_says_what_to_do(self, client, trader):
        answer = client.get("/nowhere/")

        assert answer.status_code == 404
        assert "There is nothing at this address" in answer.content.decode()
        assert "To the overview" in answer.content.decode()

    def test_a_refusal_names_the_action_that_is_missing(self, client):
        client.force_login(cast.person(Role.VIEWER))

        answer = client.get(reverse("ticket"))

        assert answer.status_code == 403
        assert Action.ORDER_PLACE.value in answer.content.decode()

    def test_programs_are_refused_in_json(self, client):
        answer = client.get("/api/v1/nowhere")

        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"] == "There is nothing at this address."

    def test_a_form_without_its_token_says_that_nothing_was_sent(self):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(cast.person(Role.TRADER))

        answer = strict.post(reverse("preferences"), {"time_zone": "UTC", "theme": "dark"})

        assert answer.status_code == 403
        assert "Nothing was sent" in answer.content.decode()


def _calm(user):
    return []


def _pressing(user):
    return [
        OverviewRow(title="later", severity=Severity.INFO),
        OverviewRow(title="now", severity=Severity.URGENT, count=3),
    ]


def _broken(user):
    message = "no such table"
    raise RuntimeError(message)


class TestWhatNeedsMeNow:
    def test_the_most_pressing_comes_first(self):
        rows = gather(cast.person(Role.TRADER), [f"{__name__}._calm", f"{__name__}._pressing"])

        assert [row.title for row in rows] == ["now", "later"]

    def test_a_provider_that_fails_is_a_row_and_hides_no_other(self, caplog):
        rows = gather(
            cast.person(Role.TRADER), [f"{__name__}._broken", f"{__name__}._pressing", "no.such"]
        )

        assert {row.title for row in rows[:3]} == {
            "Could not check tests",
            "Could not check no",
            "now",
        }
        assert rows[3].title == "later"
        assert "no such table" in caplog.text

    def test_an_empty_list_says_when_it_was_last_checked(
        self, client, trader, settings, monkeypatch
    ):
        settings.OVERVIEW_PROVIDERS = [f"{__name__}._calm"]
        monkeypatch.setattr(site, "everything", dict)

        page = client.get(reverse("overview-rows")).content.decode()

        assert "Nothing needs you." in page
        assert "last checked at <time" in page.replace("\n", " ")

    def test_a_part_of_the_desk_that_fails_is_urgent(self, client, trader, settings):
        settings.OVERVIEW_PROVIDERS = [f"{__name__}._calm"]

        page = client.get(reverse("overview-rows")).content.decode()

        assert "Part of the desk is not working: worker" in page
        assert "has not started yet" in page
