"""Asks each venue once in a while whether it answers, how fast, and how far its clock is from ours.

Beat has this done by a worker, because an order leaves from there: what the feeds see of a venue
(`venues.services.reach`) says nothing about the way from a worker to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues.interface.errors import VenueError
from venues.interface.types import Health
from venues.models import Venue, VenueHealth
from venues.services import bridge
from venues.services.clients import open_public_client

PATIENCE = 5.0
# Signed requests are refused by most venues from thirty seconds, by some from five or one.
FAR_MS = 1_000.0


def check_health(*, now: datetime) -> int:
    """Ask every venue that is switched on, all at once; say how many answered."""
    venues = list(Venue.objects.filter(is_enabled=True).order_by("slug"))
    answers = bridge.run(_ask_all(venues), timeout=PATIENCE * 2)
    for venue, answer in zip(venues, answers, strict=True):
        write_down(venue, answer, now=now)
    return sum(answer.is_up for answer in answers)


async def _ask_all(venues: Sequence[Venue]) -> list[Health]:
    return await asyncio.gather(*(_ask(venue) for venue in venues))


async def _ask(venue: Venue) -> Health:
    try:
        async with asyncio.timeout(PATIENCE):
            client = open_public_client(venue)
            try:
                return await client.health()
            finally:
                await client.aclose()
    except (VenueError, TimeoutError, OSError) as error:
        words = str(error) or f"no answer within {PATIENCE:.0f} s"
        return Health(
            is_up=False, latency_seconds=PATIENCE, clock_offset_seconds=None, message=words
        )


@transaction.atomic
def write_down(venue: Venue, answer: Health, *, now: datetime) -> VenueHealth:
    """Keep what it answered; a clock that is far off is told once, and once when it is right again."""
    offset = answer.clock_offset_seconds
    offset_ms = None if offset is None else offset * 1000
    row, is_new = VenueHealth.objects.select_for_update().get_or_create(
        venue=venue, defaults={"asked_at": now, "is_up": answer.is_up, "since": now}
    )
    if not is_new and row.is_up != answer.is_up:
        row.since = now
    row.asked_at, row.is_up, row.words = now, answer.is_up, answer.message[:300]
    row.latency_ms = answer.latency_seconds * 1000 if answer.is_up else None
    row.offset_ms = offset_ms
    if offset_ms is not None and (is_far := abs(offset_ms) > FAR_MS) != row.is_offset_told:
        row.is_offset_told = is_far
        _tell_clock(venue, offset_ms, is_far=is_far)
    row.save()
    return row


def _tell_clock(venue: Venue, offset_ms: float, *, is_far: bool) -> None:
    labels = {"venue": venue.slug}
    if not is_far:
        tell("venue.clock", f"The clocks of {venue} and of this desk agree again.", labels=labels)
        return
    ahead = "ahead of" if offset_ms > 0 else "behind"
    words = f"The clock of {venue} is {abs(offset_ms) / 1000:.1f} s {ahead} ours."
    tell("venue.clock", words, severity=Severity.ATTENTION, labels=labels)
