"""What follows an asset that is merged, what stays with the other one, and what stands in the way.

Nothing is moved in the tables: it is read through the merge. So this is what people read before they agree,
and what the instruction binds: a contract that comes in meanwhile voids the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from assets.models import (
    ACYCLIC,
    Alias,
    Asset,
    Deployment,
    GroupMember,
    Identifier,
    Merge,
    Relationship,
)
from assets.models.claims import ClaimQuerySet
from assets.services.answering import alike

SHOWN = 20
NOTHING = "nothing"
BETWEEN = "; "


def _contract(row: Any) -> str:
    return f"{row.chain_id}: {row.address} ({row.decimals} decimals)"


def _member(row: Any) -> str:
    counted = [
        name for name, is_so in (("risk", row.is_for_risk), ("PnL", row.is_for_pnl)) if is_so
    ]
    return f"{row.group}{' for ' + ' and '.join(counted) if counted else ''}"


_KINDS: tuple[tuple[str, ClaimQuerySet, Callable[[Any], str]], ...] = (
    ("Contracts", Deployment.objects.all(), _contract),
    ("Ids", Identifier.objects.all(), str),
    ("Tickers", Alias.objects.all(), str),
    ("Groups", GroupMember.objects.select_related("group"), _member),
    ("Relationships", Relationship.objects.select_related("asset", "other"), str),
)


def belongings(asset_id: UUID) -> dict[str, str]:
    """List all that is said of an asset and not over, by what it is."""
    return {label: _told(_of(rows, asset_id), say) for label, rows, say in _KINDS}


def added(asset_id: UUID, *, since: datetime) -> dict[str, str]:
    """List what was said of an asset after a moment and stands: it stays there whatever is split."""
    found = {
        label: _told(_of(rows, asset_id).filter(recorded_at__gt=since), say)
        for label, rows, say in _KINDS
    }
    return {label: words for label, words in found.items() if words != NOTHING}


def _of(rows: ClaimQuerySet, asset_id: UUID) -> ClaimQuerySet:
    mine = Q(asset=asset_id)
    if rows.model is Relationship:
        mine |= Q(other=asset_id)
    return _not_over(rows.filter(mine)).order_by("recorded_at", "pk")


def _not_over(rows: ClaimQuerySet, since: datetime | None = None) -> ClaimQuerySet:
    return rows.known().filter(Q(valid_to=None) | Q(valid_to__gt=since or timezone.now()))


def _told(rows: Iterable[Any], say: Callable[[Any], str]) -> str:
    found = [say(row) for row in rows]
    rest = len(found) - SHOWN
    more = [f"and {rest} more"] if rest > 0 else []
    return BETWEEN.join([*found[:SHOWN], *more]) or NOTHING


def objections(one: Asset, other: Asset, *, since: datetime | None) -> list[str]:
    """Say in words why an asset cannot be merged into another one."""
    if one.pk == other.pk:
        return ["An asset is itself already: choose another one."]
    return [
        *_of_merges(one, other, since),
        *_of_relations(one, other),
        *_of_claims(one, other, since),
    ]


def _of_merges(one: Asset, other: Asset, since: datetime | None) -> list[str]:
    stands = _not_over(Merge.objects.select_related("asset", "into"), since)
    found = [
        f"{row}: split the two first."
        for row in stands.filter(Q(asset=one) | Q(into=one)).order_by("recorded_at")
    ]
    return found + [
        f"{row}: merge into {row.into.label} itself." for row in stands.filter(asset=other)
    ]


def _of_relations(one: Asset, other: Asset) -> list[str]:
    between = Q(asset=one, other=other) | Q(asset=other, other=one)
    rows = _not_over(Relationship.objects.filter(between).select_related("asset", "other"))
    direct = [f"{row}: what comes from an asset is not that asset." for row in rows]
    if direct or not _goes_round(one.pk, other.pk):
        return direct
    return [
        f"{one.label} and {other.label} come from each other through others: it would go round."
    ]


def _goes_round(one: UUID, other: UUID) -> bool:
    with connection.cursor() as cursor:
        for kinds in ACYCLIC:
            names = sorted(kind.value for kind in kinds)
            cursor.execute(
                "SELECT assets_reaches(%(one)s, %(other)s, %(kinds)s)"
                " OR assets_reaches(%(other)s, %(one)s, %(kinds)s)",
                {"one": one, "other": other, "kinds": names},
            )
            row = cursor.fetchone()
            if row and row[0]:
                return True
    return False


def _of_claims(one: Asset, other: Asset, since: datetime | None) -> list[str]:
    """Find what only one of them may have, and both do."""
    there = alike(other.pk, now=timezone.now())
    mine = _not_over(Deployment.objects.filter(asset=one, is_canonical=True), since)
    theirs = _not_over(Deployment.objects.filter(asset__in=there, is_canonical=True), since)
    found = [
        f"Both have a canonical contract on {row.chain}: correct one of them first."
        for row in mine.filter(chain__in=theirs.values("chain")).select_related("chain")
    ]
    for field, what in (("is_for_risk", "risk"), ("is_for_pnl", "PnL")):
        of_one = _not_over(GroupMember.objects.filter(asset=one, **{field: True}), since)
        of_other = _not_over(GroupMember.objects.filter(asset__in=there, **{field: True}), since)
        found += [
            f"For {what} one counts in {row.group} and the other elsewhere: agree on one group first."
            for row in of_one.exclude(group__in=of_other.values("group")).select_related("group")
            if of_other.exists()
        ]
    return found
