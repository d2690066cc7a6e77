"""The scan: several assets of one ticker or one address, names that read alike, addresses nearly the same.

All assets are compared in sets by PostgreSQL; only how a text reads is worked out here, and brought to it
by COPY. What the scan finds is written down once, whichever scan finds it, and nothing is ever deleted.
Retired assets are left out, and what was merged counts as the asset it answers as.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from assets import events
from assets.addresses.nearness import BODY, SHOWN
from assets.lookalikes import as_written, skeleton
from assets.models import Alias, Asset, Finding, FindingKind, FindingState
from assets.services.holding import hold
from cqops.platform.audit.services import record

AT_ONCE = 20_000
LONGEST_KEY = 200
_NOW = """
    {0}.superseded_at IS NULL AND {0}.recorded_at <= %(now)s
    AND ({0}.valid_from IS NULL OR {0}.valid_from <= %(now)s)
    AND ({0}.valid_to IS NULL OR {0}.valid_to > %(now)s)
"""
_TABLES = """
CREATE TEMPORARY TABLE IF NOT EXISTS registry_found
    (kind text, key text, assets uuid[], evidence text[]) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS registry_looks
    (key text, asset_id uuid, text text) ON COMMIT DROP;
TRUNCATE registry_found, registry_looks;
"""
_SYMBOLS = f"""
SELECT upper(ticker) AS key, asset_id, ticker AS text
FROM assets_alias said WHERE {_NOW.format("said")}
"""  # noqa: S608 -- put together here alone
_ADDRESSES = f"""
SELECT chain.family || ' ' || said.address_key AS key, said.asset_id,
    said.chain_id || ': ' || said.address AS text
FROM assets_deployment said JOIN assets_chain chain ON chain.id = said.chain_id
WHERE {_NOW.format("said")}
"""  # noqa: S608 -- put together here alone
# The pattern is tried once a row, which is what `OFFSET 0` is for.
_NEAR = f"""
SELECT chain.family || ' ' || look.key AS key, said.asset_id, said.address_key,
    said.chain_id || ': ' || said.address AS text
FROM assets_deployment said JOIN assets_chain chain ON chain.id = said.chain_id
CROSS JOIN LATERAL (SELECT (regexp_match(said.address_key, %(body)s))[1] AS body OFFSET 0) seen
CROSS JOIN LATERAL (VALUES
    (left(body, {SHOWN}) || '...' || right(body, {SHOWN})),
    (left(body, length(body) / 2) || '...'),
    ('...' || right(body, length(body) / 2))
) AS look (key)
WHERE body IS NOT NULL AND {_NOW.format("said")}
"""  # noqa: S608 -- put together here alone
_LOOKS = "SELECT key, asset_id, text FROM registry_looks"
# Assets of one ticker and one name are told by their ticker.
_READS_ALIKE = """
AND (count(DISTINCT upper(said.text)) > 1
    OR (said.key LIKE 'name%%' AND count(DISTINCT upper(asset.symbol)) > 1))
"""
# Most keys are of one row: those are left out before anything is compared. Of several assets that share
# two things of a kind, one finding tells both.
_SHARED = f"""
WITH said AS MATERIALIZED ({{said}}),
twice AS (SELECT key FROM said GROUP BY key HAVING count(*) > 1),
alike AS (
    SELECT said.key, array_agg(DISTINCT who.id) AS assets, array_agg(DISTINCT said.text) AS texts
    FROM said JOIN twice USING (key)
    JOIN assets_asset asset ON asset.id = said.asset_id AND asset.retired_at IS NULL
    LEFT JOIN assets_merge merge ON merge.asset_id = said.asset_id AND {_NOW.format("merge")}
    CROSS JOIN LATERAL (SELECT coalesce(merge.into_id, said.asset_id) AS id) who
    GROUP BY said.key
    HAVING count(DISTINCT who.id) > 1 {{besides}} AND (%(asked)s::uuid[] IS NULL
        OR array_agg(who.id) || array_agg(said.asset_id) && %(asked)s::uuid[])
)
INSERT INTO registry_found
SELECT %(kind)s, min(key), assets, array_agg(DISTINCT one ORDER BY one)
FROM alike CROSS JOIN LATERAL unnest(texts) AS one GROUP BY assets
"""  # noqa: S608 -- put together here alone
_QUESTIONS = {
    FindingKind.SYMBOL: _SHARED.format(said=_SYMBOLS, besides=""),
    FindingKind.ADDRESS: _SHARED.format(said=_ADDRESSES, besides=""),
    FindingKind.NEAR: _SHARED.format(
        said=_NEAR, besides="AND count(DISTINCT said.address_key) > 1"
    ),
    FindingKind.LOOK: _SHARED.format(said=_LOOKS, besides=_READS_ALIKE),
}
# What was dismissed stays so until there is an asset or a text that was not there then.
_WRITE = f"""
INSERT INTO assets_finding AS stands
    (id, kind, key, assets, evidence, state, first_seen_at, last_seen_at, opened_at, dismissed_reason)
