"""Coming in, going out, preferences."""

import pytest
from django.urls import reverse

from cqops.platform.access import demo
from cqops.platform.access.models import User
from cqops.platform.access.policy import Role
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo_trader():
    user = cast.person(Role.TRADER, "tom")
    user.email = f"tom@{demo.DOMAIN}"
    user.first_name, user.last_name = "Tom", "Tanaka"
    user.save()
    return user


@pytest.fixture
def someone(client):
    user = cast.person(Role.VIEWER)
    client.force_login(user)
    return user


class TestSignIn:
    def test_the_right_password_opens_the_overview(self, client):
        user = cast.person(Role.VIEWER, "vera")
        user.set_password("a good long word")
        user.save()

        answer = client.post("/sign-in/", {"username": "vera", "password": "a good long word"})

        assert answer["Location"] == reverse("overview")

    def test_a_wrong_password_does_not_say_which_part_was_wrong(self, client):
        page = client.post("/sign-in/", {"username": "vera", "password": "wrong"})

        assert "That name and password do not match" in page.content.decode()

    def test_who_is_signed_in_already_goes_on(self, client, someone):
        assert client.get("/sign-in/")["Location"] == reverse("overview")

    def test_signing_out_needs_a_post(self, client, someone):
        assert client.get("/sign-out/").status_code == 405
        assert client.post("/sign-out/")["Location"] == reverse("sign-in")


class TestEnterAs:
    def test_the_sign_in_page_shows_each_demo_person_and_what_they_do(self, client, demo_trader):
        page = client.get("/sign-in/").content.decode()

        assert "Tom Tanaka" in page
        assert "places and cancels orders" in page

    def test_one_press_makes_one_the_demo_person(self, client, demo_trader):
        answer = client.post("/enter-as/tom/", {"next": "/orders/"})

        assert answer["Location"] == "/orders/"
        assert client.session["_auth_user_id"] == str(demo_trader.pk)

    def test_it_never_leads_to_another_site(self, client, demo_trader):
        answer = client.post("/enter-as/tom/", {"next": "https://elsewhere.example/"})

        assert answer["Location"] == reverse("overview")

    def test_people_who_are_not_demo_people_cannot_be_entered_as(self, client):
        cast.person(Role.ADMIN, "real")

        assert client.post("/enter-as/real/").status_code == 404

    def test_a_disabled_demo_person_is_gone(self, client, demo_trader):
        User.objects.update(is_active=False)

        assert client.post("/enter-as/tom/").status_code == 404
        assert "Tom Tanaka" not in client.get("/sign-in/").content.decode()

    def test_a_link_is_not_enough(self, client, demo_trader):
        assert client.get("/enter-as/tom/").status_code == 405


class TestPreferences:
    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("Europe/London", "Europe/London"),
            ("europe/london", "Europe/London"),
            ("new york", "America/New_York"),
            ("UTC", "UTC"),
        ],
    )
    def test_a_zone_is_found_by_its_name_or_its_city(self, client, someone, typed, stored):
        answer = client.post("/preferences/", {"time_zone": typed, "theme": "dark"})

        someone.refresh_from_db()
        assert answer["Location"] == "/preferences/"
        assert (someone.time_zone, someone.theme) == (stored, "dark")

    def test_an_unknown_zone_is_refused_in_words(self, client, someone):
        page = client.post("/preferences/", {"time_zone": "Atlantis", "theme": "dark"})

        assert "Atlantis is not a time zone" in page.content.decode()

    def test_pages_follow_theme_and_zone(self, client, someone):
        User.objects.update(theme="dark", time_zone="Asia/Tokyo")

        page = client.get("/preferences/").content.decode()

        assert 'data-theme="dark"' in page
        assert 'data-zone="Asia/Tokyo"' in page
