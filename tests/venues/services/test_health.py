"""What a venue answered when it was asked, and a clock that is far off told once."""

from datetime import timedelta

import pytest

from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues.interface.errors import Cause, NotSent
from venues.interface.types import Health
from venues.models import Venue, VenueHealth
from venues.services import health
from venues.services.health import FAR_MS, check_health, write_down

pytestmark = pytest.mark.django_db


def answer(*, is_up=True, offset=0.01, message=""):
    return Health(
        is_up=is_up,
        latency_seconds=0.02,
        clock_offset_seconds=offset if is_up else None,
        message=message,
    )


def told(journal):
    journal.flush(is_end=True)
    found = OpsEvent.objects.filter(kind="venue.clock").order_by("pk")
    return list(found.values_list("severity", flat=True))


class Asked:
    def __init__(self, said):
        self._said = said
        self.is_closed = False

    async def health(self):
        if isinstance(self._said, Exception):
            raise self._said
        return self._said

    async def aclose(self):
        self.is_closed = True


@pytest.fixture
def ask(monkeypatch):
    """Let each venue answer what it is told to; what is opened has to be closed."""
    opened = []

    def answering(said):
        def open_one(_venue):
            opened.append(Asked(said))
            return opened[-1]

        monkeypatch.setattr(health, "open_public_client", open_one)

    yield answering
    assert all(one.is_closed for one in opened)


def test_every_venue_that_is_switched_on_is_asked(ask):
    cast.venue()
    cast.venue("off")
    Venue.objects.filter(slug="off").update(is_enabled=False)
    ask(answer())

    assert check_health(now=cast.NOON) == 1

    row = VenueHealth.objects.get()
    assert (row.venue, row.is_up, row.asked_at) == (cast.venue(), True, cast.NOON)
    assert row.latency_ms == pytest.approx(20)
    assert row.offset_ms == pytest.approx(10)


@pytest.mark.parametrize(
    "said", [NotSent("no route", cause=Cause.TEMPORARY), OSError("no route"), TimeoutError()]
)
def test_one_that_cannot_be_reached_is_down_and_says_why(ask, said):
    cast.venue()
    ask(said)

    assert check_health(now=cast.NOON) == 0

    row = VenueHealth.objects.get()
    assert not row.is_up
    assert row.words
    assert row.latency_ms is None


def test_since_when_it_is_so_is_kept():
    for minute, is_up in enumerate([True, True, False, False]):
        write_down(cast.venue(), answer(is_up=is_up), now=cast.NOON + timedelta(minutes=minute))

    assert VenueHealth.objects.get().since == cast.NOON + timedelta(minutes=2)


@pytest.mark.parametrize("offset", [FAR_MS / 1000 + 0.1, -FAR_MS / 1000 - 0.1])
def test_a_clock_that_is_far_off_is_told_once_and_once_when_it_is_right_again(offset, journal):
    for seconds in (0.0, offset, offset, 0.0, 0.0):
        write_down(cast.venue(), answer(offset=seconds), now=cast.NOON)

    assert told(journal) == ["attention", "info"]


def test_a_venue_that_is_away_says_nothing_about_its_clock(journal):
    write_down(cast.venue(), answer(offset=5.0), now=cast.NOON)
    write_down(cast.venue(), answer(is_up=False), now=cast.NOON)

    assert told(journal) == ["attention"]
    assert VenueHealth.objects.get().is_offset_told