SELECT gen_random_uuid(), kind, CASE WHEN length(key) > {LONGEST_KEY}
        THEN left(key, {LONGEST_KEY} - 33) || ' ' || md5(key) ELSE key END,
    assets, ARRAY(SELECT left(one, 400) FROM unnest(evidence) AS one)::varchar(400)[],
    '{FindingState.OPEN}', %(now)s, %(now)s, %(now)s, ''
FROM registry_found
ON CONFLICT (kind, key) DO UPDATE SET
    last_seen_at = greatest(stands.last_seen_at, excluded.last_seen_at),
    (assets, evidence, state, opened_at) = (
        SELECT
            CASE WHEN kept THEN stands.assets ELSE excluded.assets END,
            CASE WHEN kept THEN stands.evidence ELSE excluded.evidence END,
            CASE WHEN kept THEN stands.state ELSE '{FindingState.OPEN}' END,
            CASE WHEN kept OR stands.state = '{FindingState.OPEN}'
                THEN stands.opened_at ELSE excluded.opened_at END
        FROM (SELECT stands.state = '{FindingState.DISMISSED}'
            AND excluded.assets <@ stands.assets
            AND excluded.evidence <@ stands.evidence AS kept) dismissed
    )
RETURNING kind, opened_at = %(now)s
"""  # noqa: S608 -- put together here alone


@dataclass(slots=True)
class Scanned:
    """How many of each kind came up, and how many were opened by it or are no longer so."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FindingKind.values, 0))
    opened: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FindingKind.values, 0))
    over: int = 0


@transaction.atomic
def scan(*, now: datetime, assets: Collection[UUID] | None = None) -> Scanned:
    """Compare all assets with each other, or some with all: an import asks about what it brought."""
    hold("registry", "scan")
    scanned = Scanned()
    values = {"now": now, "asked": None if assets is None else list(assets), "body": BODY}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        _copy_looks(cursor, now)
        cursor.execute("ANALYZE registry_looks")
        for kind, question in _QUESTIONS.items():
            cursor.execute(question, {**values, "kind": kind.value})
        cursor.execute(_WRITE, values)
        for kind, is_opened in cursor.fetchall():
            scanned.found[kind] += 1
            scanned.opened[kind] += is_opened
    if assets is None:
        gone = Finding.objects.filter(state=FindingState.OPEN, last_seen_at__lt=now)
        scanned.over = gone.update(state=FindingState.OVER)
    _tell(scanned, is_whole=assets is None)
    return scanned


def _tell(scanned: Scanned, *, is_whole: bool) -> None:
    record(
        action="registry.scanned",
        subject_kind="registry",
        after={
            "whole": is_whole,
            **{f"opened_{kind}": count for kind, count in scanned.opened.items()},
            "no_longer_so": scanned.over,
        },
    )
    if sum(scanned.opened.values()):
        events.duplicates_found(scanned.opened)


def _copy_looks(cursor: Any, now: datetime) -> None:
    """Bring how every ticker and name reads to where they are compared."""
    rows = _looks(now)
    # In pieces: PostgreSQL is asked for more between two of them.
    while piece := list(islice(rows, AT_ONCE)):
        with cursor.copy("COPY registry_looks (key, asset_id, text) FROM STDIN") as copy:
            for row in piece:
                copy.write_row(row)


def _looks(now: datetime) -> Iterator[tuple[str, UUID, str]]:
    tickers = Alias.objects.at(as_of=now, known_at=now).values_list("asset_id", "ticker")
    names = Asset.objects.filter(retired_at=None).values_list("pk", "name")
    for what, texts in (("ticker", tickers), ("name", names)):
        for asset_id, text in texts.order_by().iterator(chunk_size=AT_ONCE):
            for key in readings(text):
                yield f"{what} {key}", asset_id, text


def readings(text: str) -> list[str]:
    """Say how a text may be read; what has none of the signs that only capitals tell apart, one way."""
    read = skeleton(text)
    if not read:
        return []
    written = as_written(text)
    return [read, f"as written {written}"] if {"I", "m"} & set(written) else [read]
