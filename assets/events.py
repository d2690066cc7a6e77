"""What the outside hears about the registry. Ids are ours; addresses are in the registry's spelling."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from cqops.platform.events.schemas import Schema
from cqops.platform.events.services import emit

if TYPE_CHECKING:
    from assets.models import (
        Asset,
        Chain,
        Deployment,
        ImportBatch,
        Merge,
        QualityFlag,
        Relationship,
    )

ASSET, CHAIN, REGISTRY, IMPORT = "asset", "chain", "registry", "import"


class AssetState(msgspec.Struct, frozen=True, kw_only=True):
    """An asset came into the registry, or changed; `version` grows by one with each change."""

    asset_id: UUID
    symbol: str
    name: str
    kind: str
    category: str
    version: int


class AssetDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """An asset was retired. It keeps its id, and what was said about it stays known."""

    asset_id: UUID
    symbol: str
    reason: str
    version: int


class DeploymentCreated(msgspec.Struct, frozen=True, kw_only=True):
    """An asset has a contract on a chain, with two people behind it. It may replace another claim."""

    deployment_id: UUID
    asset_id: UUID
    chain: str
    address: str
    decimals: int
    is_canonical: bool
    valid_from: datetime | None
    valid_to: datetime | None


class RelationshipEstablished(msgspec.Struct, frozen=True, kw_only=True):
    """An asset stands to another like this: `asset_id` wraps, stakes ... `other_id`."""

    relationship_id: UUID
    asset_id: UUID
    kind: str
    other_id: UUID
    ratio_rule: str
    ratio: Decimal | None
    valid_from: datetime | None


class FlagSet(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody raised a quality flag. Severity is 10 info, 20 low, 30 medium, 40 high, 50 critical."""

    flag_id: UUID
    asset_id: UUID
    kind: str
    severity: int
    source: str
    evidence_url: str


class FlagCleared(msgspec.Struct, frozen=True, kw_only=True):
    """A quality flag was cleared; of a high or critical one, two people agreed."""

    flag_id: UUID
    asset_id: UUID
    kind: str
    severity: int
    reason: str


class ChainRegistered(msgspec.Struct, frozen=True, kw_only=True):
    """A chain came into the registry."""

    chain: str
    name: str
    family: str


class AssetMerged(msgspec.Struct, frozen=True, kw_only=True):
    """Two people agreed that an asset is another one: it answers as `into_id` since then. Both ids go on."""

    merge_id: UUID
    asset_id: UUID
    into_id: UUID
    valid_from: datetime | None


class AssetSplit(msgspec.Struct, frozen=True, kw_only=True):
    """Two people agreed that it is not, and answers for itself again: from then on, or without one always."""

    merge_id: UUID
    asset_id: UUID
    into_id: UUID
    since: datetime | None


class DuplicatesFound(msgspec.Struct, frozen=True, kw_only=True):
    """A scan opened findings that somebody should look at: how many of each kind."""

    same_address: int
    near_address: int
    looks_alike: int
    same_symbol: int


class ListImported(msgspec.Struct, frozen=True, kw_only=True):
    """A list was applied to the registry, or what it brought was taken back, all of it at once.

    No event tells of each asset: whoever keeps a copy of the registry reads it again. `changed` counts names,
    tickers and contracts that a source corrected.
    """

    import_id: UUID
    source: str
    assets: int
    identifiers: int
    contracts: int
    changed: int


EVENTS = (
    Schema("asset.created", 1, ASSET, AssetState),
    Schema("asset.updated", 1, ASSET, AssetState),
    Schema("asset.deleted", 1, ASSET, AssetDeleted),
    Schema("asset.deployment_created", 1, ASSET, DeploymentCreated),
    Schema("asset.relationship_established", 1, ASSET, RelationshipEstablished),
    Schema("asset.flag_set", 1, ASSET, FlagSet),
    Schema("asset.flag_cleared", 1, ASSET, FlagCleared),
    Schema("asset.merged", 1, ASSET, AssetMerged),
    Schema("asset.split", 1, ASSET, AssetSplit),
    Schema("chain.registered", 1, CHAIN, ChainRegistered),
    Schema("registry.duplicates_found", 1, REGISTRY, DuplicatesFound),
    Schema("import.applied", 1, IMPORT, ListImported),
    Schema("import.undone", 1, IMPORT, ListImported),
)


