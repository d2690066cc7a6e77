"""Asks each venue what it lists, and names the symbols an account may have traded."""

from __future__ import annotations

import logging
from datetime import datetime

from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues.adapters.registry import ADAPTERS
from venues.interface.client import ListsInstruments
from venues.interface.errors import Cause, NotSent, Unsupported, VenueError
from venues.interface.types import Instrument
from venues.models import Account, Venue, VenueSymbol
from venues.services import bridge
from venues.services.clients import CALL_TIMEOUT, open_public_client
from venues.services.listings import follow

log = logging.getLogger(__name__)


def sync_instruments(*, now: datetime) -> int:
    """Ask every venue that is switched on; one that is away is tried again next time."""
    changed = 0
    for venue in Venue.objects.filter(is_enabled=True):
        try:
            changed += follow(venue, _read(venue), now=now)
        except (VenueError, TimeoutError) as error:
            log.warning("instruments of %s not synced: %s", venue, error)
            tell(
                "instruments.not_synced",
                f"The instruments of {venue} could not be read: {error}",
                severity=Severity.ATTENTION,
                labels={"venue": venue.slug},
            )
    return changed


def _read(venue: Venue) -> tuple[Instrument, ...]:
    found = bridge.run(_fetch(venue), timeout=CALL_TIMEOUT)
    if not found:
        message = "It lists nothing at all, which is not taken for the end of everything."
        raise NotSent(message, cause=Cause.TEMPORARY)
    return found


async def _fetch(venue: Venue) -> tuple[Instrument, ...]:
    client = open_public_client(venue)
    try:
        if not isinstance(client, ListsInstruments):
            message = f"{venue} does not list its instruments."
            raise Unsupported(message)
        return await client.get_instruments()
    finally:
        await client.aclose()


def traded_symbols(account: Account) -> tuple[str, ...]:
    """Name every symbol an account may have traded, whether or not it still means the same."""
    symbols = VenueSymbol.objects.filter(venue_id=account.venue_id)
    return tuple(symbols.order_by("symbol").values_list("symbol", flat=True).distinct())


def symbols_to_list(account: Account) -> tuple[str, ...]:
    """Name the symbols where the venue lists one at a time; elsewhere none, which lists them all."""
    capabilities = ADAPTERS[account.venue.adapter].capabilities
    return traded_symbols(account) if capabilities.lists_by_symbol else ()
