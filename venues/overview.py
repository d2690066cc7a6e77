from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import allowed_rows
from cqops.platform.overview import OverviewRow, Severity
from venues.models import Account, Credential, Maintenance, VenueSymbol
from venues.services.books import read_touches
from venues.services.interest import stakes
from venues.services.queue import waiting
from venues.services.standing import unknown_drift

SHOWN_AHEAD = timedelta(hours=24)
ENDS_SOON = timedelta(days=14)


def rows(user: User) -> list[OverviewRow]:
    """Name books that cannot be trusted, symbols that do not trade, accounts without a key."""
    if not may(user, Action.MARKET_VIEW):
        return []
    symbols = list(VenueSymbol.objects.current().select_related("venue", "listing"))
    touches = read_touches(symbols, now=timezone.now())
    stale = [symbol.symbol for symbol in symbols if not touches[symbol.key].is_trusted]
    halted = [symbol.symbol for symbol in symbols if not symbol.is_traded]
    in_use = Credential.objects.in_use().filter(account=OuterRef("pk"))
    keyless = Account.objects.filter(~Exists(in_use), is_enabled=True)
    found = [
        *_resting(),
        OverviewRow(
            title="What venues wrote that we do not know",
            detail="Somebody should look and mark it as known, or ask for a newer adapter.",
            url=reverse("venues"),
            severity=Severity.ATTENTION,
            count=unknown_drift(by=user),
        ),
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
    return [row for row in found if row.count] + unmapped_rows(user) + key_rows(user)


def unmapped_rows(user: User) -> list[OverviewRow]:
    """Count the symbols that wait to be mapped, for those who map them."""
    if not may(user, Action.REGISTRY_EDIT):
        return []
    found = waiting().filter(venue__is_enabled=True)
    count = found.count()
    if not count:
        return []
    at_stake = found.filter(stakes().condition).count()
    words = f"{at_stake} of them the desk holds, has open or trades." if at_stake else ""
    return [
        OverviewRow(
            title="Symbols that wait to be mapped",
            detail=words or "The desk has nothing at stake in any of them.",
            url=reverse("unmapped"),
            severity=Severity.ATTENTION if at_stake else Severity.INFO,
            count=count,
        )
    ]


def key_rows(user: User) -> list[OverviewRow]:
    """Name leaked keys that still work at their venue, keys that can withdraw, and keys that end."""
    keys = allowed_rows(
        user, Action.VENUE_VIEW, Credential.objects.select_related("account__venue")
    )
    soon = timezone.now() + ENDS_SOON
    leaked = keys.filter(leaked_at__isnull=False, revoked_at=None)
    held = keys.filter(activated_at__isnull=False, retired_at=None)
    rows = [
        (leaked, "A leaked key is not revoked at its venue", Severity.URGENT),
        (
            held.filter(can_transfer=True, may_transfer=False),
            "A key can withdraw, and nobody agreed to that",
            Severity.URGENT,
        ),
        (held.filter(ends_at__lte=soon), "A key ends soon", Severity.ATTENTION),
    ]
    return [
        OverviewRow(
            title=title,
            detail=f"{key.account}: {key.key_id}.",
            url=reverse("key", args=[key.pk]),
            severity=severity,
            count=1,
        )
        for found, title, severity in rows
        for key in found
    ]


def _resting() -> list[OverviewRow]:
    """Name the maintenance that goes on or begins within a day."""
    now = timezone.now()
    plans = Maintenance.objects.ahead().filter(starts_at__lt=now + SHOWN_AHEAD)
    return [
        OverviewRow(
            title=f"{plan.venue} rests"
            if plan.starts_at <= now
            else f"{plan.venue} is about to rest",
            detail=f"{plan.starts_at:%d %b %H:%M} to {plan.ends_at:%d %b %H:%M} UTC: {plan.note}",
            url=reverse("venue", args=[plan.venue.slug]),
            severity=Severity.ATTENTION if plan.starts_at <= now else Severity.INFO,
            count=1,
        )
        for plan in plans.select_related("venue")
    ]
