"""How assets come into the registry and change."""

from __future__ import annotations

from django.db import transaction

from assets.models import Asset
from cqops.platform.audit.services import record_saved, stored

RECORDED = ("symbol", "name", "kind", "display_places")


@transaction.atomic
def save_asset(*, asset: Asset) -> Asset:
    """Validate and store a new or changed asset, from whichever door it came."""
    asset.full_clean()
    old = stored(asset)
    asset.save()
    record_saved(kind="asset", old=old, new=asset, fields=RECORDED)
    return asset
