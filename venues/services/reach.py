"""Asks every venue whether it answers, all at once, and writes down what came of it.

Only the process that follows market data does this: pages and the status page read what was written,
so a venue that hangs holds up nobody who looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from cqops.platform.telemetry.sights import saw
from venues.interface.errors import VenueError
from venues.models import Venue
from venues.services.clients import open_public_client
from venues.services.status import SIMULATOR, sight_of

T = TypeVar("T")
PATIENCE = 3.0
SERVER_ERRORS = 500


async def look() -> None:
    """Ask each venue once, and in a simulated installation the simulator itself."""
    venues = await database_sync_to_async(_switched_on)()
    answers = await asyncio.gather(*(_in_time(_venue_answers, venue) for venue in venues))
    for venue, is_up in zip(venues, answers, strict=True):
        await database_sync_to_async(_write_down)(sight_of(venue), venue.name, is_up)
    if settings.IS_SIMULATED:
        is_up = await _in_time(_address_answers, settings.SIMULATOR_URL)
        await database_sync_to_async(_write_down)(SIMULATOR, "The simulator", is_up)


def _switched_on() -> list[Venue]:
    return list(Venue.objects.filter(is_enabled=True).order_by("slug"))


async def _in_time(ask: Callable[[T], Awaitable[bool]], whom: T) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask(whom)
    except (VenueError, TimeoutError, OSError, httpx.HTTPError):
        return False


async def _venue_answers(venue: Venue) -> bool:
    client = open_public_client(venue)
    try:
        return (await client.health()).is_up
    finally:
        await client.aclose()


async def _address_answers(url: str) -> bool:
    """Tell whether a server answers there at all; that it knows no such page is an answer."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).status_code < SERVER_ERRORS


def _write_down(sight: str, name: str, is_up: bool) -> None:
    if not saw(sight, is_up=is_up, now=timezone.now()):
        return
    kind, _, slug = sight.partition(":")
    labels = {kind: slug} if slug else {}
    if is_up:
        tell(f"{kind}.back", f"{name} answers again.", labels=labels)
    else:
        words = f"{name} does not answer any more."
        tell(f"{kind}.away", words, severity=Severity.URGENT, labels=labels)
