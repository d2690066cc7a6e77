"""Which asset answers as which, on both clocks. Whoever asks about several assets asks once for all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from assets.errors import Merged
from assets.models import Asset, Merge


def merged(assets: Collection[UUID], *, as_of: datetime, known_at: datetime) -> dict[UUID, Merge]:
    """Find those of these assets that answer as another one, and by which merge."""
    if not assets:
        return {}
    found = Merge.objects.at(as_of=as_of, known_at=known_at).filter(asset__in=assets)
    return {row.asset_id: row for row in found.select_related("asset", "into")}


def merged_here(
    assets: Collection[UUID], *, as_of: datetime, known_at: datetime
) -> dict[UUID, UUID]:
    """Find what answers as one of these, and as which."""
    found = Merge.objects.at(as_of=as_of, known_at=known_at).filter(into__in=assets)
    return dict(found.values_list("asset_id", "into_id"))


def standing_merge(asset_id: UUID) -> Merge | None:
    """Read by what an asset answers as another one now."""
    now = timezone.now()
    return merged({asset_id}, as_of=now, known_at=now).get(asset_id)


def alike(asset_id: UUID, *, now: datetime) -> set[UUID]:
    """List all that is one asset with this one, itself too."""
    ways = Merge.objects.at(as_of=now, known_at=now)
    head = ways.filter(asset=asset_id).values_list("into_id", flat=True).first() or asset_id
    return {head, *ways.filter(into=head).values_list("asset_id", flat=True)}


def refuse_tied(asset: Asset) -> None:
    """Keep in use what answers as another, or is answered as: its names would mean nothing."""
    now = timezone.now()
    ways = Merge.objects.at(as_of=now, known_at=now).filter(Q(asset=asset) | Q(into=asset))
    merge = ways.select_related("asset", "into").first()
    if merge is not None:
        message = f"{merge}: the two are split before one of them is retired."
        raise Merged(message)
