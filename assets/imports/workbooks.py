"""The first sheet of an XLSX workbook, read with the standard library and without trust.

A workbook is XML in a ZIP. Nothing in it may declare a document type, so there is no entity to expand; what is
unpacked is counted as it comes, so a bomb is put away after the first bytes too many.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from xml.parsers import expat

from assets.imports.lines import Limits, Unreadable
from assets.imports.tables import Table, headed

CHUNK = 256 * 1024
MOST_FILES = 2_000
BOOK, LINKS, STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
Attributes = dict[str, str]
NOT_A_BOOK = "This is not an XLSX workbook that can be read"
_BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, KeyError),
    *(NotImplementedError, RuntimeError, OSError, ValueError, OverflowError, IndexError),
)


def xlsx_table(data: bytes, limits: Limits) -> Table:
    return headed(xlsx_rows(data, limits), limits)


def xlsx_rows(
    data: bytes, limits: Limits, *, first: bool = False
) -> list[tuple[int, tuple[str, ...]]]:
    """Read the rows of the sheet that is shown first, or only the first of them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return _Book(book, limits).rows(first=first)
    except Unreadable:
        raise
    except _BROKEN as error:
        message = f"{NOT_A_BOOK}: {str(error) or type(error).__name__}."
        raise Unreadable(message) from error


class _Book:
    """What is read of one workbook; everything it unpacks counts against one limit."""

    def __init__(self, book: zipfile.ZipFile, limits: Limits) -> None:
        if len(book.infolist()) > MOST_FILES:
            message = f"{NOT_A_BOOK}: it holds more than {MOST_FILES} files."
            raise Unreadable(message)
        self._book, self._limits = book, limits
        self._left = limits.unpacked

    def rows(self, *, first: bool) -> list[tuple[int, tuple[str, ...]]]:
        sheet = self._first_sheet()
        strings = _Strings(self._limits)
        if STRINGS in self._book.namelist():
            self._parse(STRINGS, strings)
        found = _Sheet(strings.found, self._limits, is_first_alone=first)
        with suppress(_Enough):
            self._parse(sheet, found)
        return found.rows

    def _first_sheet(self) -> str:
        """Follow the links to the sheet that the workbook shows first."""
        names, links = _Named("sheet"), _Named("Relationship")
        self._parse(BOOK, names)
        self._parse(LINKS, links)
        wanted = next((one for one in names.found if one.get("state", "visible") == "visible"), {})
        key = next((value for name, value in wanted.items() if name.endswith(":id")), "")
        for link in links.found:
            if link.get("Id") == key and key:
                return posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
        message = f"{NOT_A_BOOK}: it has no sheet."
        raise Unreadable(message)

    def _parse(self, name: str, into: _Reader) -> None:
        """Feed a part to a reader piece by piece, as far as it may be unpacked."""
        parser = _parser(into, self._limits)
        info = self._book.getinfo(name)
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            message = f"{NOT_A_BOOK}: it is packed in an unusual way."
            raise Unreadable(message)
        with self._book.open(info) as part:
            while piece := part.read(CHUNK):
                self._left -= len(piece)
                if self._left < 0:
                    message = f"It unpacks to more than {self._limits.unpacked:,} bytes."
                    raise Unreadable(message)
                _feed(parser, piece, name, is_last=False)
        _feed(parser, b"", name, is_last=True)


def _feed(parser: expat.XMLParserType, piece: bytes, name: str, *, is_last: bool) -> None:
    try:
        parser.Parse(piece, is_last)
    except expat.ExpatError as error:
        message = f"{NOT_A_BOOK}: {name} is broken at its line {error.lineno}."
        raise Unreadable(message) from error


class _Reader:
    """Hears the elements of one part."""

    def begins(self, name: str, attributes: Attributes) -> None: ...

    def ends(self, name: str) -> None: ...

    def says(self, text: str) -> None: ...


