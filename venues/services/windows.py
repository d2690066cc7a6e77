"""Keeps the market around each order: cuts it from the ring of whoever follows that venue.

A window is cut once the ring reaches past its end. One whose beginning the ring no longer holds is kept in
part and says so. When the disk is nearly full, or public data took its share of the day, the rings stop;
what belongs to an order on the wire is written all the same.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues.marketdata.ring import Ring
from venues.models import ArchiveDay, MarketWindow, WindowState
from venues.services.archiving import MEGABYTE, public_frames, write_frames
from venues.services.readings import readings

BEFORE = timedelta(seconds=30)
AFTER = timedelta(seconds=30)
# What nobody cut by then, nobody will: the feeds were away.
GIVEN_UP_AFTER = timedelta(minutes=10)
AT_ONCE = 5
STOPPED = "the rings are stopped for want of space"
GONE = "the ring no longer held it"


class Rings(dict[str, Ring]):
    """The rings of this process, one a venue, and what is done about them every few seconds."""

    def of(self, venue: str) -> Ring:
        if venue not in self:
            self[venue] = Ring(
                seconds=60 * settings.RAW_RING_MINUTES,
                most_bytes=settings.RAW_RING_MB * MEGABYTE,
            )
        return self[venue]

    def round(self, *, now: datetime) -> int:
        for venue, ring in list(self.items()):
            for stream, at in list(ring.heard.items()):
                readings().say(venue, "stream", stream, at=at)
        watch_room(self, now=now)
        return cut_windows(self, now=now)


def free_bytes() -> int:
    """Tell the space left on the disk of this process; a database elsewhere has alarms of its own."""
    here = Path(settings.RAW_SPOOL_DIR)
    while not here.exists() and here != here.parent:
        here = here.parent
    return shutil.disk_usage(here).free


def why_no_room(*, now: datetime, free: Callable[[], int] = free_bytes) -> str:
    """Say why no public data is to be kept now; empty when there is room."""
    left = free()
    if left < settings.RAW_FREE_MB * MEGABYTE:
        return f"{left // MEGABYTE} MB are free here, less than RAW_FREE_MB"
    used = ArchiveDay.objects.filter(day=now.date()).aggregate(sum=Sum("public_bytes"))["sum"] or 0
    if used >= settings.RAW_PUBLIC_MB_A_DAY * MEGABYTE:
        return f"{used // MEGABYTE} MB were kept today, as many as RAW_PUBLIC_MB_A_DAY allows"
    return ""


def watch_room(
    rings: Mapping[str, Ring], *, now: datetime, free: Callable[[], int] = free_bytes
) -> None:
    """Stop every ring when there is no room, and let them go on when there is; told once each time."""
    why = why_no_room(now=now, free=free)
    changed = [ring for ring in rings.values() if ring.is_stopped != bool(why)]
    for ring in changed:
        if why:
            ring.stop()
        else:
            ring.go_on()
    if changed and why:
        words = f"Public market data is not kept any more: {why}. Private frames are."
        tell("archive.ring_stopped", words, severity=Severity.URGENT)
    elif changed:
        tell("archive.ring_back", "Public market data is kept around orders again.")


def cut_windows(rings: Mapping[str, Ring], *, now: datetime) -> int:
    """Cut the windows whose time is over; say how many were settled."""
    settled = 0
    with transaction.atomic():
        ready = MarketWindow.objects.select_for_update(skip_locked=True).filter(
            state=WindowState.WANTED, around__lte=now - AFTER, venue__in=list(rings)
        )
        for window in ready.order_by("around")[:AT_ONCE]:
            _cut(window, rings[window.venue], now=now)
            settled += 1
    return settled


def give_up(*, now: datetime) -> int:
    """Say of windows that nobody could cut that they are not kept."""
    late = MarketWindow.objects.filter(state=WindowState.WANTED, around__lt=now - GIVEN_UP_AFTER)
    count = late.update(state=WindowState.MISSED, words="nobody followed it", settled_at=now)
    if count:
        words = f"The market around {count} orders is not kept: nobody followed it."
        tell("archive.window_missed", words, severity=Severity.ATTENTION)
    return count


def _cut(window: MarketWindow, ring: Ring, *, now: datetime) -> None:
    since, until = (window.around - BEFORE).timestamp(), (window.around + AFTER).timestamp()
    found = ring.span(since, until, about=window.symbol)
    if not found.frames:
        # Some venues stream a market under another name; its base asset is named all the same.
        base = re.split(r"[^A-Za-z0-9]", window.symbol)[0]
        found = ring.span(since, until, about=base)
    frames = public_frames(found.frames, venue=window.venue, name=window.reference)
    write_frames(frames)
    window.frames, window.settled_at = len(frames), now
    if found.is_whole:
        window.state = WindowState.KEPT
    else:
        window.state = WindowState.CUT if frames else WindowState.MISSED
        window.words = STOPPED if ring.is_stopped else GONE
    window.save(update_fields=["frames", "settled_at", "state", "words"])
