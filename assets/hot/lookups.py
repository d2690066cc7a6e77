"""The hottest look-ups of the registry, as frozen objects that are true now.

What a venue's symbol means is looked up by whoever keeps it (`venues.services.meaning`): `cache.kind` with
the areas "assets" and its own, and a trigger of `assets_tell` in a migration. An area that the database does
not tell of is never believed, so a kind whose migration is missing reads the database each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection

from assets.hot.kinds import Cache, Found
from assets.hot.listener import Listener
from assets.models import Asset, Deployment, GroupMember, Merge, Severity
from assets.services.obstacles import obstacles
from assets.services.resolution import (
    Candidate,
    Clocks,
    Resolution,
    by_symbol,
    concluded,
    question,
    tickers,
)
from assets.services.standing import coming, soonest, standing

HOUR = timedelta(hours=1)
cache = Cache(size=settings.REGISTRY_CACHE_ENTRIES)


class KnownAsset(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of an asset most often; also of a retired one."""

    id: UUID
    symbol: str
    name: str
    kind: str
    category: str
    precision: int | None
    display_places: int
    version: int
    retired_at: datetime | None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of a group, and what counts it there."""

    asset_id: UUID
    symbol: str
    name: str
    is_canonical: bool
    is_for_risk: bool
    is_for_pnl: bool


class CriticalFlag(msgspec.Struct, frozen=True, kw_only=True):
    """A critical flag that stands against an asset, which may be raised on a related one."""

    flag_id: UUID
    flagged_id: UUID
    kind: str
    words: str


def _asset(key: UUID, _: datetime) -> Found[KnownAsset]:
    row = Asset.objects.filter(pk=key).values(*KnownAsset.__struct_fields__).first()
    return Found(KnownAsset(**row) if row else None)


def meaning_of(key: tuple[str, str], now: datetime) -> Found[tuple[Candidate, ...]]:
    """Find the assets that go by a ticker, and on a chain those that live there, as `by_symbol` does."""
    symbol, chain = key
    found = by_symbol(symbol=symbol, chain=chain, as_of=now, known_at=now).candidates
    until = soonest(now, coming(tickers(symbol), now), coming(Merge.objects.all(), now))
    if chain:
        until = soonest(now, until, coming(Deployment.objects.filter(chain=chain), now))
    return Found(found, until)


def _members(key: UUID, now: datetime) -> Found[tuple[Member, ...]]:
    rows, until = standing(GroupMember.objects.filter(group=key), now)
    names = Member.__struct_fields__[3:]
    found = [
        Member(
            asset_id=row.asset_id,
            symbol=row.asset.symbol,
            name=row.asset.name,
            **{name: getattr(row, name) for name in names},
        )
        for row in sorted(rows, key=lambda row: (not row.is_canonical, row.asset.symbol))
    ]
    return Found(tuple(found), until)


# The next moment at which a flag, a relationship or a merge begins, or one of the latter ends.
_NEXT = """
SELECT min(moment) FROM (
    SELECT valid_from AS moment FROM assets_qualityflag WHERE cleared_at IS NULL
    UNION ALL SELECT valid_from FROM assets_relationship WHERE superseded_at IS NULL
    UNION ALL SELECT valid_to FROM assets_relationship WHERE superseded_at IS NULL
    UNION ALL SELECT valid_from FROM assets_merge WHERE superseded_at IS NULL
    UNION ALL SELECT valid_to FROM assets_merge WHERE superseded_at IS NULL
) coming WHERE moment > %s
"""


def _critical(key: UUID, now: datetime) -> Found[tuple[CriticalFlag, ...]]:
    found = [
        CriticalFlag(
            flag_id=one.flag.pk, flagged_id=one.flag.asset_id, kind=one.flag.kind, words=one.words
        )
        for one in obstacles([key], now=now, least=Severity.CRITICAL)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [now])
        until: datetime | None = cursor.fetchone()[0]
    return Found(tuple(found), until)


asset = cache.kind("asset", areas=["assets"], ttl=HOUR, read=_asset, shape=KnownAsset)
meaning = cache.kind(
    "symbol",
    areas=["assets", "names", "homes", "merges"],
    ttl=HOUR,
    read=meaning_of,
    shape=tuple[Candidate, ...],
)
members = cache.kind(
    "members",
    areas=["assets", "groups"],
    ttl=timedelta(minutes=30),
    read=_members,
    shape=tuple[Member, ...],
)
critical = cache.kind(
    "critical",
    areas=["assets", "flags", "relations", "merges"],
    ttl=timedelta(minutes=5),
    read=_critical,
    shape=tuple[CriticalFlag, ...],
)


def by_symbol_now(*, symbol: str, chain: str = "") -> Resolution:
    """Answer as `resolution.by_symbol` does about now."""
    found = meaning.get((symbol.strip().upper(), chain)) or ()
    return concluded(question(symbol, chain), found, Clocks.at(None, None))


def start() -> None:
    """Begin to hear what changes, in a process that asks often; elsewhere the database answers."""
    if cache.size:
        Listener(cache).start()
