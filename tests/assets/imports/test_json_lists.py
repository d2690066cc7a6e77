"""Lists in JSON: what is read of them, on which line, and what is told of an item that is wrong."""

import json

import pytest

from assets.imports import Format, Limits, Unreadable, detect, read

KINDS = frozenset({"native", "token"})
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"


def coins(*items, **options):
    return list(read(json.dumps(items, **options).encode(), Format.COINS, kinds=KINDS, mapping={}))


def tokens(*items):
    data = json.dumps({"name": "A list", "tokens": items}).encode()
    return list(read(data, Format.TOKENS, kinds=KINDS, mapping={}))


def usdc(**changes):
    said = {"id": "usd-coin", "symbol": "usdc", "name": "USDC"}
    return {**said, "platforms": {"ethereum": USDC, "": ""}, **changes}


def token(**changes):
    said = {"chainId": 1, "address": USDC, "symbol": "USDC", "name": "USDC", "decimals": 6}
    return {**said, "logoURI": "https://x", "extensions": {"a": [1]}, **changes}


class TestCoinLists:
    def test_a_coin_is_a_line_and_one_for_each_platform_that_is_named(self):
        one, there = coins(usdc())

        assert (one.symbol, one.name, one.kind, one.chain) == ("USDC", "USDC", "token", "")
        assert (there.chain, there.address, there.decimals) == ("ethereum", USDC, None)
        assert one.subject == there.subject == "coingecko:usd-coin"
        assert there.place == "coin 1, ethereum"

    def test_decimals_come_from_the_details_of_a_platform(self):
        detail = {"base": {"contract_address": USDC, "decimal_place": 6}, "solana": None}
        found = coins(usdc(detail_platforms=detail))

        assert [(one.chain, one.decimals) for one in found] == [
            ("", None),
            ("ethereum", None),
            ("base", 6),
        ]

    def test_a_coin_without_platforms_is_one_of_its_own_chain(self):
        (one,) = coins(usdc(platforms={}))
        assert (one.kind, one.error) == ("native", "")

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (5, "Expected `object`, got `int`"),
            (usdc(id=3), "Expected `str`, got `int` - at `$.id`"),
            ({"id": "x", "symbol": "x"}, "missing required field `name`"),
            (usdc(id="  "), "The id of the coin is missing."),
            (usdc(symbol="x" * 33), "The symbol is longer than 32 characters."),
            (usdc(name="A\u200bB"), "The name holds a character that cannot be shown."),
            (usdc(platforms={f"p{n}": "a" for n in range(201)}), "No coin has 201 platforms."),
        ],
    )
    def test_an_item_that_is_wrong_is_told_and_the_next_is_read(self, wrong, words):
        *bad, good = coins(wrong, usdc(id="next", platforms={}))

        assert words in bad[0].error
        assert (good.coingecko, good.error) == ("next", "")

    def test_every_item_names_the_line_it_begins_on(self):
        found = coins(usdc(platforms={}), 7, 7, usdc(id="b", platforms={}), indent=1)

        assert [one.line for one in found] == [2, 8, 9, 10]


class TestTokenLists:
    def test_a_token_is_one_contract_on_the_chain_with_that_number(self):
        (one,) = tokens(token())

        assert (one.chain, one.address, one.decimals) == ("1", USDC, 6)
        assert (one.symbol, one.kind, one.error) == ("USDC", "token", "")

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (token(decimals=37), "Decimals are a whole number from 0 to 36"),
            (token(decimals=-1), "Decimals are a whole number"),
            (token(decimals="6"), "Expected `int`, got `str` - at `$.decimals`"),
            (token(address=""), "An address is missing"),
            (token(symbol=" "), "The symbol is missing."),
            ({"chainId": 1}, "missing required field `address`"),
        ],
    )
    def test_a_token_that_is_wrong_is_told(self, wrong, words):
        (one,) = tokens(wrong)
        assert words in one.error


class TestWholeFiles:
    @pytest.mark.parametrize(
        ("data", "form", "words"),
        [
            (b" ", Format.COINS, "The file is empty"),
            (b"[", Format.COINS, "This is not a list of coins in JSON: Input data was truncated."),
            (b"{}", Format.COINS, "Expected `array`"),
            (b"[]", Format.TOKENS, "Expected `object`"),
            (b'{"name": "x"}', Format.TOKENS, "missing required field `tokens`"),
            (b"[" * 100_000, Format.COINS, "goes deeper|in JSON"),
            (b'{"tokens": ' + b"[" * 100_000, Format.TOKENS, "goes deeper|in JSON"),
        ],
    )
    def test_what_is_no_list_is_refused_in_words(self, data, form, words):
        with pytest.raises(Unreadable, match=words):
            list(read(data, form, kinds=KINDS, mapping={}))

    def test_a_broken_text_is_told_on_its_item(self):
        (one,) = read(b'["\xff"]', Format.COINS, kinds=KINDS, mapping={})
        assert "not written as a coin" in one.error

    def test_more_items_than_are_allowed_are_refused(self):
        with pytest.raises(Unreadable, match="3 items; 2 are the most"):
            list(read(b"[1,2,3]", Format.COINS, kinds=KINDS, mapping={}, limits=Limits(rows=2)))

    def test_the_format_is_told_from_how_a_file_begins(self):
        assert detect(b"\xef\xbb\xbf [1]") is Format.COINS
        assert detect(b'\n{"tokens": []}') is Format.TOKENS
        assert detect(b"PK\x03\x04...") is Format.XLSX
        assert detect(b"symbol,name") is Format.CSV
