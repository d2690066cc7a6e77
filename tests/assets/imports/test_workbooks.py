"""Workbooks: the sheet that is shown first is read, and nothing in one is trusted."""

import zipfile

import pytest

from assets.imports import Format, Limits, Unreadable, header_of, table_of
from tests.assets.imports.workbook import BOOK, LINKS, MAIN, in_a_sheet, packed, xlsx

SHEET = "worksheets/sheet1.xml"


def table(data, limits=None):
    return table_of(data, Format.XLSX, limits or Limits())


def cells(row):
    return table(xlsx([], **{SHEET: in_a_sheet(f"<row r='1'>{row}</row>")})).header


class TestSheets:
    def test_the_first_that_is_shown_is_read_with_its_line_numbers(self):
        found = table(xlsx([["symbol", "name"], ["A", "<Ampersand & Co>"], ["", ""], ["B", "b"]]))

        assert found.header == ("symbol", "name")
        assert found.rows == ((2, ("A", "<Ampersand & Co>")), (4, ("B", "b")))

    def test_cells_that_are_left_out_are_empty(self):
        assert cells('<c r="A1"><v>1</v></c><c r="C1"><v>3</v></c><c><v>4</v></c>') == (
            *("1", "", "3", "4"),
        )

    def test_texts_numbers_and_truths_are_read_as_people_see_them(self):
        row = '<c t="inlineStr"><is><t>in</t><r><t>line</t></r></is></c>'
        row += '<c t="b"><v>1</v></c><c t="str"><f>1+1</f><v>two</v></c><c t="s"><v>99</v></c>'
        with pytest.raises(Unreadable):
            cells(row)
        assert cells(row.replace('t="s"', 't="n"')) == ("inline", "yes", "two", "99")

    def test_how_a_text_is_spoken_is_no_part_of_it(self):
        shared = f'<sst xmlns="{MAIN}"><si><t>東京</t><rPh><t>とうきょう</t></rPh></si></sst>'
        data = xlsx(
            [],
            **{
                "sharedStrings.xml": shared,
                SHEET: in_a_sheet('<row><c t="s"><v>0</v></c></row>'),
            },
        )
        assert table(data).header == ("東京",)

    def test_the_header_is_read_without_what_is_below_it(self):
        broken = in_a_sheet("<row><c><v> </v></c></row><row><c><v>symbol</v></c></row><row>&;")
        data = xlsx([], **{SHEET: broken})
        assert header_of(data, Format.XLSX) == ("symbol",)
        with pytest.raises(Unreadable):
            table(data)
        assert header_of(b"\n;\nsymbol;name\n", Format.CSV) == ("symbol", "name")
        with pytest.raises(Unreadable, match="The table is empty"):
            header_of(b",\n", Format.CSV)


class TestNothingIsTrusted:
    @pytest.mark.parametrize(
        "data",
        [
            b"PK\x03\x04 and nothing else",
            packed({}),
            packed({"xl/workbook.xml": BOOK}),
            packed({"xl/workbook.xml": BOOK, "xl/_rels/workbook.xml.rels": LINKS}),
            packed({"xl/workbook.xml": "<workbook/>", "xl/_rels/workbook.xml.rels": LINKS}),
            xlsx([["a"]], **{SHEET: "<worksheet><row>"}),
            xlsx([["a"]], **{SHEET: "\x00"}),
            xlsx([["a"]])[:-60],
            packed({"xl/workbook.xml": BOOK}, zipfile.ZIP_BZIP2),
        ],
    )
    def test_what_is_no_workbook_is_refused_in_words(self, data):
        with pytest.raises(Unreadable, match="not an XLSX workbook"):
            table(data)

    @pytest.mark.parametrize("part", [SHEET, "sharedStrings.xml", "workbook.xml"])
    def test_no_part_declares_a_document_type_so_no_entity_is_expanded(self, part):
        bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
        with pytest.raises(Unreadable, match="declares a document type"):
            table(xlsx([["a"]], **{part: bomb}))

    def test_what_unpacks_to_more_than_is_allowed_is_put_away(self):
        data = xlsx([["a"]], **{"sharedStrings.xml": f"<sst>{' ' * 5_000_000}</sst>"})
        assert len(data) < 20_000
        with pytest.raises(Unreadable, match="unpacks to more than 1,000,000 bytes"):
            table(data, Limits(unpacked=1_000_000))

    def test_depth_rows_columns_and_cells_have_a_bound(self):
        deep = "<a>" * 65 + "</a>" * 65
        with pytest.raises(Unreadable, match="nested deeper"):
            table(xlsx([["a"]], **{SHEET: deep}))
        with pytest.raises(Unreadable, match="more than 2 rows"):
            table(xlsx([["a"]] * 9), Limits(rows=2))
        with pytest.raises(Unreadable, match="more than 100 columns"):
            cells('<c r="XFD1"><v>1</v></c>')
        with pytest.raises(Unreadable, match="more than 2,000 characters"):
            table(xlsx([["a"], ["x" * 100_000]]))
