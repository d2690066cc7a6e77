from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.overview import OverviewRow, Severity
from venues.models import Account, Credential, SymbolStatus, VenueSymbol
from venues.services.books import read_touches


def rows(user: User) -> list[OverviewRow]:
    """Name books that cannot be trusted, symbols that do not trade, accounts without a key."""
    if not may(user, Action.MARKET_VIEW):
        return []
    symbols = list(VenueSymbol.objects.current().select_related("venue"))
    touches = read_touches(symbols, now=timezone.now())
    stale = [symbol.symbol for symbol in symbols if not touches[symbol.key].is_trusted]
    halted = [symbol.symbol for symbol in symbols if symbol.status != SymbolStatus.TRADABLE]
    in_use = Credential.objects.in_use().filter(account=OuterRef("pk"))
    keyless = Account.objects.filter(~Exists(in_use), is_enabled=True)
    found = [
        OverviewRow(
            title="Books that price nothing now",
            detail=f"Stale, syncing or away: {', '.join(stale)}.",
            url=reverse("markets"),
            severity=Severity.URGENT,
            count=len(stale),
        ),
        OverviewRow(
            title="Symbols that do not trade",
            detail=f"Halted or suspended: {', '.join(halted)}.",
            url=reverse("markets"),
            severity=Severity.ATTENTION,
            count=len(halted),
        ),
        OverviewRow(
            title="Accounts without a key",
            detail="They cannot trade, and their fills are not read.",
            url=reverse("admin:venues_account_changelist"),
            severity=Severity.ATTENTION,
            count=keyless.count(),
        ),
    ]
    return [row for row in found if row.count]
