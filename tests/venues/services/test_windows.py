"""The market around an order: cut when its time is over, and the first thing to go when space is short."""

from datetime import timedelta

import pytest

from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues.marketdata.ring import Ring
from venues.models import ArchiveDay, MarketWindow, RawFrame, WindowState
from venues.services.archiving import Archive
from venues.services.spool import Spool
from venues.services.windows import (
    AFTER,
    BEFORE,
    GIVEN_UP_AFTER,
    Rings,
    cut_windows,
    give_up,
    watch_room,
)
from venues.transport.tap import Direction, Kind, Raw

pytestmark = pytest.mark.django_db
NOW = cast.NOON
PLENTY = 10**15


def public(seconds, symbol="BTC-USD"):
    return Raw(
        direction=Direction.RECEIVED,
        kind=Kind.FRAME,
        at=NOW.timestamp() + seconds,
        body=f'{{"product_id":"{symbol}"}}'.encode(),
        operation="level2",
    )


@pytest.fixture
def ring():
    began = NOW - timedelta(minutes=2)
    return Ring(seconds=300, most_bytes=10**6, wall=began.timestamp)


@pytest.fixture
def rings(ring):
    made = Rings()
    made["venue"] = ring
    return made


def wanted(symbol="BTC-USD", venue="venue"):
    return MarketWindow.objects.create(venue=venue, symbol=symbol, reference="Desk-1", around=NOW)


def told(journal):
    journal.flush(is_end=True)
    return list(OpsEvent.objects.order_by("pk").values_list("kind", "severity"))


def test_a_window_is_cut_once_its_time_is_over_and_found_by_its_order(ring, rings):
    wanted()
    for seconds in (-60, -BEFORE.seconds + 1, 0, AFTER.seconds - 1, AFTER.seconds + 1):
        ring.note(public(seconds))

    assert cut_windows(rings, now=NOW + AFTER - timedelta(seconds=1)) == 0
    assert cut_windows(rings, now=NOW + AFTER) == 1
    assert cut_windows(rings, now=NOW + AFTER) == 0

    window = MarketWindow.objects.get()
    assert (window.state, window.frames) == (WindowState.KEPT, 3)
    assert RawFrame.objects.filter(is_public=True, names=["desk-1"]).count() == 3
    assert ArchiveDay.objects.get().public_bytes == 3 * len('{"product_id":"BTC-USD"}')


def test_a_market_streamed_under_another_name_is_found_by_its_base_asset(ring, rings):
    wanted("BTC-USDC")
    ring.note(public(0, "BTC-USD"))
    ring.note(public(0, "ETH-USD"))

    cut_windows(rings, now=NOW + AFTER)

    assert MarketWindow.objects.get().frames == 1


def test_what_the_ring_no_longer_held_is_said(rings):
    rings["venue"] = Ring(seconds=300, most_bytes=10**6, wall=NOW.timestamp)
    rings["venue"].note(public(1))
    wanted()

    cut_windows(rings, now=NOW + AFTER)

    window = MarketWindow.objects.get()
    assert (window.state, window.words) == (WindowState.CUT, "the ring no longer held it")


def test_windows_of_venues_somebody_else_follows_are_left_to_them_and_then_given_up(rings, journal):
    wanted(venue="elsewhere")

    assert cut_windows(rings, now=NOW + AFTER) == 0
    assert give_up(now=NOW + GIVEN_UP_AFTER) == 0
    assert give_up(now=NOW + GIVEN_UP_AFTER + timedelta(seconds=1)) == 1

    assert MarketWindow.objects.get().state == WindowState.MISSED
    assert told(journal) == [("archive.window_missed", "attention")]


def test_a_disk_that_is_nearly_full_stops_the_rings_and_never_an_orders_record(
    ring, rings, settings, tmp_path, journal
):
    ring.note(public(0))
    wanted()

    watch_room(rings, now=NOW, free=lambda: settings.RAW_FREE_MB * 1024 * 1024 - 1)
    watch_room(rings, now=NOW, free=lambda: 0)
    ring.note(public(1))
    cut_windows(rings, now=NOW + AFTER)

    assert ring.bytes == 0
    window = MarketWindow.objects.get()
    assert (window.state, window.words) == (
        WindowState.MISSED,
        "the rings are stopped for want of space",
    )
    spool = Spool(tmp_path / "kept", most_bytes=1_000)
    archive = Archive(spool=spool)
    archive.tap("venue", None).note(public(2))
    assert archive.write_out() == 1, "what is private is written all the same"
    spool.close()

    watch_room(rings, now=NOW, free=lambda: PLENTY)
    ring.note(public(3))
    assert ring.bytes > 0
    assert told(journal) == [("archive.ring_stopped", "urgent"), ("archive.ring_back", "info")]


def test_too_much_public_data_on_one_day_stops_the_rings_until_the_next(ring, rings, settings):
    settings.RAW_PUBLIC_MB_A_DAY = 1
    ArchiveDay.objects.create(venue="venue", day=NOW.date(), public_bytes=1024 * 1024)

    watch_room(rings, now=NOW, free=lambda: PLENTY)
    assert ring.is_stopped

    watch_room(rings, now=NOW + timedelta(days=1), free=lambda: PLENTY)
    assert not ring.is_stopped
