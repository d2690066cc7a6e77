"""What holds now, and the next moment at which time alone changes that: an answer is kept until then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from assets.models import Claim
from assets.models.claims import ClaimQuerySet


def standing(rows: ClaimQuerySet, now: datetime) -> tuple[list[Any], datetime | None]:
    """Read the claims that hold now, of assets in use, and when that changes by itself, in one query."""
    found = (
        rows.filter(
            Q(superseded_at=None) | Q(superseded_at__gt=now),
            Q(valid_to=None) | Q(valid_to__gt=now),
            Q(asset__retired_at=None) | Q(asset__retired_at__gt=now),
        )
        .select_related("asset")
        .order_by("asset__symbol", "asset__name", "asset_id", "recorded_at")
    )
    claims = list(found)
    return [one for one in claims if _holds(one, now)], next_change(claims, now)


def coming(rows: ClaimQuerySet, now: datetime) -> datetime | None:
    """Return the next moment at which time alone changes one of these claims."""
    some = rows.filter(
        Q(superseded_at=None) | Q(superseded_at__gt=now),
        Q(valid_from__gt=now)
        | Q(valid_to__gt=now)
        | Q(recorded_at__gt=now)
        | Q(superseded_at__gt=now),
    )
    return next_change(some.order_by(), now)


def next_change(claims: Iterable[Claim], now: datetime) -> datetime | None:
    return soonest(
        now,
        *(
            moment
            for one in claims
            for moment in (one.recorded_at, one.superseded_at, one.valid_from, one.valid_to)
        ),
    )


def soonest(now: datetime, *moments: datetime | None) -> datetime | None:
    """Return the first of these moments that is still to come."""
    return min((one for one in moments if one is not None and one > now), default=None)


def _holds(claim: Claim, now: datetime) -> bool:
    is_true = claim.valid_from is None or claim.valid_from <= now
    return is_true and claim.recorded_at <= now
