"""Writes XLSX workbooks as small as they may be, sound ones and broken ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets>'
    '<sheet name="Hidden" sheetId="1" state="hidden" r:id="rId9"/>'
    '<sheet name="List" sheetId="2" r:id="rId1"/></sheets></workbook>'
)
LINKS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{LINK}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>"
)


def xlsx(rows: Sequence[Sequence[str]], **parts: str) -> bytes:
    """Write a workbook whose texts are shared, as every office writes them; `parts` replaces some of it."""
    texts = list(dict.fromkeys(cell for row in rows for cell in row))
    shared = "".join(f"<si><r><t>{escape(text)}</t></r></si>" for text in texts)
    sheet = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{chr(65 + at)}{number}" t="s"><v>{texts.index(cell)}</v></c>'
            for at, cell in enumerate(row)
        )
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
    return packed(
        {
            "xl/workbook.xml": BOOK,
            "xl/_rels/workbook.xml.rels": LINKS,
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
            "xl/worksheets/sheet1.xml": in_a_sheet(sheet),
            **{f"xl/{name}": text for name, text in parts.items()},
        }
    )


def in_a_sheet(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def packed(files: Mapping[str, str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as book:
        for name, text in files.items():
            book.writestr(name, text)
    return held.getvalue()
