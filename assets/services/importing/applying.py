"""A batch is applied: everything its lines came to, in one transaction, or nothing of it.

Set by set, in the order in which one thing stands on another. The constraints and triggers of the registry judge
every row as they judge any other; what a list brings names its batch, so that it is found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from assets.errors import Stale
from assets.imports.lines import SCHEMES
from assets.models import Deed, ImportBatch
from assets.services.holding import hold
from assets.services.importing import judging
from assets.services.importing.progress import note
from cqops.platform.access.models import User

IMPORTING = "import"
# Nobody else changes these assets until it is done, and all who hold several do it in one order.
HOLD = """
SELECT 1 FROM assets_asset WHERE id IN (
    SELECT known_id FROM assets_importrow WHERE batch_id = %(batch)s AND deeds <> '{}'
) ORDER BY id FOR NO KEY UPDATE
"""
ASSETS = """
INSERT INTO assets_asset (id, symbol, name, kind, category, display_places, version, metadata,
    created_at, updated_at, retired_reason)
SELECT asset_id, symbol, name, coalesce(nullif(kind, ''), 'token'), category, 8, 1, '{}',
    %(now)s, %(now)s, ''
FROM assets_importrow WHERE batch_id = %(batch)s AND 'asset' = ANY (deeds)
"""
_RECORD = "recorded_at, source, recorded_by_id, approval_id, batch_id"
_RECORDED = "%(now)s::timestamptz, %(source)s, %(by)s::uuid, %(approval)s::uuid, %(batch)s"
TICKERS = f"""
INSERT INTO assets_alias (id, asset_id, ticker, is_primary, {_RECORD})
SELECT gen_random_uuid(), asset_id, symbol, true, {_RECORDED}
FROM assets_importrow WHERE batch_id = %(batch)s AND 'asset' = ANY (deeds)
"""  # noqa: S608 -- put together here alone
IDENTIFIERS = """
INSERT INTO assets_identifier (id, asset_id, scheme, value, {record})
SELECT gen_random_uuid(), asset_id, '{scheme}', {scheme}, {recorded}
FROM assets_importrow said
WHERE batch_id = %(batch)s AND 'identifier' = ANY (deeds) AND {scheme} <> ''
    AND NOT EXISTS (
        SELECT 1 FROM assets_identifier stands WHERE stands.scheme = '{scheme}'
        AND stands.value = said.{scheme} AND stands.superseded_at IS NULL)
"""
FORMER_TICKERS = """
UPDATE assets_alias former SET superseded_at = %(now)s FROM assets_importrow said
WHERE said.batch_id = %(batch)s AND said.former_alias_id = former.id
"""
# A ticker that changes was the right one until now.
RETITLED = f"""
INSERT INTO assets_alias (id, asset_id, ticker, is_primary, valid_from, valid_to, {_RECORD})
SELECT gen_random_uuid(), former.asset_id, former.ticker, true, former.valid_from, %(now)s,
    %(now)s, former.source, %(by)s, %(approval)s::uuid, %(batch)s
FROM assets_importrow said JOIN assets_alias former ON former.id = said.former_alias_id
WHERE said.batch_id = %(batch)s
UNION ALL
SELECT gen_random_uuid(), said.asset_id, said.symbol, true, %(now)s, former.valid_to, {_RECORDED}
FROM assets_importrow said JOIN assets_alias former ON former.id = said.former_alias_id
WHERE said.batch_id = %(batch)s
"""  # noqa: S608 -- put together here alone
RENAMED = """
UPDATE assets_asset changed SET version = version + 1, updated_at = %(now)s,
    name = CASE WHEN 'name' = ANY (said.deeds) THEN said.name ELSE changed.name END,
    symbol = CASE WHEN 'ticker' = ANY (said.deeds) THEN said.symbol ELSE changed.symbol END
FROM assets_importrow said
WHERE said.batch_id = %(batch)s AND said.asset_id = changed.id
    AND said.deeds && ARRAY['name', 'ticker']::varchar[]
"""
FORMER_CONTRACTS = """
UPDATE assets_deployment former SET superseded_at = %(now)s FROM assets_importrow said
WHERE said.batch_id = %(batch)s AND said.former_deployment_id = former.id
    AND 'correction' = ANY (said.deeds)
"""
CONTRACTS = f"""
INSERT INTO assets_deployment (id, asset_id, chain_id, address, decimals, is_canonical,
    valid_from, valid_to, {_RECORD})
SELECT said.deployment_id, said.asset_id, said.chain, said.address, said.decimals,
    said.is_canonical, former.valid_from, former.valid_to, {_RECORDED}
FROM assets_importrow said
LEFT JOIN assets_deployment former ON former.id = said.former_deployment_id
WHERE said.batch_id = %(batch)s AND said.deeds && ARRAY['contract', 'correction']::varchar[]
"""  # noqa: S608 -- put together here alone


def steps() -> Iterator[tuple[str, str]]:
    """List what is done, each step in words."""
    yield "new assets", ASSETS
    yield "their tickers", TICKERS
    for scheme in SCHEMES:
        text = IDENTIFIERS.format(scheme=scheme, record=_RECORD, recorded=_RECORDED)
        yield "identifiers", text
    yield "tickers that change", FORMER_TICKERS
    yield "tickers that change", RETITLED
    yield "names that change", RENAMED
    yield "contracts that change", FORMER_CONTRACTS
    yield "contracts", CONTRACTS
    # The next list is judged by plans that know how much there is.
    yield "adding up", "ANALYZE assets_asset, assets_alias, assets_identifier, assets_deployment"


def apply(batch: ImportBatch, *, by: User, approval: UUID | None, now: datetime) -> None:
    """Do everything the lines came to, if that is still what they come to."""
    if not any(batch.counts.get(deed, 0) for deed in Deed):
        return
    hold(IMPORTING)
    values: dict[str, Any] = {
        "batch": batch.pk,
        "source": batch.source,
        "by": by.pk,
        "approval": approval,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(HOLD, values)
    note(batch.pk, "comparing with what stands now", 5)
    if judging.digest(batch) != batch.digest:
        message = "Its lines are not those that were asked for."
        raise Stale(message, batch)
    if count := judging.moved_on(batch, now=now):
        message = (
            f"What stands here has changed: {count:,} line{'s' if count > 1 else ''} would come to something"
            " else now. Have the file read again."
        )
        raise Stale(message, batch)
    run(batch, list(steps()), values)


def run(batch: ImportBatch, todo: list[tuple[str, str]], values: dict[str, Any]) -> None:
    """Take one step after another, and say which."""
    with connection.cursor() as cursor:
        for place, (words, text) in enumerate(todo):
            note(batch.pk, words, 20 + 75 * place // len(todo))
            cursor.execute(text, values)
