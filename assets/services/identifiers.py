"""The ids an asset has in other systems: dated claims, each with its source and when it was last looked at."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from assets.errors import Conflict, Unfounded
from assets.models import Identifier, Scheme
from assets.services.claims import end_claim, recorded, said, telling
from assets.services.holding import demand_edit, held, hold, in_use
from cqops.platform.access.models import User
from cqops.platform.audit.services import record

TAKEN = "identifier_means_one_asset"
VENUE_CODE = re.compile(r"[a-z0-9_-]+:.+")


@transaction.atomic
def add_identifier(  # noqa: PLR0913 -- a claim is all of this
    *,
    asset_id: UUID,
    scheme: Scheme | str,
    value: str,
    source: str,
    by: User | None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    verified_at: datetime | None = None,
    reason: str = "",
) -> Identifier:
    """Say what an asset is called in another system, where that means nothing else yet."""
    demand_edit(by)
    value = value.strip()
    if scheme == Scheme.VENUE and not VENUE_CODE.fullmatch(value):
        message = "A code at a venue carries its short name, as in kraken:XXBT."
        raise ValidationError({"value": message})
    hold("identifier", scheme, value)
    asset = in_use(asset_id)
    claim = Identifier(
        asset=asset,
        scheme=scheme,
        value=value,
        source=source,
        valid_from=valid_from,
        valid_to=valid_to,
        last_verified_at=verified_at,
    )
    try:
        with telling({TAKEN: f"{scheme}:{value} means another asset at that time already."}):
            recorded(claim, by=by)
    except Conflict as error:
        error.existing = Identifier.objects.known().filter(scheme=scheme, value=value).first()
        raise
    record(action="identifier.recorded", subject=asset, after=said(claim), reason=reason, by=by)
    return claim


@transaction.atomic
def end_identifier(
    *, identifier: Identifier, at: datetime, reason: str, by: User
) -> Identifier | None:
    """Let an id mean this asset no longer, from a moment on."""
    demand_edit(by)
    if not reason.strip():
        message = "Say why the id ends: ids do change, and whoever follows one asks."
        raise Unfounded(message)
    asset = held(identifier.asset_id)
    return end_claim(
        identifier, action="identifier.ended", subject=asset, at=at, reason=reason, by=by
    )


def verified(*, identifier: Identifier, at: datetime | None = None) -> None:
    """Note that an id was looked at and is still right: what it says does not change."""
    identifier.last_verified_at = at or timezone.now()
    identifier.save(update_fields=["last_verified_at"])
