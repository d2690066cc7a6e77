"""From the file to the table of lines, by COPY: what is wrong with a line by itself is told there."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from assets.imports import Format, Line, placed, read
from assets.imports.formats import TABLES
from assets.imports.places import answering
from assets.models import AssetKind, Chain, ImportBatch, ImportRow, Outcome

COLUMNS = (
    *("batch_id", "number", "line", "place", "subject", "asset_ref", "symbol", "name", "kind"),
    *("category", "coingecko", "coinmarketcap", "defillama", "chain", "address", "decimals"),
    *("is_canonical", "outcome", "words", "deeds", "former_name"),
)
COPY = f"COPY assets_importrow ({', '.join(COLUMNS)}) FROM STDIN"


def stage(batch: ImportBatch) -> int:
    """Read the file anew, put each line into the table, and say how many there are."""
    form = Format(batch.form)
    lines = read(
        bytes(batch.content),
        form,
        kinds=frozenset(AssetKind.values),
        mapping=batch.mapping,
    )
    chains = Chain.objects.filter(retired_at=None)
    known = answering(list(chains.values_list("id", "name", "family", "metadata")))
    found = placed(lines, known, is_strict=form in TABLES)
    ImportRow.objects.filter(batch=batch).delete()
    _copy(batch, found)
    return len(found)


def _copy(batch: ImportBatch, lines: Iterable[Line]) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY) as into:
        for number, line in enumerate(lines, start=1):
            into.write_row(
                (
                    *(batch.pk, number, line.line, line.place),
                    "" if line.error else line.subject[:200],
                    line.asset_id or None,
                    *(line.symbol, line.name, line.kind, line.category),
                    *(line.coingecko, line.coinmarketcap, line.defillama),
                    *(line.chain, line.address, line.decimals, line.is_canonical),
                    Outcome.ERROR.value if line.error else "",
                    *(line.error[:500], [], ""),
                )
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE assets_importrow")
