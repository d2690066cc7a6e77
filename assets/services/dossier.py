"""Everything the registry says about one asset at two moments, for its page.

What rests on claims is of both moments; the name, the kind and the rest of what it is are as they are
now, and their history stands below with who changed what and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from assets.explorers import page_of_address
from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Deployment,
    GroupMember,
    Identifier,
    QualityFlag,
)
from assets.services.deployments import subject_of
from assets.services.lookup import Beware, beware
from assets.services.obstacles import Obstacle, obstacles
from assets.services.resolution import Clocks
from cqops.platform.access.models import User
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services.inbox import visible
from cqops.platform.approvals.states import OPEN
from cqops.platform.audit.models import Entry
from cqops.platform.audit.trail import Line, side_by_side

HISTORY = 40
# Requests of the registry that wait at one time are few; past this the page of approvals has the rest.
WAITING = 200


@dataclass(frozen=True, slots=True)
class Home:
    """A contract, and where people look it up."""

    claim: Deployment
    explorer: str


@dataclass(frozen=True, slots=True)
class Name:
    """A ticker, and whether it was one at the moment that is asked about."""

    claim: Alias
    holds: bool


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the log, and the fields that it changed."""

    entry: Entry
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    asset: Asset
    names: tuple[Name, ...]
    homes: tuple[Home, ...]
    identifiers: tuple[Identifier, ...]
    members: tuple[GroupMember, ...]
    flags: tuple[QualityFlag, ...]
    past_flags: tuple[QualityFlag, ...]
    obstacles: tuple[Obstacle, ...]
    beware: tuple[Beware, ...]
    changes: tuple[Change, ...]


def dossier(asset: Asset, clocks: Clocks) -> Dossier:
    standing = _held(QualityFlag.objects, asset, clocks)
    now = timezone.now()
    return Dossier(
        asset=asset,
        names=_names(asset, clocks),
        homes=_homes(asset, clocks),
        identifiers=tuple(_held(Identifier.objects, asset, clocks).order_by("scheme", "value")),
        members=tuple(
            _held(GroupMember.objects, asset, clocks)
            .select_related("group")
            .order_by("group__canonical_symbol")
        ),
        flags=tuple(standing),
        past_flags=_past_flags(asset, clocks, {flag.pk for flag in standing}),
        obstacles=tuple(
            one for one in obstacles({asset.pk}, now=now) if one.flag.asset_id != asset.pk
        ),
        beware=beware([asset])[asset.pk],
        changes=tuple(
            Change(entry, _changed(entry, asset)) for entry in _entries(asset, clocks.known_at)
        ),
    )


def _held(rows: Any, asset: Asset, clocks: Clocks) -> Any:
    return rows.at(as_of=clocks.as_of, known_at=clocks.known_at).filter(asset=asset)


def _names(asset: Asset, clocks: Clocks) -> tuple[Name, ...]:
    """List the tickers of all times, as far as they were known; those of the moment first."""
    known = Alias.objects.filter(
        Q(superseded_at=None) | Q(superseded_at__gt=clocks.known_at),
        asset=asset,
        recorded_at__lte=clocks.known_at,
    )
    holding = set(_held(Alias.objects, asset, clocks).values_list("pk", flat=True))
    names = [Name(claim, claim.pk in holding) for claim in known]
    return tuple(
        sorted(names, key=lambda one: (not one.holds, not one.claim.is_primary, one.claim.ticker))
    )


def _homes(asset: Asset, clocks: Clocks) -> tuple[Home, ...]:
    rows = _held(Deployment.objects, asset, clocks).select_related("chain", "recorded_by")
    return tuple(
        Home(row, page_of_address(row.chain.family, row.chain.explorer_url, row.address))
        for row in rows.order_by("chain__name", "-is_canonical", "address_key")
    )


def _past_flags(asset: Asset, clocks: Clocks, standing: set[UUID]) -> tuple[QualityFlag, ...]:
    known = QualityFlag.objects.filter(asset=asset, raised_at__lte=clocks.known_at)
    return tuple(known.exclude(pk__in=standing).select_related("cleared_by"))


def _changed(entry: Entry, asset: Asset) -> tuple[Line, ...]:
    """Keep what changed; that it was said of this asset need not be told on its page."""
    itself = str(asset.pk)
    lines = (line for line in side_by_side(entry) if line.is_changed)
    return tuple(line for line in lines if itself not in (line.before, line.after))


def _entries(asset: Asset, until: datetime) -> list[Entry]:
    """Read what was written down about it, and about its part in groups, the newest first."""
    key = str(asset.pk)
    groups = asset.memberships.values_list("group", flat=True).distinct()
    of_groups = Entry.objects.filter(
        Q(before__asset=key) | Q(after__asset=key),
        subject_kind=AssetGroup._meta.label_lower,
        subject_id__in=[str(group) for group in groups],
    )
    of_itself = Entry.objects.filter(subject_kind=Asset._meta.label_lower, subject_id=key)
    found = [
        entry
        for rows in (of_itself, of_groups)
        for entry in rows.filter(at__lte=until).order_by("-pk")[:HISTORY]
    ]
    return sorted(found, key=lambda entry: -entry.pk)[:HISTORY]


def waiting_about(found: Dossier, *, by: User) -> list[Request]:
    """List the open requests about it, its contracts, its flags and its groups, as this person may see."""
    subjects = {
        *(str(flag.pk) for flag in found.flags),
        *(str(subject_of(one.claim.chain_id, one.claim.address)) for one in found.homes),
        *(str(one.group_id) for one in found.members),
    }
    open_now = visible(by).filter(kind__startswith="assets.", state__in=OPEN)[:WAITING]
    return [
        one
        for one in open_now
        if one.subject_id in subjects
        or one.instruction_texts.get("Asset id") == str(found.asset.pk)
    ]
