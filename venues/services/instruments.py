"""Keeps ticks, lots and status of the desk's symbols as the venue states them, and names them."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from cqops.platform.audit.services import record_saved, stored
from venues.adapters.registry import ADAPTERS
from venues.interface.client import ListsInstruments
from venues.interface.errors import Unsupported, VenueError
from venues.interface.types import Instrument
from venues.models import Account, SymbolStatus, Venue, VenueSymbol
from venues.services import bridge
from venues.services.clients import CALL_TIMEOUT, open_public_client
from venues.services.registration import OF_A_SYMBOL

log = logging.getLogger(__name__)


def sync_instruments() -> int:
    """Ask every venue that is switched on; one that is away is tried again next time."""
    changed = 0
    for venue in Venue.objects.filter(is_enabled=True):
        try:
            changed += _sync(venue)
        except (VenueError, TimeoutError) as error:
            log.warning("instruments of %s not synced: %s", venue, error)
    return changed


def _sync(venue: Venue) -> int:
    instruments = bridge.run(_fetch(venue), timeout=CALL_TIMEOUT)
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    changed = 0
    for symbol in VenueSymbol.objects.current().filter(venue=venue):
        found = by_symbol.get(symbol.symbol)
        if found is None:
            log.warning("%s no longer lists %s", venue, symbol.symbol)
        else:
            changed += _apply(symbol, found)
    return changed


async def _fetch(venue: Venue) -> tuple[Instrument, ...]:
    client = open_public_client(venue)
    try:
        if not isinstance(client, ListsInstruments):
            message = f"{venue} does not list its instruments."
            raise Unsupported(message)
        return await client.get_instruments()
    finally:
        await client.aclose()


@transaction.atomic
def _apply(symbol: VenueSymbol, found: Instrument) -> bool:
    """Take over steps and status, never what the symbol stands for; a desk's suspension stays."""
    symbol = VenueSymbol.objects.select_for_update().get(pk=symbol.pk)
    if (found.base, found.quote) != (symbol.base.symbol, symbol.quote.symbol):
        log.error("%s now says %s/%s: suspended", symbol, found.base, found.quote)
        symbol.status = SymbolStatus.SUSPENDED
    elif symbol.status != SymbolStatus.SUSPENDED:
        symbol.status = SymbolStatus.TRADABLE if found.is_tradable else SymbolStatus.HALTED
    before = (symbol.price_tick, symbol.quantity_step, symbol.min_quantity, symbol.min_notional)
    symbol.price_tick = found.price_tick
    symbol.quantity_step = found.quantity_step
    symbol.min_quantity = found.min_quantity
    symbol.min_notional = found.min_notional
    symbol.synced_at = timezone.now()
    old = stored(symbol)
    symbol.save()
    record_saved(
        kind="symbol", old=old, new=symbol, fields=OF_A_SYMBOL, reason="The venue states it so."
    )
    return before != (found.price_tick, found.quantity_step, found.min_quantity, found.min_notional)


def traded_symbols(account: Account) -> tuple[str, ...]:
    """Name every symbol an account may have traded, whether or not it still means the same."""
    symbols = VenueSymbol.objects.filter(venue_id=account.venue_id)
    return tuple(symbols.order_by("symbol").values_list("symbol", flat=True).distinct())


def symbols_to_list(account: Account) -> tuple[str, ...]:
    """Name the symbols where the venue lists one at a time; elsewhere none, which lists them all."""
    capabilities = ADAPTERS[account.venue.adapter].capabilities
    return traded_symbols(account) if capabilities.lists_by_symbol else ()