def created(asset: Asset) -> None:
    _of_an_asset("asset.created", asset.pk, _state(asset))


def updated(asset: Asset) -> None:
    _of_an_asset("asset.updated", asset.pk, _state(asset))


def deleted(asset: Asset) -> None:
    payload = AssetDeleted(
        asset_id=asset.pk,
        symbol=asset.symbol,
        reason=asset.retired_reason,
        version=asset.version,
    )
    _of_an_asset("asset.deleted", asset.pk, payload)


def deployed(row: Deployment) -> None:
    payload = DeploymentCreated(
        deployment_id=row.pk,
        asset_id=row.asset_id,
        chain=row.chain_id,
        address=row.address,
        decimals=row.decimals,
        is_canonical=row.is_canonical,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
    _of_an_asset("asset.deployment_created", row.asset_id, payload)


def related(row: Relationship) -> None:
    payload = RelationshipEstablished(
        relationship_id=row.pk,
        asset_id=row.asset_id,
        kind=str(row.kind),
        other_id=row.other_id,
        ratio_rule=str(row.ratio_rule),
        ratio=row.ratio,
        valid_from=row.valid_from,
    )
    _of_an_asset("asset.relationship_established", row.asset_id, payload)


def flag_set(flag: QualityFlag) -> None:
    payload = FlagSet(
        flag_id=flag.pk,
        asset_id=flag.asset_id,
        kind=str(flag.kind),
        severity=int(flag.severity),
        source=flag.source,
        evidence_url=flag.evidence_url,
    )
    _of_an_asset("asset.flag_set", flag.asset_id, payload)


def flag_cleared(flag: QualityFlag) -> None:
    payload = FlagCleared(
        flag_id=flag.pk,
        asset_id=flag.asset_id,
        kind=str(flag.kind),
        severity=int(flag.severity),
        reason=flag.cleared_reason,
    )
    _of_an_asset("asset.flag_cleared", flag.asset_id, payload)


def merged(row: Merge) -> None:
    payload = AssetMerged(
        merge_id=row.pk, asset_id=row.asset_id, into_id=row.into_id, valid_from=row.valid_from
    )
    _of_an_asset("asset.merged", row.asset_id, payload)


def split(row: Merge, *, since: datetime | None) -> None:
    payload = AssetSplit(merge_id=row.pk, asset_id=row.asset_id, into_id=row.into_id, since=since)
    _of_an_asset("asset.split", row.asset_id, payload)


def duplicates_found(opened: dict[str, int]) -> None:
    emit(
        kind="registry.duplicates_found",
        version=1,
        aggregate=REGISTRY,
        aggregate_id="scan",
        payload=DuplicatesFound(**opened),
    )


def chain_registered(chain: Chain) -> None:
    payload = ChainRegistered(chain=chain.pk, name=chain.name, family=str(chain.family))
    emit(
        kind="chain.registered", version=1, aggregate=CHAIN, aggregate_id=chain.pk, payload=payload
    )


def imported(kind: str, batch: ImportBatch) -> None:
    done = batch.counts
    payload = ListImported(
        import_id=batch.pk,
        source=batch.source,
        assets=done.get("asset", 0),
        identifiers=done.get("identifier", 0),
        contracts=done.get("contract", 0),
        changed=sum(done.get(name, 0) for name in ("name", "ticker", "correction")),
    )
    emit(kind=kind, version=1, aggregate=IMPORT, aggregate_id=str(batch.pk), payload=payload)


def _state(asset: Asset) -> AssetState:
    return AssetState(
        asset_id=asset.pk,
        symbol=asset.symbol,
        name=asset.name,
        kind=str(asset.kind),
        category=asset.category,
        version=asset.version,
    )


def _of_an_asset(kind: str, asset_id: UUID, payload: msgspec.Struct) -> None:
    emit(kind=kind, version=1, aggregate=ASSET, aggregate_id=str(asset_id), payload=payload)
