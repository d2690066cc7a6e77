"""A registry of 200,000 assets and 1,000,000 symbols, by COPY: what the benchmark of the registry asks.

The triggers that keep the registry are off while it is filled, the constraints are not. The numbers are
the same on every run; the shares are guesses at what a desk with ten venues keeps: a ticker an asset,
further tickers and codes of venues for some, a contract each, some groups, relations and warnings.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from assets.models import Asset, AssetKind, RelationshipKind, Severity

ASSETS, SYMBOLS = 200_000, 1_000_000
CHAINS = ("ethereum", "base", "arbitrum", "optimism", "polygon", "solana")
GROUPS, A_GROUP = 2_000, 10
LARGE_GROUP = 500
SHARED = 50
RELATIONS, FLAGS = 20_000, 10_000
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
NAMED = [
    "Silver",
    "Ocean",
    "Star",
    "Moon",
    "River",
    "Stone",
    "Cloud",
    "Ember",
    "Frost",
    "Solar",
    "Lunar",
    "Nova",
    "Terra",
    "Aqua",
    "Ignis",
    "Zephyr",
    "Orbit",
    "Pulse",
    "Prism",
    "Quartz",
    "Raven",
    "Sable",
    "Titan",
    "Umbra",
    "Vertex",
    "Willow",
    "Xenon",
    "Yonder",
    "Zenith",
    "Anchor",
    "Beacon",
    "Cinder",
]
SORTS = [
    "Coin",
    "Token",
    "Protocol",
    "Finance",
    "Network",
    "Dollar",
    "Chain",
    "Share",
    "Pool",
    "Bridge",
    "Swap",
    "Vault",
]
TABLES = (
    *("chain", "asset", "alias", "identifier", "deployment", "assetgroup", "groupmember"),
    *("relationship", "qualityflag"),
)


@dataclass(frozen=True, kw_only=True)
class Registry:
    """What was filled in, for whoever asks about it."""

    assets: list[UUID]
    tickers: list[str]
    groups: list[UUID]
    flagged: list[UUID] = field(default_factory=list)


def fill(assets: int = ASSETS, symbols: int = SYMBOLS, *, seed: int = 7) -> Registry:
    """Fill a registry, unless an earlier run did; a tenth of the size takes a tenth of the time."""
    dice = random.Random(seed)  # noqa: S311 -- the same on every run
    found = Registry(
        assets=[UUID(int=dice.getrandbits(128), version=4) for _ in range(assets)],
        tickers=[_ticker(number) for number in range(assets)],
        groups=[
            UUID(int=dice.getrandbits(128), version=4) for _ in range(GROUPS * assets // ASSETS)
        ],
        flagged=[],
    )
    found.flagged.extend(dice.sample(found.assets, FLAGS * assets // ASSETS))
    if Asset.objects.filter(pk=found.assets[0]).exists():
        return found
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE assets_{table} DISABLE TRIGGER USER")
        for table, columns, rows in _everything(found, symbols, dice):
            _copy(cursor, table, columns, rows)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE assets_{table} ENABLE TRIGGER USER")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return found


def _copy(cursor: Any, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY assets_{table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _ticker(number: int) -> str:
    """Write a number as a ticker; every fiftieth shares one with the asset before it."""
    left, text = (number - 1 if number % SHARED == SHARED - 1 else number) + 26**3, ""
    while left:
        left, digit = divmod(left, 26)
        text = chr(65 + digit) + text
    return text


def _everything(
    found: Registry, symbols: int, dice: random.Random
) -> Iterator[tuple[str, str, Iterator[tuple[Any, ...]]]]:
    further = (symbols - len(found.assets)) // 2
    kinds = [AssetKind.TOKEN, AssetKind.STABLECOIN, AssetKind.WRAPPED, AssetKind.STAKED]
    registered = "version, metadata, created_at, updated_at, retired_reason"
    kept = (1, "{}", SINCE, SINCE, "")
    yield (
        "chain",
        f"id, name, family, rpc_urls, explorer_url, {registered}",
        ((one, one.title(), "evm", "{}", "", *kept) for one in CHAINS),
    )
    yield (
        "asset",
        f"id, symbol, name, kind, category, display_places, {registered}",
        (
            (key, found.tickers[number], _name(number), kinds[number % 4], "", 8, *kept)
            for number, key in enumerate(found.assets)
        ),
    )
    yield (
        "alias",
        "id, asset_id, ticker, is_primary, source, recorded_at",
        _aliases(found, further, dice),
    )
    yield (
        "identifier",
        "id, asset_id, scheme, value, source, recorded_at",
        (
            (_id(dice), dice.choice(found.assets), "venue", f"venue-{n % 10}:S{n}-USD", "list", at)
            for n, at in zip(range(further), _moments(), strict=False)
        ),
    )
    yield (
        "deployment",
        "id, asset_id, chain_id, address, decimals, is_canonical, source, recorded_at",
        (
            (
                *(_id(dice), key, CHAINS[number % 5 if number % 100 else 5], f"0x{number:040x}"),
                *(18, False, "list", SINCE + timedelta(seconds=number)),
            )
            for number, key in enumerate(found.assets)
        ),
    )
    yield (
        "assetgroup",
        f"id, canonical_symbol, name, {registered}",
        ((key, f"G{number}", f"Group {number}", *kept) for number, key in enumerate(found.groups)),
    )
    yield (
        "groupmember",
        "id, group_id, asset_id, is_canonical, is_for_risk, is_for_pnl, source, recorded_at",
        _members(found, dice),
    )
    yield (
        "relationship",
        "id, asset_id, kind, other_id, ratio_rule, rate_source, evidence, source, recorded_at",
        (
            (_id(dice), one, RelationshipKind.WRAPS, other, "none", "", "", "list", SINCE)
            for one, other in _pairs(found.assets)
        ),
    )
    yield (
        "qualityflag",
        "id, asset_id, kind, severity, source_kind, source, evidence_url, note, valid_from, raised_at,"
        " cleared_reason",
        (
            (
                *(
                    _id(dice),
                    key,
                    "scam",
                    dice.choice(Severity.values),
                    "person",
                    "list",
                    "",
                    "seen",
                ),
                *(SINCE, SINCE, ""),
            )
            for key in found.flagged
        ),
    )


def _name(number: int) -> str:
    first, second = NAMED[number % len(NAMED)], NAMED[number // len(NAMED) % len(NAMED)]
    return f"{first} {second} {SORTS[number % len(SORTS)]} {number}"


def _aliases(found: Registry, further: int, dice: random.Random) -> Iterator[tuple[Any, ...]]:
    moments = _moments()
    for number, (key, ticker) in enumerate(zip(found.assets, found.tickers, strict=True)):
        yield _id(dice), key, ticker, True, "list", SINCE + timedelta(seconds=number)
    for number, at in zip(range(further), moments, strict=False):
        yield (
            _id(dice),
            dice.choice(found.assets),
            f"{_ticker(number)}.{number % 10}",
            False,
            "list",
            at,
        )


def _members(found: Registry, dice: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, group in enumerate(found.groups):
        count = LARGE_GROUP if number == 0 else A_GROUP
        for place, key in enumerate(dice.sample(found.assets, min(count, len(found.assets)))):
            yield _id(dice), group, key, place == 0, False, False, "list", SINCE


def _pairs(assets: list[UUID]) -> Iterator[tuple[UUID, UUID]]:
    """Let every tenth asset wrap the one before it."""
    step = max(2, ASSETS // RELATIONS)
    for number in range(1, len(assets), step):
        yield assets[number], assets[number - 1]


def _moments() -> Iterator[datetime]:
    at = SINCE + timedelta(days=30)
    while True:
        yield at
        at += timedelta(seconds=3)


def _id(dice: random.Random) -> UUID:
    return UUID(int=dice.getrandbits(128), version=4)
