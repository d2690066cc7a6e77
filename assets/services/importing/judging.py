"""What each line of a batch comes to here: new, changed, conflicting, ignored or wrong, and why.

All of it is decided in sets, in a table of this transaction. The verdict is either kept with the lines, or held
against what was kept before: whoever applies a batch does it by what stands at that moment. The first reason
that stands against a line is the one it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from assets.models import ImportBatch
from assets.services.importing.verdicts import STEPS

KEEP = """
UPDATE assets_importrow kept SET outcome = judged.outcome, words = left(judged.words, 500),
    deeds = judged.deeds, known_id = judged.known_id, asset_version = judged.asset_version,
    former_deployment_id = judged.former_deployment_id,
    former_alias_id = judged.former_alias_id, former_name = judged.former_name,
    asset_id = coalesce(judged.known_id, made.asset_id),
    deployment_id = CASE WHEN judged.deeds && ARRAY['contract', 'correction']
        THEN gen_random_uuid() END
FROM import_judged judged LEFT JOIN (
    SELECT subject, gen_random_uuid() AS asset_id FROM import_judged WHERE 'asset' = ANY (deeds)
) made ON made.subject = judged.subject
WHERE kept.batch_id = %(batch)s AND kept.number = judged.number
"""
DIFFERS = """
SELECT count(*) FROM assets_importrow kept JOIN import_judged judged USING (number)
WHERE kept.batch_id = %(batch)s
    AND (kept.outcome, kept.deeds, kept.known_id, kept.asset_version, kept.former_deployment_id,
        kept.former_alias_id, kept.former_name)
    IS DISTINCT FROM (judged.outcome, judged.deeds::varchar[], judged.known_id,
        judged.asset_version, judged.former_deployment_id, judged.former_alias_id,
        judged.former_name)
"""
DIGEST = """
SELECT encode(sha256(convert_to(coalesce(string_agg(to_jsonb(kept)::text, E'\\n' ORDER BY number), ''),
    'UTF8')), 'hex')
FROM (
    SELECT number, line, place, subject, asset_ref, symbol, name, kind, category, coingecko,
        coinmarketcap, defillama, chain, address, decimals, is_canonical, outcome, deeds, asset_id,
        asset_version, deployment_id, former_deployment_id, former_alias_id, former_name
    FROM assets_importrow WHERE batch_id = %(batch)s
) kept
"""
COUNTS = """
SELECT outcome, count(*) FROM assets_importrow WHERE batch_id = %(batch)s GROUP BY outcome
UNION ALL
SELECT deed, count(*) FROM assets_importrow, unnest(deeds) AS deed
WHERE batch_id = %(batch)s GROUP BY deed
UNION ALL
SELECT 'lines', count(*) FROM assets_importrow WHERE batch_id = %(batch)s
UNION ALL
SELECT 'touched', count(DISTINCT known_id) FROM assets_importrow
WHERE batch_id = %(batch)s AND deeds && ARRAY['contract', 'correction']::varchar[]
HAVING count(DISTINCT known_id) > 0
"""


def judge(batch: ImportBatch, *, now: datetime) -> None:
    """Decide what each line comes to, and keep it with the lines."""
    with connection.cursor() as cursor:
        _judge(cursor, batch, now)
        cursor.execute(KEEP, {"batch": batch.pk})


def moved_on(batch: ImportBatch, *, now: datetime) -> int:
    """Count the lines that would come to something else by what stands at this moment."""
    with connection.cursor() as cursor:
        _judge(cursor, batch, now)
        cursor.execute(DIFFERS, {"batch": batch.pk})
        return int(cursor.fetchone()[0])


def digest(batch: ImportBatch) -> str:
    """Hash every line with all that it says and does: what two people agree to."""
    with connection.cursor() as cursor:
        cursor.execute(DIGEST, {"batch": batch.pk})
        return str(cursor.fetchone()[0])


def counts(batch: ImportBatch) -> Mapping[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"batch": batch.pk})
        return dict(cursor.fetchall())


def _judge(cursor: Any, batch: ImportBatch, now: datetime) -> None:
    values = {"batch": batch.pk, "source": batch.source, "now": now}
    for step in STEPS:
        for statement in step.split(";\n"):
            if statement.strip():
                cursor.execute(statement, values)
