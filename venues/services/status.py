"""Whether the venues answer, for the status page."""

from __future__ import annotations

from venues.interface.errors import VenueError
from venues.models import Venue
from venues.services import bridge
from venues.services.clients import open_public_client

PATIENCE = 3.0


def reachable() -> tuple[bool, str]:
    """Ask each venue for its health; name those that do not answer."""
    away: list[str] = []
    up: list[str] = []
    for venue in Venue.objects.filter(is_enabled=True):
        (up if _answers(venue) else away).append(venue.name)
    if away:
        return False, f"no answer from {', '.join(away)}"
    return True, f"{', '.join(up) or 'no venue'} answer" + ("s" if len(up) == 1 else "")


def _answers(venue: Venue) -> bool:
    async def ask() -> bool:
        client = open_public_client(venue)
        try:
            return (await client.health()).is_up
        finally:
            await client.aclose()

    try:
        return bridge.run(ask(), timeout=PATIENCE)
    except (VenueError, TimeoutError):
        return False
