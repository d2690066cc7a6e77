"""What a symbol may stand for is ranked by what says so, and nothing is picked where two come as near."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.ranking import code_key, contract_key, multiple_in, place_in, suggest
from venues.suggestions import RANK, About, Evidence, Hit, Known, Said

USDC, FAKE, USD, SHIB, OTHER = (UUID(int=number) for number in range(1, 6))
ASSETS = {
    USDC: About("USD Coin (USDC)"),
    FAKE: About("USD Coin (look-alike) (USDC)", ("critical: scam",)),
    USD: About("US dollar (USD)"),
    SHIB: About("Shiba Inu (SHIB)"),
    OTHER: About("Other (OTHER)"),
}
TICKERS = {"USDC": (USDC, FAKE), "USD": (USD,), "SHIB": (SHIB,), "OTHER": (OTHER,)}


def hits(*keys, words="so it is said."):
    return tuple(Hit(key, words) for key in keys)


def known(**more):
    tickers = {name: hits(*keys) for name, keys in TICKERS.items()}
    return Known(**{"assets": ASSETS, "tickers": tickers, **more})


def said(base="SHIB", quote="USD", **more):
    return Said(
        **{"venue": "kraken", "symbol": f"{base}/{quote}", "base": base, "quote": quote, **more}
    )


class TestRanking:
    def test_a_ticker_that_one_asset_goes_by_is_suggested_as_that(self):
        found = suggest(said(), known())
        assert (found.best.base.asset_id, found.best.quote.asset_id) == (SHIB, USD)
        assert found.best.evidence is Evidence.TICKER
        assert found.warnings == ()

    def test_of_two_with_one_ticker_neither_is_suggested_and_it_is_said(self):
        found = suggest(said("USDC"), known())
        assert found.best is None
        assert {pair.base.asset_id for pair in found.choices} == {USDC, FAKE}
        assert "USDC may mean 2 assets by ticker: choose one." in found.warnings
        assert any("flagged: critical: scam" in text for text in found.warnings)
        # The flagged one stands last.
        assert found.choices[0].base.asset_id == USDC

    def test_what_was_agreed_to_at_the_venue_before_settles_it(self):
        found = suggest(said("USDC"), known(codes={code_key("kraken", "USDC"): hits(USDC)}))
        assert found.best.base.asset_id == USDC
        assert found.best.base.evidence is Evidence.IDENTIFIER
        # It rests on the weaker of its legs.
        assert found.best.evidence is Evidence.TICKER

    def test_a_code_of_another_venue_says_nothing(self):
        found = suggest(said("USDC"), known(codes={code_key("binance", "USDC"): hits(USDC)}))
        assert found.best is None

    def test_the_contract_comes_before_all_else(self):
        there = {contract_key("ethereum", "0xa0"): hits(USDC)}
        one = said("USDC", chain="ethereum", address="0xa0")
        found = suggest(one, known(contracts=there, names={"USD COIN": hits(FAKE)}))
        assert found.best.base.asset_id == USDC
        assert found.best.base.evidence is Evidence.CONTRACT

    def test_a_contract_and_a_code_that_disagree_leave_it_open(self):
        more = {
            "contracts": {contract_key("ethereum", "0xa0"): hits(USDC)},
            "codes": {code_key("kraken", "USDC"): hits(OTHER)},
        }
        found = suggest(said("USDC", chain="ethereum", address="0xa0"), known(**more))
        assert found.best is None
        assert "The contract and the venue's code name two assets." in found.warnings

    def test_a_flagged_asset_is_never_suggested_however_strong_the_evidence(self):
        there = {contract_key("ethereum", "0xa1"): hits(FAKE)}
        found = suggest(said("USDC", chain="ethereum", address="0xa1"), known(contracts=there))
        assert found.best is None
        assert found.choices[0].base.asset_id == FAKE

    def test_a_name_comes_before_a_ticker(self):
        found = suggest(said("OTHER", name="Shiba Inu"), known(names={"SHIBA INU": hits(SHIB)}))
        assert found.best.base.asset_id == SHIB
        assert found.best.base.evidence is Evidence.NAME
        assert found.choices[-1].base.asset_id == OTHER

    def test_a_currency_code_is_sure_only_where_nobody_else_goes_by_it(self):
        currencies = {"USD": hits(USD)}
        assert suggest(said(), known(currencies=currencies)).quote.best.asset_id == USD
        crowded = {**known().tickers, "USD": hits(USD, FAKE)}
        found = suggest(said(), known(currencies=currencies, tickers=crowded))
        assert found.quote.best is None
        assert "Others go by USD too." in found.warnings

    def test_what_only_looks_alike_is_said_and_not_offered(self):
        alike = {"SH1B": (), "SHIB": hits(OTHER)}
        found = suggest(said("SHIB"), known(looks=alike))
        assert [one.asset_id for one in found.base.candidates] == [SHIB]
        assert found.best is None
        assert "SHIB reads like Other (OTHER), which is not called that." in found.warnings

    def test_what_nobody_knows_has_no_candidate(self):
        found = suggest(said("NEW"), known())
        assert (found.best, found.choices) == (None, [])
        assert "The registry knows nothing called NEW." in found.warnings

    def test_a_retired_asset_that_is_known_no_more_is_no_candidate(self):
        assert suggest(said(), replace(known(), assets={USD: ASSETS[USD]})).choices == []

    def test_an_asset_is_never_paid_with_itself(self):
        assert suggest(said("USD", "USD"), known()).best is None


class TestMany:
    @pytest.mark.parametrize(
        ("code", "count", "coin"),
        [
            ("1000SHIB", 1000, "SHIB"),
            ("1000000MOG", 1_000_000, "MOG"),
            ("1MBABYDOGE", 1_000_000, "BABYDOGE"),
            ("kPEPE", 1000, "PEPE"),
            ("1INCH", 1, "1INCH"),
            ("KAVA", 1, "KAVA"),
            ("SHIB", 1, "SHIB"),
        ],
    )
    def test_a_code_says_how_many_of_a_coin_one_unit_is(self, code, count, coin):
        assert multiple_in(code) == (count, coin)

    def test_it_is_suggested_where_the_venue_states_the_same_size(self):
        found = suggest(said("1000SHIB", contract_size=Decimal(1000)), known())
        assert found.best.base.asset_id == SHIB

    def test_it_is_not_where_everything_would_be_counted_wrong(self):
        codes = {code_key("kraken", "1000SHIB"): hits(SHIB)}
        for more in ({}, {"codes": codes}):
            found = suggest(said("1000SHIB"), known(**more))
            assert found.best is None
            assert any("everything would be counted wrong" in text for text in found.warnings)

    def test_a_coin_of_that_very_name_is_itself_and_the_other_reading_is_said(self):
        tickers = {**known().tickers, "1000SHIB": hits(OTHER)}
        found = suggest(said("1000SHIB"), known(tickers=tickers))
        assert found.best is None
        assert "1000SHIB is also read as 1000 SHIB." in found.warnings


@pytest.mark.parametrize(
    ("symbol", "place"),
    [
        ("evm_ethereum_mainnet:0xA0b8", ("ethereum", "0xA0b8")),
        ("solana_mainnet:native", ("solana", "native")),
        ("BTC-USD", ("", "")),
        ("xyz:GOLD and more", ("", "")),
    ],
)
def test_a_symbol_in_custody_names_its_contract(symbol, place):
    assert place_in(symbol) == place


SOME = st.sampled_from([hits(*keys) for size in range(4) for keys in permutations(ASSETS, size)])
NAMES = st.sampled_from(["SHIB", "USD", "USDC", "1000SHIB", "kSHIB", "NEW"])


@st.composite
def questions(draw):
    base, quote = draw(NAMES), draw(NAMES)
    one = said(
        base,
        quote,
        chain="ethereum",
        address=draw(st.sampled_from(["", "0xa0"])),
        contract_size=draw(st.sampled_from([Decimal(1), Decimal(1000)])),
        name=draw(st.sampled_from(["", "Shiba Inu"])),
    )
    what = Known(
        assets=ASSETS,
        contracts={contract_key("ethereum", "0xa0"): draw(SOME)},
        codes={code_key("kraken", name): draw(SOME) for name in (base, quote)},
        currencies={quote: draw(SOME)},
        names={"SHIBA INU": draw(SOME)},
        tickers={name: draw(SOME) for name in ("SHIB", "USD", "USDC", "1000SHIB")},
        looks={name: draw(SOME) for name in ("SHIB", "USD")},
    )
    return one, what


@given(questions())
def test_what_is_suggested_stands_first_alone_and_undoubted(question):
    found = suggest(*question)
    for leg in (found.base, found.quote):
        ranks = [RANK[one.evidence] for one in leg.candidates]
        assert ranks == sorted(ranks)
        ids = [one.asset_id for one in leg.candidates]
        assert len(set(ids)) == len(ids)
        if leg.best is None:
            continue
        assert leg.best == leg.candidates[0]
        assert ranks.count(ranks[0]) == 1
        assert not leg.best.doubts
        assert leg.best.asset_id != FAKE
    if found.best is not None:
        assert found.best.evidence in {found.best.base.evidence, found.best.quote.evidence}
        assert found.pair(found.best.base.asset_id, found.best.quote.asset_id) == found.best


@given(questions())
def test_what_is_not_suggested_says_why(question):
    found = suggest(*question)
    is_itself = found.base.best and found.quote.best
    if found.best is None and not is_itself:
        assert found.warnings


@given(questions())
def test_the_order_in_which_the_registry_answers_changes_nothing(question):
    one, what = question
    turned = {
        name: {key: tuple(reversed(rows)) for key, rows in getattr(what, name).items()}
        for name in ("contracts", "codes", "currencies", "names", "tickers", "looks")
    }
    again = suggest(one, replace(what, **turned))
    first = suggest(one, what)
    assert [(c.asset_id, c.evidence) for c in again.base.candidates] == [
        (c.asset_id, c.evidence) for c in first.base.candidates
    ]
    assert (again.best is None) == (first.best is None)
