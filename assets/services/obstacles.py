"""What stands in the way of trading an asset: severe flags of its own, of what it stands on, of what wraps it.

Assets that are merged are one: a flag on either stands in the way of both.

Read from the database at this moment and never from a cache, in one query where nothing stands: no stale
flag may let a trade through.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from assets.models import BACKED_BY, QualityFlag, RelationshipKind, Severity

# Following what it stands on to the ground: something wrapped is as broken as what is inside. What wraps
# it is one step: a desk holds the two for one another. To what answers as the same asset is no step at all.
_HOLDS = """
    superseded_at IS NULL AND recorded_at <= %(now)s
    AND (valid_from IS NULL OR valid_from <= %(now)s)
    AND (valid_to IS NULL OR valid_to > %(now)s)
"""
# Beside each row, so that only what is asked about is looked up, by its index: of a recursion PostgreSQL
# expects a thousand times what there is, and would read whole tables.
_FOUND = f"""
WITH RECURSIVE near (root, asset_id, way) AS (
    SELECT root, root, 'itself'::text FROM unnest(%(assets)s::uuid[]) AS root
    UNION
    SELECT near.root, step.other_id, step.way FROM near CROSS JOIN LATERAL (
        SELECT into_id AS other_id, near.way AS way FROM assets_merge
        WHERE asset_id = near.asset_id AND {_HOLDS}
        UNION ALL
        SELECT asset_id, near.way FROM assets_merge WHERE into_id = near.asset_id AND {_HOLDS}
        UNION ALL
        SELECT other_id, 'below'::text FROM assets_relationship
        WHERE near.way <> 'wrapping' AND asset_id = near.asset_id AND kind = ANY (%(down)s)
            AND {_HOLDS}
        UNION ALL
        SELECT asset_id, 'wrapping'::text FROM assets_relationship
        WHERE near.way = 'itself' AND other_id = near.asset_id AND kind = 'wraps' AND {_HOLDS}
    ) step
)
SELECT DISTINCT near.root, flag.id FROM near CROSS JOIN LATERAL (
    SELECT id FROM assets_qualityflag
    WHERE asset_id = near.asset_id AND cleared_at IS NULL AND severity >= %(least)s
        AND valid_from <= %(now)s AND (expires_at IS NULL OR expires_at > %(now)s)
    OFFSET 0
) flag
"""  # noqa: S608 -- put together here alone
_DOWN = sorted(kind.value for kind in BACKED_BY | {RelationshipKind.SYNTHETIC_OF})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A flag that stands in the way of an asset, which may be raised on a related one."""

    asset_id: UUID
    flag: QualityFlag

    @property
    def is_critical(self) -> bool:
        return self.flag.severity >= Severity.CRITICAL

    @property
    def words(self) -> str:
        """Name the asset it was raised on, what it is, who says so since when, and the evidence."""
        said = f"{self.flag.source}, {self.flag.raised_at:%Y-%m-%d}"
        return f"{self.flag.asset.label}: {self.flag} ({said}): {self.flag.evidence}"


def obstacles(
    assets: Collection[UUID], *, now: datetime, least: Severity = Severity.HIGH
) -> tuple[Obstacle, ...]:
    """List what stands against these assets, the gravest first."""
    values: dict[str, Any] = {
        "assets": list(assets),
        "now": now,
        "down": _DOWN,
        "least": int(least),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, values)
        pairs = cursor.fetchall()
    if not pairs:
        return ()
    flags = QualityFlag.objects.select_related("asset").in_bulk([key for _, key in pairs])
    found = [Obstacle(root, flags[key]) for root, key in pairs]
    return tuple(sorted(found, key=lambda one: (-one.flag.severity, one.flag.raised_at)))
