"""The formats a list may come in: told from its first bytes, and read into lines."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from assets.imports.json_lists import coin_list, token_list
from assets.imports.lines import LIMITS, Limits, Line, Unreadable
from assets.imports.tables import Mapping, Table, csv_rows, csv_table, header_in, lines_of
from assets.imports.workbooks import xlsx_rows, xlsx_table

ZIP = b"PK\x03\x04"
MARK = b"\xef\xbb\xbf"


class Format(StrEnum):
    COINS = "coins"
    TOKENS = "tokens"
    CSV = "csv"
    XLSX = "xlsx"


TABLES = frozenset({Format.CSV, Format.XLSX})


def detect(data: bytes) -> Format:
    """Tell the format from how the file begins."""
    if data.startswith(ZIP):
        return Format.XLSX
    begins = data.removeprefix(MARK)[:4096].lstrip()[:1]
    if begins == b"[":
        return Format.COINS
    return Format.TOKENS if begins == b"{" else Format.CSV


def table_of(data: bytes, form: Format, limits: Limits = LIMITS) -> Table:
    """Read a table with its header, before anybody says what its columns mean."""
    _within(data, limits)
    return xlsx_table(data, limits) if form is Format.XLSX else csv_table(data, limits)


def header_of(data: bytes, form: Format, limits: Limits = LIMITS) -> tuple[str, ...]:
    """Name the columns of a table without reading what is below them."""
    _within(data, limits)
    rows = xlsx_rows(data, limits, first=True) if form is Format.XLSX else csv_rows(data)
    return header_in(rows, limits)


def read(
    data: bytes,
    form: Format,
    *,
    kinds: frozenset[str],
    mapping: Mapping,
    limits: Limits = LIMITS,
) -> Iterator[Line]:
    """Read a file into lines. The mapping says which column of a table is which field."""
    _within(data, limits)
    match form:
        case Format.COINS:
            return coin_list(data.removeprefix(MARK), kinds=kinds, limits=limits)
        case Format.TOKENS:
            return token_list(data.removeprefix(MARK), kinds=kinds, limits=limits)
        case Format.CSV | Format.XLSX:
            return lines_of(table_of(data, form, limits), mapping, kinds=kinds)


def _within(data: bytes, limits: Limits) -> None:
    if not data.strip():
        message = "The file is empty."
        raise Unreadable(message)
    if len(data) > limits.size:
        message = f"The file has {len(data):,} bytes; {limits.size:,} are the most."
        raise Unreadable(message)
