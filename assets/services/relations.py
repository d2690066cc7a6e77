"""How assets stand to each other. PostgreSQL itself refuses a circle, also of two that commit at once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from assets import events
from assets.errors import GoesRound, Unfounded
from assets.models import RatioRule, Relationship, RelationshipKind
from assets.services.claims import constraint_of, end_claim, recorded, said, telling
from assets.services.holding import demand_edit, held, in_use
from cqops.platform.access.models import User
from cqops.platform.audit.services import record

ROUND = "relationship_goes_round"
LOOP = "relationship_is_no_loop"


@transaction.atomic
def relate(  # noqa: PLR0913 -- a claim is all of this
    *,
    asset_id: UUID,
    kind: RelationshipKind | str,
    other_id: UUID,
    source: str,
    by: User | None,
    evidence: str = "",
    ratio_rule: RatioRule | str = RatioRule.NONE,
    ratio: Decimal | None = None,
    rate_source: str = "",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    reason: str = "",
) -> Relationship:
    """Say that an asset wraps, stakes, bridges, migrated to or tracks another one."""
    demand_edit(by)
    # The lower id first, so that two who relate the same pair the other way round do not lock crosswise.
    held = {key: in_use(key) for key in sorted({asset_id, other_id}, key=str)}
    claim = Relationship(
        asset=held[asset_id],
        kind=kind,
        other=held[other_id],
        source=source,
        evidence=evidence,
        ratio_rule=ratio_rule,
        ratio=ratio,
        rate_source=rate_source,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    words = {
        "relationship_said_once": f"{claim} is known for that time already.",
        "relationship_ratio_fits_its_rule": (
            "A fixed ratio is a number above zero, a published rate names its source, and without a"
            " ratio neither is given."
        ),
    }
    try:
        with telling(words):
            recorded(claim, by=by)
    except IntegrityError as error:
        if constraint_of(error) not in {ROUND, LOOP}:
            raise
        message = f"{claim} would go round in a circle: {claim.other} comes from {claim.asset}."
        raise GoesRound(message) from error
    record(
        action="relationship.recorded",
        subject=claim.asset,
        after=said(claim),
        reason=reason,
        by=by,
    )
    events.related(claim)
    return claim


@transaction.atomic
def end_relationship(
    *, relationship: Relationship, at: datetime, reason: str, by: User
) -> Relationship | None:
    demand_edit(by)
    if not reason.strip():
        message = "Say why it ends: prices and limits may rest on it."
        raise Unfounded(message)
    asset = held(relationship.asset_id)
    return end_claim(
        relationship, action="relationship.ended", subject=asset, at=at, reason=reason, by=by
    )
