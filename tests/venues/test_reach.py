"""Who asks the venues, and that nobody who looks at a page ever waits for one."""

import asyncio
import socket
import time
from contextlib import closing
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.telemetry.models import OpsEvent
from cqops.platform.telemetry.sights import saw
from tests import cast
from venues.interface.errors import Cause, NotSent
from venues.models import Venue
from venues.services import clients, reach
from venues.services.status import SIMULATOR, reachable, sight_of, simulator


class AskedVenue:
    """A venue that answers, refuses or hangs when it is asked for its health."""

    def __init__(self, how):
        self.how = how
        self.closed = False

    async def health(self):
        if self.how == "hangs":
            await asyncio.Event().wait()
        if self.how == "refuses":
            message = "connection refused"
            raise NotSent(message, cause=Cause.TEMPORARY)
        return type("Health", (), {"is_up": self.how == "answers"})()

    async def aclose(self):
        self.closed = True


@pytest.fixture
def venues(monkeypatch, settings):
    """Give each venue of a test a behaviour, by its slug."""
    how = {}
    opened = []

    def open_client(venue):
        opened.append(AskedVenue(how[venue.slug]))
        return opened[-1]

    settings.IS_SIMULATED = False
    monkeypatch.setattr(reach, "open_public_client", open_client)
    monkeypatch.setattr(reach, "PATIENCE", 0.2)
    how["opened"] = opened
    return how


async def told(journal):
    await database_sync_to_async(journal.flush)()
    return [one.kind async for one in OpsEvent.objects.order_by("pk")]


@pytest.mark.django_db(transaction=True)
class TestLooking:
    async def test_venues_are_asked_at_once_so_that_those_away_cost_one_patience(self, venues):
        for slug in ("a", "b", "c"):
            await database_sync_to_async(cast.venue)(slug)
            venues[slug] = "hangs"
        began = time.monotonic()

        await reach.look()

        assert time.monotonic() - began < 0.55
        assert all(one.closed for one in venues["opened"])

    @pytest.mark.parametrize("how", ["refuses", "hangs", "is down"])
    async def test_away_and_back_are_each_told_once(self, venues, journal, how):
        await database_sync_to_async(cast.venue)("a")
        for now in ("answers", how, how, "answers", "answers"):
            venues["a"] = now
            await reach.look()

        assert await told(journal) == ["venue.away", "venue.back"]

    async def test_a_simulated_desk_asks_the_simulator_too(self, venues, settings, journal):
        settings.IS_SIMULATED = True
        with closing(socket.socket()) as nobody:
            nobody.bind(("127.0.0.1", 0))
            settings.SIMULATOR_URL = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            await reach.look()

        assert await told(journal) == ["simulator.away"]
        assert (await database_sync_to_async(simulator)())[0] is False


@pytest.mark.django_db
class TestReading:
    def test_venues_are_named_by_what_was_seen_and_how_long_ago(self):
        now = timezone.now()
        for slug, is_up, ago in (("a", True, 2), ("b", False, 3), ("c", True, 60)):
            saw(sight_of(cast.venue(slug)), is_up=is_up, now=now - timedelta(seconds=ago))

        assert reachable() == (
            False,
            "answers: A (2 s ago); no answer: B (3 s ago); not asked lately: C",
        )

    def test_all_that_answer_are_well_and_one_switched_off_is_not_missed(self):
        saw(sight_of(cast.venue("a")), is_up=True, now=timezone.now())
        cast.venue("b")
        Venue.objects.filter(slug="b").update(is_enabled=False)

        assert reachable()[0]

    def test_the_simulator_has_to_have_answered_lately(self):
        assert simulator() == (False, "not asked lately")
        saw(SIMULATOR, is_up=True, now=timezone.now())
        assert simulator() == (True, "answers, 0 s ago")


@pytest.mark.django_db
class TestPages:
    """A venue that takes the connection and says nothing is the worst kind of away."""

    @pytest.fixture
    def silent(self, monkeypatch):
        with closing(socket.socket()) as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            row = cast.venue("silent")
            Venue.objects.filter(pk=row.pk).update(
                rest_url=f"http://127.0.0.1:{silent.getsockname()[1]}"
            )
            yield silent

    @pytest.mark.parametrize("name", ["overview", "overview-rows", "statusz", "operations"])
    def test_no_page_asks_a_venue(self, client, silent, monkeypatch, name):
        def asked(*args, **kwargs):
            pytest.fail("a page asked a venue")

        monkeypatch.setattr(clients, "build_client", asked)
        client.force_login(cast.person(Role.TRADER))

        answer = client.get(reverse(name))

        assert answer.status_code in {200, 503}
        silent.settimeout(0.01)
        with pytest.raises(TimeoutError):
            silent.accept()

    def test_the_overview_is_fast_and_names_it(self, client, silent):
        saw("venue:silent", is_up=False, now=timezone.now())
        client.force_login(cast.person(Role.TRADER))
        client.get(reverse("overview-rows"))
        began = time.monotonic()

        page = client.get(reverse("overview-rows")).content.decode()

        assert "no answer: Silent" in page
        # Asking would take three seconds.
        assert time.monotonic() - began < 1.5
