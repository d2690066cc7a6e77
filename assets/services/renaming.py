"""Tickers are dated aliases: an asset is renamed from a moment on, and the ticker may be used again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from assets import events
from assets.errors import Conflict, Unfounded
from assets.models import Alias, Asset
from assets.services.claims import changed, end_claim, ended, recorded, said, telling
from assets.services.holding import held, in_use, locked, next_version
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record


@transaction.atomic
def rename(  # noqa: PLR0913 -- what, to what, since when, and why
    *,
    asset_id: UUID,
    ticker: str,
    since: datetime,
    reason: str,
    by: User,
    source: str = "",
    expected_version: int | None = None,
) -> Asset:
    """Give an asset another ticker from a moment on, now or in the past; the old one ends there."""
    demand(by, Action.REGISTRY_EDIT, {})
    _refuse_baseless(since, reason)
    locked(Asset, asset_id, expected_version)
    asset = in_use(asset_id)
    before = asset.symbol
    retitle(asset, ticker=ticker, since=since, by=by, source=source or by.name)
    now = timezone.now()
    current = Alias.objects.at(as_of=now, known_at=now).get(asset=asset, is_primary=True)
    asset.symbol = current.ticker
    next_version(asset)
    record(
        action="asset.renamed",
        subject=asset,
        before={"symbol": before},
        after={"symbol": asset.symbol, "since": since},
        reason=reason,
        by=by,
    )
    events.updated(asset)
    return asset


def retitle(asset: Asset, *, ticker: str, since: datetime, by: User | None, source: str) -> Alias:
    """Record the claims of a renaming for an asset whose row is held."""
    ticker = ticker.strip()
    same = Alias.objects.known().filter(asset=asset, is_primary=False, ticker__iexact=ticker)
    for alias in same.exclude(valid_to__lte=since):
        # It was another name of it beside the first; from here on it is the first.
        ended(alias, at=since, by=by, source=source)
    words = {
        "alias_said_once": f"{asset.label} has the ticker {ticker} at that time already.",
        "one_primary_alias_an_asset": f"{asset.label} has a first ticker from a later time on.",
    }
    with telling(words):
        now = timezone.now()
        present: Alias | None = (
            Alias.objects.at(as_of=since, known_at=now).filter(asset=asset, is_primary=True).first()
        )
        if present is None:
            alias = Alias(
                asset=asset, ticker=ticker, is_primary=True, valid_from=since, source=source
            )
            return recorded(alias, by=by)
        return changed(present, since=since, changes={"ticker": ticker}, by=by, source=source)


@transaction.atomic
def add_alias(  # noqa: PLR0913 -- a claim is all of this
    *,
    asset_id: UUID,
    ticker: str,
    source: str,
    by: User,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    reason: str = "",
) -> Alias:
    """Say that an asset goes by a further ticker, as BTC does by XBT."""
    demand(by, Action.REGISTRY_EDIT, {})
    asset = in_use(asset_id)
    alias = Alias(
        asset=asset,
        ticker=ticker.strip(),
        source=source,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    words = {
        "alias_said_once": f"{asset.label} has the ticker {alias.ticker} at that time already."
    }
    with telling(words):
        recorded(alias, by=by)
    record(action="alias.recorded", subject=asset, after=said(alias), reason=reason, by=by)
    return alias


@transaction.atomic
def end_alias(*, alias: Alias, at: datetime, reason: str, by: User) -> Alias | None:
    """Let a further ticker end; the one the desk uses is renamed instead."""
    demand(by, Action.REGISTRY_EDIT, {})
    _refuse_baseless(at, reason)
    asset = held(alias.asset_id)
    if alias.is_primary:
        message = f"{alias.ticker} is what the desk calls {asset.label}. Rename it instead."
        raise Conflict(message, alias)
    return end_claim(alias, action="alias.ended", subject=asset, at=at, reason=reason, by=by)


def _refuse_baseless(since: datetime, reason: str) -> None:
    if since > timezone.now():
        message = "Record it once it has happened: nobody knows what a day to come will bring."
        raise ValidationError({"since": message})
    if not reason.strip():
        message = "Say why: whoever reads the history later asks."
        raise Unfounded(message)
