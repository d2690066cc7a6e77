"""How assets and chains come into the registry, change, and are retired.

Of two people who edit the same version, the second is told (`Stale`), with how it stands now. The
ticker of an asset is a dated claim: changing the symbol of one renames it from now on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from assets import events
from assets.errors import Conflict, Retired, Unfounded
from assets.models import Alias, Asset, Chain
from assets.models.registered import Registered
from assets.services import renaming
from assets.services.answering import refuse_tied
from assets.services.claims import recorded, telling
from assets.services.holding import demand_edit, locked, next_version, refuse_retired
from cqops.platform.access.models import User
from cqops.platform.audit.services import record_saved, stored

OF_AN_ASSET = (
    *("symbol", "name", "kind", "category", "precision", "display_places", "metadata"),
    *("retired_at", "retired_reason"),
)
OF_A_CHAIN = (
    *("name", "family", "native_asset_id", "rpc_urls", "explorer_url", "metadata"),
    *("retired_at", "retired_reason"),
)
HERE = "the registry"


@transaction.atomic
def save_asset(*, asset: Asset, reason: str = "", by: User | None = None) -> Asset:
    """Validate and store a new or changed asset, from whichever door it came."""
    if stored(asset) is None:
        return create_asset(asset=asset, by=by)
    changes = {name: getattr(asset, name) for name in OF_AN_ASSET if not name.startswith("retired")}
    saved = update_asset(
        asset_id=asset.pk, expected_version=asset.version, changes=changes, reason=reason, by=by
    )
    asset.refresh_from_db()
    return saved


@transaction.atomic
def create_asset(
    *, asset: Asset, by: User | None = None, ticker_since: datetime | None = None
) -> Asset:
    """Bring a new asset in. Its symbol was its ticker always, unless it is told since when."""
    demand_edit(by)
    if ticker_since is not None and ticker_since > timezone.now():
        raise ValidationError({"symbol": "It has a ticker already by now, not from a day to come."})
    asset.version = 1
    asset.full_clean()
    asset.save(force_insert=True)
    alias = Alias(
        asset=asset,
        ticker=asset.symbol,
        is_primary=True,
        valid_from=ticker_since,
        source=_source(by),
    )
    recorded(alias, by=by)
    record_saved(kind="asset", old=None, new=asset, fields=_told(asset), by=by)
    events.created(asset)
    return asset


@transaction.atomic
def update_asset(
    *,
    asset_id: UUID,
    expected_version: int,
    changes: Mapping[str, Any],
    reason: str = "",
    by: User | None = None,
) -> Asset:
    """Change some of what an asset is, if nobody changed it meanwhile."""
    demand_edit(by)
    asset = locked(Asset, asset_id, expected_version)
    refuse_retired(asset)
    _only(changes, OF_AN_ASSET)
    old = stored(asset)
    for name, value in changes.items():
        setattr(asset, name, value)
    asset.full_clean()
    if not _differs(old, asset, changes):
        return asset
    if asset.symbol != old.symbol:
        renaming.retitle(
            asset, ticker=asset.symbol, since=timezone.now(), by=by, source=_source(by)
        )
    next_version(asset)
    record_saved(kind="asset", old=old, new=asset, fields=OF_AN_ASSET, reason=reason, by=by)
    events.updated(asset)
    return asset


@transaction.atomic
def retire_asset(*, asset_id: UUID, expected_version: int, reason: str, by: User) -> Asset:
    """Take an asset out of use. Its id and what was known of it keep answering for the past."""
    demand_edit(by)
    asset = locked(Asset, asset_id, expected_version)
    old = stored(asset)
    refuse_tied(asset)
    _retire(asset, reason)
    record_saved(kind="asset", old=old, new=asset, fields=OF_AN_ASSET, reason=reason, by=by)
    events.deleted(asset)
    return asset


@transaction.atomic
def register_chain(*, chain: Chain, by: User | None = None) -> Chain:
    demand_edit(by)
    chain.version = 1
    taken = {"assets_chain_pkey": f"There is a chain called {chain.pk} already."}
    try:
        chain.full_clean(validate_unique=False)
        with telling(taken):
            chain.save(force_insert=True)
    except Conflict as error:
        error.existing = Chain.objects.filter(pk=chain.pk).first()
        raise
    record_saved(kind="chain", old=None, new=chain, fields=OF_A_CHAIN, by=by)
    events.chain_registered(chain)
    return chain


@transaction.atomic
def save_chain(*, chain: Chain, reason: str = "", by: User | None = None) -> Chain:
    """Validate and store a new or changed chain, from whichever door it came."""
    if stored(chain) is None:
        return register_chain(chain=chain, by=by)
    changes = {name: getattr(chain, name) for name in OF_A_CHAIN if not name.startswith("retired")}
    return update_chain(
        chain_id=chain.pk, expected_version=chain.version, changes=changes, reason=reason, by=by
    )


@transaction.atomic
def update_chain(
    *,
    chain_id: str,
    expected_version: int,
    changes: Mapping[str, Any],
    reason: str = "",
    by: User | None = None,
) -> Chain:
    """Change some of what a chain is. Its family stays once an address was written by its rules."""
    demand_edit(by)
    chain = locked(Chain, chain_id, expected_version)
    refuse_retired(chain)
    _only(changes, OF_A_CHAIN)
    old = stored(chain)
    if changes.get("family", old.family) != old.family and chain.deployments.exists():
        message = "Addresses of this chain are written by the rules of its family, so it stays."
        raise ValidationError({"family": message})
    for name, value in changes.items():
        setattr(chain, name, value)
    chain.full_clean()
    if _differs(old, chain, changes):
        next_version(chain)
        record_saved(kind="chain", old=old, new=chain, fields=OF_A_CHAIN, reason=reason, by=by)
    return chain


@transaction.atomic
def retire_chain(*, chain_id: str, expected_version: int, reason: str, by: User) -> Chain:
    demand_edit(by)
    chain = locked(Chain, chain_id, expected_version)
    old = stored(chain)
    _retire(chain, reason)
    record_saved(kind="chain", old=old, new=chain, fields=OF_A_CHAIN, reason=reason, by=by)
    return chain


def _retire(row: Registered, reason: str) -> None:
    if row.is_retired:
        message = f"{row} was retired already: {row.retired_reason}"
        raise Retired(message)
    if not reason.strip():
        message = "Say why it is retired: whoever meets it later reads it."
        raise Unfounded(message)
    row.retired_at, row.retired_reason = timezone.now(), reason.strip()
    row.full_clean()
    next_version(row)


def _only(changes: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if strange := sorted(
        name for name in changes if name not in known or name.startswith("retired")
    ):
        message = f"These cannot be changed like this: {', '.join(strange)}."
        raise ValidationError(message)


def _differs(old: Registered, new: Registered, names: Mapping[str, Any]) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in names)


def _told(asset: Asset) -> tuple[str, ...]:
    """Leave out of a new asset's record what is empty."""
    return tuple(name for name in OF_AN_ASSET if getattr(asset, name) not in (None, "", {}))


def _source(by: User | None) -> str:
    return by.name if by else HERE
