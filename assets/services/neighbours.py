"""What an asset is related to, at two moments: the graph its page draws and lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assets.graph import DEEPEST, Link
from assets.models import (
    BACKED_BY,
    Asset,
    QualityFlag,
    Relationship,
    RelationshipKind,
    Severity,
)
from assets.services.resolution import Clocks

MOST = 40
CARRIES = BACKED_BY | {RelationshipKind.SYNTHETIC_OF}


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The assets around one, how they stand to each other, and which are severely flagged.

    `is_cut` says that there are more than a picture holds.
    """

    assets: dict[UUID, Asset]
    claims: tuple[Relationship, ...]
    flagged: frozenset[UUID]
    is_cut: bool

    @property
    def links(self) -> list[Link[UUID]]:
        return [Link(one.asset_id, one.other_id, one.kind) for one in self.claims]


def neighbourhood(asset: Asset, clocks: Clocks) -> Neighbourhood:
    """Walk down to what it stands on and up to what stands on it, as far as the picture goes."""
    found: dict[UUID, Relationship] = {}
    assets = {asset.pk: asset}
    is_cut = False
    for near, far in (("asset", "other"), ("other", "asset")):
        front = {asset.pk}
        for _ in range(DEEPEST):
            step = _step(near, front, clocks, limit=MOST + 1)
            front = set()
            for claim in step:
                other: Asset = getattr(claim, far)
                if other.pk not in assets and len(assets) > MOST:
                    is_cut = True
                    continue
                if other.pk not in assets:
                    assets[other.pk] = other
                    front.add(other.pk)
                found[claim.pk] = claim
            is_cut = is_cut or len(step) > MOST
            if not front:
                break
    return Neighbourhood(assets, tuple(found.values()), _flagged(assets, clocks), is_cut)


def reached_by_a_flag(asset: Asset, clocks: Clocks) -> set[UUID]:
    """Name what a flag on it stands in the way of: itself, what stands on it, and what it wraps."""
    claims = neighbourhood(asset, clocks).claims
    found = {asset.pk}
    for _ in range(DEEPEST):
        found |= {one.asset_id for one in claims if one.other_id in found and one.kind in CARRIES}
    wraps = RelationshipKind.WRAPS
    return found | {
        one.other_id for one in claims if one.asset_id == asset.pk and one.kind == wraps
    }


def _step(near: str, front: set[UUID], clocks: Clocks, *, limit: int) -> list[Relationship]:
    held = Relationship.objects.at(as_of=clocks.as_of, known_at=clocks.known_at)
    there: Any = held.filter(**{f"{near}__in": front}).select_related("asset", "other")
    return list(there.order_by("kind", "asset__symbol", "other__symbol", "pk")[:limit])


def _flagged(assets: dict[UUID, Asset], clocks: Clocks) -> frozenset[UUID]:
    held = QualityFlag.objects.at(as_of=clocks.as_of, known_at=clocks.known_at)
    severe = held.filter(asset__in=assets, severity__gte=Severity.HIGH)
    return frozenset(severe.values_list("asset", flat=True))
