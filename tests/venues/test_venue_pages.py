"""The pages of a venue: what processes measured, what people note, and what is not known said so."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.live.redis import client as redis_client
from tests import cast
from venues.interface.types import Health
from venues.models import ArchiveDay, DriftReport, Maintenance
from venues.services import readings
from venues.services.health import write_down
from venues.services.readings import Readings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_readings_of_others():
    yield
    for key in redis_client().scan_iter("venue-*:coinbase_advanced*"):
        redis_client().delete(key)


@pytest.fixture
def venue():
    return cast.venue()


def enter(client, role, **scope):
    user = cast.person(role, **scope)
    client.force_login(user)
    return user


def measured(venue, account=None):
    process = Readings()
    for seconds in (0.02, 0.03):
        process.called(venue.slug, "place", "ok", seconds)
    process.called(venue.slug, "place", "failed", 0.5)
    process.say(venue.slug, "stream", "level2", at=timezone.now().timestamp() - 3)
    process.say(venue.slug, "breaker", "breaker", words="open", account=str(account.pk))
    process.say(venue.slug, "budget", "key:private", value=7.5, account=str(account.pk))
    process.write_out()


def drift(venue):
    now = timezone.now()
    return DriftReport.objects.create(
        venue=venue,
        place="private",
        kind="unknown order status",
        value="MAYBE",
        sample="MAYBE <b>",
        first_seen=now,
        last_seen=now,
        version="coinbase_advanced 1",
    )


def page_of(client, venue, **query):
    answer = client.get(reverse("venue", args=[venue.slug]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_venue_nobody_asked_yet_says_so_everywhere(client, venue):
    enter(client, Role.AUDITOR)

    shown = page_of(client, venue)

    for words in (
        "Not asked lately",
        "No call in the last 15 minutes",
        "No process follows a stream",
        "Every word of this venue",
        "None is entered",
        "Nothing was kept in the last seven days",
    ):
        assert words in shown


def test_what_the_processes_measured_is_shown(client, venue):
    account = cast.account()
    enter(client, Role.AUDITOR)
    measured(venue, account)
    write_down(
        venue,
        Health(is_up=True, latency_seconds=0.0123, clock_offset_seconds=0.25),
        now=timezone.now(),
    )
    ArchiveDay.objects.create(
        venue=venue.slug, day=timezone.now().date(), frames=3, bytes=1024, public_bytes=1024
    )

    shown = page_of(client, venue)
    listed = client.get(reverse("venues")).content.decode()

    for words in ("Answers", "250 ms", "12 ms", "33.3 %", "Level2", "7.5 left", "badge-bad"):
        assert words in shown, words
    assert "2.0" in listed
    assert "1 open" in listed


def test_while_redis_is_away_it_says_what_is_not_known(client, venue, monkeypatch):
    enter(client, Role.AUDITOR)

    def away(_operation):
        raise readings.RedisError

    monkeypatch.setattr(readings, "ask", away)

    assert "Not known while Redis is away" in page_of(client, venue)
    assert "not known, Redis is away" in client.get(reverse("venues")).content.decode()


def test_a_fragment_is_the_page_without_its_frame(client, venue):
    enter(client, Role.VIEWER)

    assert "<html" not in page_of(client, venue, fragment=1)
    assert "<html" not in client.get(reverse("venues"), {"fragment": 1}).content.decode()


def test_who_may_not_see_the_venues_configuration_sees_neither_keys_nor_drift(client, venue):
    account = cast.account("Secret account")
    drift(venue)
    measured(venue, account)
    enter(client, Role.TRADER)

    shown = page_of(client, venue)

    assert "Secret account" not in shown
    assert "MAYBE" not in shown
    assert "7.5 left" not in shown
    assert "Level2" in shown


def test_a_venues_words_never_become_markup(client, venue):
    drift(venue)
    enter(client, Role.STEWARD)

    assert "MAYBE &lt;b&gt;" in page_of(client, venue)


class TestNotes:
    def test_a_steward_enters_maintenance_in_their_own_zone(self, client, venue):
        user = enter(client, Role.STEWARD)
        user.time_zone = "Asia/Tokyo"
        user.save()

        answer = client.post(
            reverse("maintenance-plan", args=[venue.slug]),
            {"starts_at": "2099-01-01T09:00", "ends_at": "2099-01-01T10:00", "note": "Engine"},
        )

        assert answer.status_code == 302
        planned = Maintenance.objects.get()
        assert planned.starts_at.isoformat() == "2099-01-01T00:00:00+00:00"
        assert "Engine" in page_of(client, venue)

    def test_what_cannot_be_is_said_beside_the_form(self, client, venue):
        enter(client, Role.STEWARD)

        answer = client.post(
            reverse("maintenance-plan", args=[venue.slug]),
            {"starts_at": "2099-01-01T09:00", "ends_at": "2099-01-01T08:00", "note": "Engine"},
        )

        assert answer.status_code == 422
        assert "It has to end after it starts." in answer.content.decode()
        assert not Maintenance.objects.exists()

    def test_it_is_called_off_on_the_page(self, client, venue):
        user = enter(client, Role.ADMIN)
        now = timezone.now()
        planned = Maintenance.objects.create(
            venue=venue,
            starts_at=now,
            ends_at=now + timedelta(hours=1),
            note="Engine",
            entered_by=user,
        )
        assert "Maintenance goes on" in page_of(client, venue)

        client.post(reverse("maintenance-call-off", args=[planned.pk]))

        assert "Maintenance goes on" not in page_of(client, venue)

    def test_drift_is_marked_as_known_with_a_note_and_not_without(self, client, venue):
        report = drift(venue)
        enter(client, Role.STEWARD)

        client.post(reverse("drift-known", args=[report.pk]), {"note": " "})
        report.refresh_from_db()
        assert not report.is_known

        client.post(reverse("drift-known", args=[report.pk]), {"note": "Means open"})
        report.refresh_from_db()
        assert report.is_known
        assert "Means open" in page_of(client, venue)


class TestRest:
    def test_programs_read_the_same_figures(self, client, venue):
        measured(venue, cast.account())
        drift(venue)
        enter(client, Role.AUDITOR)

        one = client.get(reverse("api-venue", args=[venue.slug])).json()
        (listed,) = client.get(reverse("api-venues")).json()

        assert one["calls"][0]["operation"] == "place"
        assert one["calls"][0]["calls"] == 3
        assert one["budgets"][0]["value"] == 7.5
        assert one["drift"][0]["value"] == "MAYBE"
        assert one["state"] == "not_checked"
        assert listed["venue"] == venue.slug

    def test_a_venue_that_is_none_is_not_found(self, client):
        enter(client, Role.AUDITOR)

        assert client.get(reverse("api-venue", args=["nowhere"])).status_code == 404