def _parser(into: _Reader, limits: Limits) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def refuse(*_: object) -> None:
        message = f"{NOT_A_BOOK}: it declares a document type, which no workbook needs."
        raise Unreadable(message)

    def begins(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.depth:
            message = f"{NOT_A_BOOK}: it is nested deeper than any workbook."
            raise Unreadable(message)
        into.begins(name.rpartition(":")[2], attributes)

    def ends(name: str) -> None:
        nonlocal depth
        depth -= 1
        into.ends(name.rpartition(":")[2])

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = begins
    parser.EndElementHandler = ends
    parser.CharacterDataHandler = into.says
    return parser


class _Enough(Exception):
    """No more of it has to be read."""


class _Named(_Reader):
    """Collects the attributes of every element of one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[Attributes] = []

    def begins(self, name: str, attributes: Attributes) -> None:
        if name == self._name:
            self.found.append(attributes)


class _Texts(_Reader):
    """Puts pieces of text together, as far as a cell may go."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pieces: list[str] | None = None
        self._length = 0

    def start(self) -> None:
        self._pieces, self._length = [], 0

    def says(self, text: str) -> None:
        if self._pieces is not None:
            self._length += len(text)
            # One more than allowed is kept, so that the table says which line is too long.
            if self._length <= self._limits.cell + len(text):
                self._pieces.append(text)

    def taken(self) -> str:
        pieces, self._pieces = self._pieces, None
        return "".join(pieces or ())


class _Strings(_Texts):
    """The texts that cells refer to by number; notes on how to speak them are left out."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.found: list[str] = []
        self._is_spoken = False
        self._parts: list[str] = []

    def begins(self, name: str, attributes: Attributes) -> None:  # noqa: ARG002 -- as every reader
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._is_spoken = True
        elif name == "t" and not self._is_spoken:
            self.start()

    def ends(self, name: str) -> None:
        if name == "t" and not self._is_spoken:
            self._parts.append(self.taken())
        elif name == "rPh":
            self._is_spoken = False
        elif name == "si":
            self.found.append("".join(self._parts))


class _Sheet(_Texts):
    """The rows of a sheet with their numbers; cells that are not there are empty."""

    def __init__(self, strings: list[str], limits: Limits, *, is_first_alone: bool) -> None:
        super().__init__(limits)
        self._is_first_alone = is_first_alone
        self.rows: list[tuple[int, tuple[str, ...]]] = []
        self._strings = strings
        self._line = 0
        self._cells: dict[int, str] = {}
        self._column = -1
        self._type = ""
        self._value = ""
        self._begin: dict[str, Callable[[Attributes], None]] = {"row": self._row, "c": self._cell}

    def begins(self, name: str, attributes: Attributes) -> None:
        if name in self._begin:
            self._begin[name](attributes)
        elif name in {"v", "t"}:
            self.start()

    def ends(self, name: str) -> None:
        if name in {"v", "t"}:
            self._value += self.taken()
        elif name == "c":
            self._cells[self._column] = self._written()
        elif name == "row" and self._cells:
            width = max(self._cells) + 1
            self.rows.append((self._line, tuple(self._cells.get(at, "") for at in range(width))))
            if self._is_first_alone and any(cell.strip() for cell in self._cells.values()):
                raise _Enough

    def _row(self, attributes: Attributes) -> None:
        number = attributes.get("r", "")
        # Rows that stand out of order are counted on, so that a place is never named twice.
        named = int(number) if number.isdecimal() and len(number) <= 7 else 0  # noqa: PLR2004
        self._line = max(self._line + 1, named)
        self._cells, self._column = {}, -1
        # The header, and one more than are allowed, so that the table refuses it.
        if len(self.rows) > self._limits.rows + 1:
            message = f"The table has more than {self._limits.rows:,} rows, which are the most."
            raise Unreadable(message)

    def _cell(self, attributes: Attributes) -> None:
        named = CELL.fullmatch(attributes.get("r", ""))
        self._column = _column(named[1]) if named else self._column + 1
        if self._column >= self._limits.columns:
            message = f"Line {self._line} has more than {self._limits.columns} columns."
            raise Unreadable(message)
        self._type, self._value = attributes.get("t", "n"), ""

    def _written(self) -> str:
        if self._type == "s":
            number = self._value.strip()
            is_one = number.isdecimal() and len(number) < 9  # noqa: PLR2004 -- past any real one
            return self._strings[int(number)] if is_one else ""
        if self._type == "b":
            return "yes" if self._value.strip() == "1" else "no"
        return self._value


def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1
