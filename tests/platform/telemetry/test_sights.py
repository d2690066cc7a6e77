"""What was seen outside, and which process fell silent: each change told once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cqops.platform.telemetry import sights
from cqops.platform.telemetry.heartbeats import STARTED
from cqops.platform.telemetry.models import Heartbeat, OpsEvent, Sight
from cqops.platform.telemetry.sights import is_believed, saw, seen, watch_processes
from tests.cast import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(seconds=5)


def test_a_change_is_a_change_once_and_remembers_since_when():
    assert not saw("venue:v", is_up=True, now=NOON)
    assert saw("venue:v", is_up=False, now=NOON)
    assert not saw("venue:v", is_up=False, now=LATER)

    row = Sight.objects.get()
    assert (row.is_up, row.since, row.at) == (False, NOON, LATER)


def test_what_is_away_at_the_first_look_is_told():
    assert saw("venue:v", is_up=False, now=NOON)


def test_an_old_sight_says_nothing_about_now():
    saw("venue:v", is_up=True, now=NOON)
    sight = seen(["venue:v"])["venue:v"]

    assert is_believed(sight, now=LATER)
    assert not is_believed(sight, now=NOON + timedelta(minutes=1))
    assert not is_believed(None, now=NOON)


class TestWatching:
    @pytest.fixture
    def now(self):
        return STARTED + timedelta(hours=1)

    def _heard(self, at):
        Heartbeat.objects.update_or_create(
            process="feeds", defaults={"at": at, "started_at": at, "detail": ""}
        )

    def _told(self, journal):
        journal.flush()
        return list(OpsEvent.objects.order_by("pk").values_list("kind", flat=True))

    def test_silence_is_told_once_and_so_is_its_end(self, journal, now):
        self._heard(now)
        watch_processes(now=now)
        assert self._told(journal) == []
        for seconds in (20, 25, 30):
            watch_processes(now=now + timedelta(seconds=seconds))
        assert self._told(journal) == ["process.silent"]
        self._heard(now + timedelta(seconds=31))
        watch_processes(now=now + timedelta(seconds=32))
        assert self._told(journal) == ["process.silent", "process.heard"]

    def test_yesterdays_heartbeats_are_no_silence_while_the_desk_starts(self, journal, monkeypatch):
        started = timezone.now()
        monkeypatch.setattr(sights, "STARTED", started)
        self._heard(started - timedelta(hours=9))

        watch_processes(now=started + timedelta(seconds=5))
        assert self._told(journal) == []
        watch_processes(now=started + timedelta(seconds=31))
        assert self._told(journal) == ["process.silent"]
