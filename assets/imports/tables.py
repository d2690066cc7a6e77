"""Tables, whoever wrote them: a first row that names the columns, and which column says what."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass

from assets.imports.lines import Limits, Line, Unreadable, line_of

# What a table can say, as a page asks for it.
FIELDS = {
    "symbol": "Symbol",
    "name": "Name",
    "kind": "Type",
    "category": "Category",
    "asset_id": "Id of the asset here",
    "coingecko": "CoinGecko id",
    "coinmarketcap": "CoinMarketCap id",
    "defillama": "DefiLlama id",
    "chain": "Chain",
    "address": "Address",
    "decimals": "Decimals",
    "canonical": "Canonical contract",
}
_ALSO = {
    "symbol": ("ticker", "code"),
    "name": ("asset name", "title"),
    "kind": ("asset type",),
    "asset_id": ("asset id", "asset"),
    "coingecko": ("coingecko", "coin gecko id"),
    "coinmarketcap": ("coinmarketcap", "cmc", "cmc id"),
    "defillama": ("defillama", "llama id"),
    "chain": ("network", "platform", "blockchain", "chain id"),
    "address": ("contract", "contract address", "token address"),
    "decimals": ("decimal places", "decimal place"),
    "canonical": ("is canonical",),
}
DELIMITERS = (",", ";", "\t", "|")
EMPTY = "The table is empty: its first row names the columns."
# From a field to the name of its column.
Mapping = AnyMapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns, and the rows below with the line each begins on."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def guessed(header: tuple[str, ...]) -> dict[str, str]:
    """Choose for each field the column that is called like it; nothing where none is."""
    by_name = {_folded(column): column for column in reversed(header) if column}
    found: dict[str, str] = {}
    for field, label in FIELDS.items():
        for name in (field, label, *_ALSO.get(field, ())):
            column = by_name.get(_folded(name))
            if column is not None and column not in found.values():
                found[field] = column
                break
    return found


def _folded(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def lines_of(table: Table, mapping: Mapping, *, kinds: frozenset[str]) -> Iterator[Line]:
    """Read each row by the columns that were chosen."""
    places = {column: place for place, column in reversed(list(enumerate(table.header)))}
    chosen = {}
    for field, column in mapping.items():
        if field not in FIELDS or column not in places:
            message = f"There is no column {column!r} in this file for {field!r}."
            raise Unreadable(message)
        chosen[field] = places[column]
    for line, cells in table.rows:
        said = {field: cells[place] for field, place in chosen.items() if place < len(cells)}
        yield line_of(line=line, place="", said=said, kinds=kinds)


def headed(rows: Iterable[tuple[int, tuple[str, ...]]], limits: Limits) -> Table:
    """Take the first row that says anything as the header, and leave out rows that say nothing."""
    header: tuple[str, ...] = ()
    found: list[tuple[int, tuple[str, ...]]] = []
    for line, cells in rows:
        _within(line, cells, limits)
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = tuple(_name(cell) for cell in cells)
            continue
        if len(found) == limits.rows:
            message = f"The table has more than {limits.rows:,} rows, which are the most."
            raise Unreadable(message)
        found.append((line, cells))
    if not header:
        raise Unreadable(EMPTY)
    return Table(header, tuple(found))


def _name(cell: str) -> str:
    return " ".join(cell.replace("\x00", " ").split()).encode("utf-8", "replace").decode()


def _within(line: int, cells: tuple[str, ...], limits: Limits) -> None:
    if len(cells) > limits.columns:
        message = f"Line {line} has {len(cells)} columns; {limits.columns} are the most."
        raise Unreadable(message)
    if any(len(cell) > limits.cell for cell in cells):
        message = f"Line {line} has a cell of more than {limits.cell:,} characters."
        raise Unreadable(message)


def header_in(rows: Iterable[tuple[int, tuple[str, ...]]], limits: Limits) -> tuple[str, ...]:
    """Name the columns, by the first row that says anything; the others are not read."""
    for line, cells in rows:
        _within(line, cells, limits)
        if any(cell.strip() for cell in cells):
            return tuple(_name(cell) for cell in cells)
    raise Unreadable(EMPTY)


def csv_table(data: bytes, limits: Limits) -> Table:
    """Read values that are parted by commas, semicolons, tabs or bars, in UTF-8."""
    return headed(csv_rows(data), limits)


def csv_rows(data: bytes) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"Line {line} is not written in UTF-8. Save the file as CSV in UTF-8."
        raise Unreadable(message) from error
    first = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    began = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"Line {began} cannot be read as CSV: {error}."
            raise Unreadable(message) from error
        yield began, tuple(cells)
        began = reader.line_num + 1
