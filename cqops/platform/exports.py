"""Downloads of exactly what a list shows: exact decimals, times in UTC, nothing a spreadsheet runs.

A download that would never end is cut, and its last line says so and how to go on: a file that is short
without saying it would be read as everything there is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone

from cqops.platform.audit import context
from cqops.platform.audit.services import record

LIMIT = 100_000
NARROWER = "choose less in the list's filter and export the rest by itself"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    name: str,
    header: list[str],
    rows: Iterable[list[object]],
    *,
    go_on: Callable[[list[object]], str] | None = None,
) -> HttpResponse:
    """Write the file, and write down that it was taken: by whom, of what, how many lines.

    `go_on` says, from the last row that was taken, how to get what comes after it.
    """
    stamp = timezone.now().strftime("%Y%m%dT%H%M%SZ")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{stamp}.csv"'
    writer = csv.writer(response)
    writer.writerow(header)
    lines, is_cut = 0, False
    last: list[object] = []
    for row in rows:
        if lines == LIMIT:
            is_cut = True
            break
        writer.writerow([cell_text(value) for value in row])
        lines, last = lines + 1, row
    if is_cut:
        how = go_on(last) if go_on else NARROWER
        writer.writerow([f"CUT after {lines} lines, there are more: {how}."])
    _recorded(name, header, lines=lines, is_cut=is_cut)
    return response


def _recorded(name: str, header: list[str], *, lines: int, is_cut: bool) -> None:
    request = context.current().request
    asked = request.GET.dict() if request is not None else {}
    record(
        action="export.taken",
        subject_kind="export",
        subject_id=name,
        after={"rows": lines, "is_cut": is_cut, "columns": header, "asked": asked},
    )


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
