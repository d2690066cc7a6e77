"""Downloads of exactly what a list shows: exact decimals, times in UTC, nothing a spreadsheet runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone

from cqops.platform.audit import context
from cqops.platform.audit.services import record

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(name: str, header: list[str], rows: Iterable[list[object]]) -> HttpResponse:
    """Write the file, and write down that it was taken: by whom, of what, how many lines."""
    stamp = timezone.now().strftime("%Y%m%dT%H%M%SZ")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{stamp}.csv"'
    writer = csv.writer(response)
    writer.writerow(header)
    lines = 0
    for row in _cells(rows):
        writer.writerow(row)
        lines += 1
    _recorded(name, header, lines)
    return response


def _recorded(name: str, header: list[str], lines: int) -> None:
    request = context.current().request
    asked = request.GET.dict() if request is not None else {}
    record(
        action="export.taken",
        subject_kind="export",
        subject_id=name,
        after={"rows": lines, "columns": header, "asked": asked},
    )


def _cells(rows: Iterable[list[object]]) -> Iterator[list[str]]:
    for row in rows:
        yield [cell_text(value) for value in row]


def cell_text(value: object) -> str:
    """Write one cell; a text that a spreadsheet would run as a formula is quoted."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
