"""Keeps ticks, lots and status of the desk's symbols as the venue states them, and names them."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from cqops.platform.audit.services import Values, record_saved, stored
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
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
            words = f"The instruments of {venue} could not be read: {error}"
            tell("instruments.not_synced", words, severity=Severity.ATTENTION, labels=_about(venue))
    return changed


def _sync(venue: Venue) -> int:
    instruments = bridge.run(_fetch(venue), timeout=CALL_TIMEOUT)
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    changed = 0
    for symbol in VenueSymbol.objects.current().filter(venue=venue):
        found = by_symbol.get(symbol.symbol)
        if found is None:
            log.warning("%s no longer lists %s", venue, symbol.symbol)
            tell(
                "instrument.gone",
                f"{venue} no longer lists {symbol.symbol}.",
                severity=Severity.ATTENTION,
                labels=_about(venue, symbol),
            )
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


def _about(venue: Venue, symbol: VenueSymbol | None = None) -> dict[str, str]:
    return {"venue": venue.slug, **({"symbol": symbol.symbol} if symbol else {})}


@transaction.atomic
def _apply(symbol: VenueSymbol, found: Instrument) -> bool:
    """Take over steps and status, never what the symbol stands for; a desk's suspension stays.

    What changed stands in the audit log, and is told: an open order may not fit any more.
    """
    symbol = VenueSymbol.objects.select_for_update().get(pk=symbol.pk)
    if (found.base, found.quote) != (symbol.base.symbol, symbol.quote.symbol):
        log.error("%s now says %s/%s: suspended", symbol, found.base, found.quote)
        symbol.status = SymbolStatus.SUSPENDED
    elif symbol.status != SymbolStatus.SUSPENDED:
        symbol.status = SymbolStatus.TRADABLE if found.is_tradable else SymbolStatus.HALTED
    symbol.price_tick = found.price_tick
    symbol.quantity_step = found.quantity_step
    symbol.min_quantity = found.min_quantity
    symbol.min_notional = found.min_notional
    symbol.synced_at = timezone.now()
    old = stored(symbol)
    symbol.save()
    entry = record_saved(
        kind="symbol", old=old, new=symbol, fields=OF_A_SYMBOL, reason="The venue states it so."
    )
    if entry is None:
        return False
    _tell_changed(symbol, before=entry.before or {}, after=entry.after or {})
    return True


def _tell_changed(symbol: VenueSymbol, *, before: Values, after: Values) -> None:
    was = ", ".join(
        f"{name.replace('_', ' ')} {before[name]} is now {after[name]}" for name in sorted(after)
    )
    is_urgent = after.get("status") == SymbolStatus.SUSPENDED
    tell(
        "instrument.changed",
        f"{symbol.venue} changed {symbol.symbol}: {was}.",
        severity=Severity.URGENT if is_urgent else Severity.ATTENTION,
        labels=_about(symbol.venue, symbol),
    )


def traded_symbols(account: Account) -> tuple[str, ...]:
    """Name every symbol an account may have traded, whether or not it still means the same."""
    symbols = VenueSymbol.objects.filter(venue_id=account.venue_id)
    return tuple(symbols.order_by("symbol").values_list("symbol", flat=True).distinct())


def symbols_to_list(account: Account) -> tuple[str, ...]:
    """Name the symbols where the venue lists one at a time; elsewhere none, which lists them all."""
    capabilities = ADAPTERS[account.venue.adapter].capabilities
    return traded_symbols(account) if capabilities.lists_by_symbol else ()
