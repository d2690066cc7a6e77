"""A batch is undone: what it brought is taken back, and what it took the place of is said again.

Nothing is deleted: claims are superseded, assets are retired with the reason, and what was known in between can
still be asked for. Where something has since been built on what it brought, it is refused in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from assets.errors import Conflict
from assets.models import Alias, Asset, Brought, Deployment, Identifier, ImportBatch
from assets.services.holding import hold
from assets.services.importing.applying import IMPORTING, run
from assets.services.importing.progress import note
from cqops.platform.access.models import User

BROUGHT = (Alias, Identifier, Deployment)
TOLD = 3
HOLD = """
SELECT 1 FROM assets_asset WHERE id IN (
    SELECT asset_id FROM assets_importrow WHERE batch_id = %(batch)s AND deeds <> '{}'
) ORDER BY id FOR NO KEY UPDATE
"""
_MADE = """
    SELECT asset_id FROM assets_importrow WHERE batch_id = %(batch)s AND 'asset' = ANY (deeds)
"""
EDITED = """
SELECT DISTINCT asset.name FROM assets_importrow said JOIN assets_asset asset
    ON asset.id = said.asset_id
WHERE said.batch_id = %(batch)s AND said.asset_version IS NOT NULL
    AND (asset.version <> said.asset_version OR asset.retired_at IS NOT NULL)
"""
SUPERSEDED = """
SELECT DISTINCT asset.name FROM {table} claim JOIN assets_asset asset ON asset.id = claim.asset_id
WHERE claim.batch_id = %(batch)s AND claim.superseded_at IS NOT NULL
"""
BUILT_ON = """
SELECT DISTINCT asset.name FROM {table} built JOIN assets_asset asset
    ON asset.id = built.{column}
WHERE asset.id IN ({made}) {elsewhere}
"""
TAKE_BACK = """
UPDATE {table} SET superseded_at = %(now)s WHERE batch_id = %(batch)s AND superseded_at IS NULL
"""
_AGAIN = "former.valid_from, former.valid_to, %(now)s, former.source, %(by)s, %(approval)s::uuid, former.batch_id"
_RECORD = "valid_from, valid_to, recorded_at, source, recorded_by_id, approval_id, batch_id"
TICKERS = f"""
INSERT INTO assets_alias (id, asset_id, ticker, is_primary, {_RECORD})
SELECT gen_random_uuid(), former.asset_id, former.ticker, former.is_primary, {_AGAIN}
FROM assets_importrow said JOIN assets_alias former ON former.id = said.former_alias_id
WHERE said.batch_id = %(batch)s
"""  # noqa: S608 -- put together here alone
CONTRACTS = f"""
INSERT INTO assets_deployment (id, asset_id, chain_id, address, decimals, is_canonical, {_RECORD})
SELECT gen_random_uuid(), former.asset_id, former.chain_id, former.address, former.decimals,
    former.is_canonical, {_AGAIN}
FROM assets_importrow said JOIN assets_deployment former ON former.id = said.former_deployment_id
WHERE said.batch_id = %(batch)s AND 'correction' = ANY (said.deeds)
"""  # noqa: S608 -- put together here alone
NAMES = """
UPDATE assets_asset changed SET version = version + 1, updated_at = %(now)s,
    name = coalesce(nullif(said.former_name, ''), changed.name),
    symbol = coalesce(former.ticker, changed.symbol)
FROM assets_importrow said LEFT JOIN assets_alias former ON former.id = said.former_alias_id
WHERE said.batch_id = %(batch)s AND said.asset_id = changed.id
    AND said.deeds && ARRAY['name', 'ticker']::varchar[]
"""
ASSETS = f"""
UPDATE assets_asset SET version = version + 1, updated_at = %(now)s, retired_at = %(now)s,
    retired_reason = %(reason)s
WHERE id IN ({_MADE})
"""  # noqa: S608 -- put together here alone


def steps() -> Iterator[tuple[str, str]]:
    for model in reversed(BROUGHT):
        yield f"{model._meta.verbose_name_plural} taken back", _of(TAKE_BACK, model)
    yield "tickers said again", TICKERS
    yield "contracts said again", CONTRACTS
    yield "names put back", NAMES
    yield "assets retired", ASSETS


def undo(
    batch: ImportBatch, *, by: User, reason: str, approval: UUID | None, now: datetime
) -> None:
    """Take everything back that it brought, if nothing was built on it."""
    hold(IMPORTING)
    values: dict[str, Any] = {
        "batch": batch.pk,
        "by": by.pk,
        "approval": approval,
        "now": now,
        "reason": f"The import was undone: {reason}"[:300],
    }
    with connection.cursor() as cursor:
        cursor.execute(HOLD, values)
    note(batch.pk, "looking for what was built on it", 5)
    if words := built_on(batch):
        raise Conflict(words, batch)
    run(batch, list(steps()), values)


def built_on(batch: ImportBatch) -> str:
    """Say what stands on what it brought by now, or nothing where it can be undone."""
    found = []
    for words, text in _looks():
        with connection.cursor() as cursor:
            cursor.execute(f"{text} LIMIT {TOLD + 1}", {"batch": batch.pk})
            names = [name for (name,) in cursor.fetchall()]
        if names:
            more = " and others" if len(names) > TOLD else ""
            found.append(f"{words} ({', '.join(names[:TOLD])}{more})")
    return f"It cannot be undone any more: {'; '.join(found)}." if found else ""


def _looks() -> Iterator[tuple[str, str]]:
    yield "assets were changed since", EDITED
    for brought in BROUGHT:
        words = f"{brought._meta.verbose_name_plural} were changed since"
        yield words, _of(SUPERSEDED, brought)
    for related in Asset._meta.related_objects:
        model: Any = related.related_model
        is_brought = issubclass(model, Brought)
        yield (
            f"{model._meta.verbose_name_plural} rest on its assets",
            BUILT_ON.format(
                table=model._meta.db_table,
                column=related.field.column,
                made=_MADE,
                elsewhere="AND built.batch_id IS DISTINCT FROM %(batch)s" if is_brought else "",
            ),
        )


def _of(text: str, model: type[Brought]) -> str:
    return text.format(table=model._meta.db_table)
