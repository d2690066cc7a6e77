"""Tables: how columns are found, which line is which, and what is told of a row that is wrong."""

import pytest

from assets.imports import Format, Limits, Unreadable, guessed, read, table_of

KINDS = frozenset({"native", "token"})
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
HEADER = "symbol,name,type,coingecko,chain,address,decimals,canonical"


def lines(text, limits=None):
    data = text.encode()
    table = table_of(data, Format.CSV)
    return list(read(data, Format.CSV, kinds=KINDS, mapping=guessed(table.header)))


class TestColumns:
    def test_are_found_by_what_they_are_called(self):
        header = ("Ticker", "Asset Name", "Contract Address", "network", "CMC id", "Decimals", "x")

        assert guessed(header) == {
            "symbol": "Ticker",
            "name": "Asset Name",
            "address": "Contract Address",
            "chain": "network",
            "coinmarketcap": "CMC id",
            "decimals": "Decimals",
        }

    def test_one_that_is_not_there_is_refused(self):
        with pytest.raises(Unreadable, match="no column 'Nummer'"):
            list(read(b"a,b\n1,2\n", Format.CSV, kinds=KINDS, mapping={"symbol": "Nummer"}))


class TestRows:
    def test_are_read_by_their_columns(self):
        (one,) = lines(f"{HEADER}\nUSDC,USD Coin,Token,usd-coin,ethereum,{USDC},6.0,Yes\n")

        assert (one.symbol, one.name, one.kind, one.coingecko) == (
            *("USDC", "USD Coin", "token", "usd-coin"),
        )
        assert (one.chain, one.address, one.decimals, one.is_canonical) == (
            *("ethereum", USDC, 6, True),
        )
        assert (one.line, one.error, one.subject) == (2, "", "coingecko:usd-coin")

    def test_name_the_line_they_begin_on_over_empty_ones_and_line_breaks(self):
        found = lines(f'{HEADER}\n\nA,"of two\nlines",,a,,,,\n , ,\nB,b,,b,,,,\n')

        assert [(one.line, bool(one.error)) for one in found] == [(3, True), (6, False)]

    @pytest.mark.parametrize("mark", [";", "\t", "|"])
    def test_may_be_parted_otherwise(self, mark):
        (one,) = lines(f"symbol{mark}name{mark}coingecko\nA{mark}b, c{mark}id\n")
        assert (one.symbol, one.name, one.coingecko) == ("A", "b, c", "id")

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("USDC,USD Coin,,,,,,", "Nothing says which asset it is"),
            (",USD Coin,,usd-coin,,,,", "The symbol is missing."),
            ("USDC,,,usd-coin,,,,", "The name is missing."),
            ("USDC,USD Coin,thing,usd-coin,,,,", "'thing' is no type of asset: native, token."),
            ("USDC,USD Coin,,usd-coin,ethereum,,,", "An address is missing"),
            (f"USDC,USD Coin,,usd-coin,,{USDC},,", "A chain is missing"),
            ("USDC,USD Coin,,usd-coin,,,six,", "and not 'six'"),
            ("USDC,USD Coin,,usd-coin,,,6.5,", "and not '6.5'"),
            ("USDC,USD Coin,,usd-coin,,,\u0666,", "Decimals are a whole number"),
            ("USDC,USD Coin,,usd-coin,,,37,", "from 0 to 36"),
            ("USDC,USD Coin,,usd-coin,,,,maybe", "Canonical is yes or no"),
        ],
    )
    def test_that_are_wrong_say_why(self, row, words):
        (one,) = lines(f"{HEADER}\n{row}\n")
        assert words in one.error

    def test_an_id_of_ours_is_enough_and_has_to_be_one(self):
        key = "3f0c2d9e-6d0f-4f0e-9f5e-0a4de0f0b6c1"
        good, bad = lines(f"asset_id,category\n{key.upper()},lending\nnothing,lending\n")

        assert (good.subject, good.category, good.error) == (f"id:{key}", "lending", "")
        assert "is no id of an asset here" in bad.error


class TestWholeTables:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"\n\n", "empty"),
            (b",,\n,,\n", "The table is empty"),
            (b"a,b\nc,\xff\n", "Line 2 is not written in UTF-8"),
            (b'a,b\n"c,d\n', "Line 2 cannot be read as CSV"),
            (b"a,b\n" + b"x" * 2001 + b",y\n", "Line 2 has a cell of more than 2,000"),
            (b"a" + b"," * 100 + b"\n", "Line 1 has 101 columns"),
            (b'"' + b"x" * 200_000 + b'"\n', "cannot be read as CSV"),
        ],
    )
    def test_that_cannot_be_read_are_refused_in_words(self, data, words):
        with pytest.raises(Unreadable, match=words):
            table_of(data, Format.CSV)

    def test_more_rows_or_bytes_than_are_allowed_are_refused(self):
        with pytest.raises(Unreadable, match="more than 2 rows"):
            table_of(b"a\n1\n2\n3\n", Format.CSV, Limits(rows=2))
        with pytest.raises(Unreadable, match="8 bytes; 7 are the most"):
            table_of(b"a\n1\n2\n3\n", Format.CSV, Limits(size=7))


def test_only_hexadecimal_is_the_same_in_other_capitals():
    rows = ["A,a,,,x,0xAB,,", "A,a,,,x,0xab,,", "B,b,,,x,0x2::B,,", "B,b,,,x,0x2::b,,"]
    found = [one.subject for one in lines("\n".join([HEADER, *rows]))]
    assert len(set(found)) == 3
    assert found[0] == found[1]
