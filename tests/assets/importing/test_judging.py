"""What a line comes to: new, changed, conflicting, ignored or wrong, always with why."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from assets.models import Asset
from assets.services.catalogue import retire_asset, update_asset
from assets.services.identifiers import add_identifier, end_identifier
from tests.assets import stage
from tests.assets.importing.brought import applied, brought, outcomes, table, words

pytestmark = pytest.mark.django_db
USDC, WETH = stage.USDC, stage.WETH
OTHER = "0x6B175474E89094C44Da98b954EedeAC495271d0F"


@pytest.fixture(autouse=True)
def ethereum(db):
    return stage.chain()


@pytest.fixture
def usdc(steward):
    """Stand for what a person recorded."""
    made = stage.asset("USDC", "USD Coin", kind="stablecoin", by=steward)
    stage.deployed(made, by=steward)
    add_identifier(
        asset_id=made.pk, scheme="coingecko", value="usd-coin", source="stella", by=steward
    )
    return made


def judged(steward, *rows, **more):
    batch = brought(table(*rows), steward, **more)
    assert batch.state == "ready", batch.words
    return batch


class TestNew:
    def test_an_asset_nobody_knows_is_new_with_its_id_and_contract(self, steward):
        batch = judged(steward, f"UNI,Uniswap,token,uniswap,ethereum,{USDC.lower()},18,")

        row = batch.rows.get()
        assert (row.outcome, row.deeds) == ("new", ["asset", "identifier", "contract"])
        assert row.address == USDC
        assert None not in {row.asset_id, row.deployment_id}
        assert row.known_id is None
        done = dict.fromkeys(["lines", "new", "asset", "identifier", "contract"], 1)
        assert batch.counts == done
        assert not Asset.objects.exists()

    def test_a_contract_more_of_a_known_asset_is_new(self, steward, usdc):
        stage.chain("base")
        batch = judged(steward, f"USDC,USD Coin,,usd-coin,base,{OTHER},6,")
        row = batch.rows.get()
        assert (row.outcome, row.deeds, row.known_id) == ("new", ["contract"], usdc.pk)

    def test_an_asset_is_found_by_its_address_and_gains_an_id(self, steward):
        made = stage.asset("USDC", "USD Coin")
        stage.deployed(made)
        batch = judged(steward, f"USDC,USD Coin,,usd-coin,ethereum,{USDC},6,")
        row = batch.rows.get()
        assert (row.deeds, row.known_id) == (["identifier"], made.pk)

    def test_a_ticker_is_no_identity_but_whoever_shares_it_is_named(self, steward, usdc):
        batch = judged(steward, "usdc,Another Dollar,,another,,,,")
        assert outcomes(batch) == ["new"]
        assert words(batch) == [
            "new asset, new identifier: Others in use go by usdc: USD Coin",
        ]

    def test_without_decimals_the_contract_is_left_out(self, steward):
        coin = {"id": "uniswap", "symbol": "uni", "name": "Uniswap"}
        coin["platforms"] = {"ethereum": USDC, "sui": "0x2::sui"}
        batch = brought(json.dumps([coin]).encode(), steward)
        assert outcomes(batch) == ["new", "ignored", "ignored"]
        assert words(batch)[1:] == [
            ": The list does not say its decimals, so the contract is left out.",
            ": No chain here is called sui.",
        ]


class TestIgnored:
    def test_what_stands_here_already_is_not_new(self, steward, usdc):
        batch = judged(
            steward,
            f"USDC,USD Coin,,usd-coin,ethereum,{USDC},6,",
            "usdc,usd coin,,usd-coin,,,,",
        )
        assert outcomes(batch)[0] == "ignored"
        assert words(batch)[0] == ": All of it stands here already."


class TestConflicting:
    """What a person said stands, whatever a list says."""

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            (
                f"USDC,USD Coin,,usd-coin,ethereum,{USDC},18,",
                "The list says 18 decimals; here stand 6, by issuer.",
            ),
            (
                f"USDC,USD Coin,,usd-coin,ethereum,{USDC},6,yes",
                "The list says 6 decimals, canonical; here stand 6, by issuer.",
            ),
            (
                "USDC,Circle Dollar,,usd-coin,,,,",
                "This desk calls it USD Coin (USDC), and that stays.",
            ),
            (
                "USD,USD Coin,,usd-coin,,,,",
                "This desk calls it USD Coin (USDC), and that stays.",
            ),
            (
                f"USDC,USD Coin,,usdc,ethereum,{USDC},6,",
                "Its CoinGecko id is usd-coin here, by stella.",
            ),
        ],
    )
    def test_a_list_that_says_otherwise_changes_nothing(self, steward, usdc, row, why):
        batch = judged(steward, row)
        assert outcomes(batch) == ["conflicting"]
        assert words(batch) == [f": {why}"]

    def test_an_address_of_another_asset(self, steward, usdc):
        weth = stage.asset("WETH", "Wrapped Ether")
        add_identifier(asset_id=weth.pk, scheme="coingecko", value="weth", source="x", by=None)
        batch = judged(steward, f"WETH,Wrapped Ether,,weth,ethereum,{USDC},18,")
        assert words(batch) == [": Its address is USD Coin (USDC) here."]

    def test_a_second_canonical_contract(self, steward, usdc):
        stage.deployed(usdc, OTHER, is_canonical=True)
        batch = judged(steward, f"USDC,USD Coin,,usd-coin,ethereum,{WETH},6,yes")
        assert words(batch) == [f": The canonical contract on this chain is {OTHER} here."]

    def test_what_was_retired_or_ended_by_a_person_stays_so(self, steward, usdc):
        now = timezone.now()
        gone = stage.asset("OLD", "Old")
        add_identifier(asset_id=gone.pk, scheme="coingecko", value="old", source="x", by=None)
        retire_asset(asset_id=gone.pk, expected_version=1, reason="dead", by=steward)
        ended = usdc.identifiers.get()
        end_identifier(identifier=ended, at=now - timedelta(days=1), reason="moved", by=steward)

        batch = judged(steward, "OLD,Old,,old,,,,", "NEW,New,,usd-coin,,,,")

        assert outcomes(batch) == ["conflicting", "conflicting"]
        assert words(batch)[0] == ": Old (OLD) was retired here: dead"
        assert "CoinGecko id usd-coin is known here for another time, until" in words(batch)[1]

    def test_lines_of_one_asset_that_is_several_here(self, steward):
        one, other = stage.asset("A", "One"), stage.asset("A", "Other")
        stage.deployed(one, USDC)
        stage.deployed(other, WETH)
        batch = judged(
            steward, f"A,Thing,,thing,ethereum,{USDC},6,", f"A,Thing,,thing,ethereum,{WETH},6,"
        )
        assert outcomes(batch) == ["conflicting", "conflicting"]
        assert words(batch)[0] == ": These are several assets here: One (A), Other (A)."


class TestChanged:
    """A source may correct itself, until a person has the word."""

    @pytest.fixture
    def listed(self, steward, second):
        batch = judged(steward, f"UNI,Uniswap,,uniswap,ethereum,{USDC},8,", source="Issuer")
        return applied(batch, steward, second).rows.get().asset_id

    def test_the_same_source_corrects_what_it_said(self, steward, listed):
        row = judged(
            steward, f"UNIX,Uniswap Labs,,uniswap,ethereum,{USDC},18,", source="Issuer"
        ).rows.get()
        assert (row.outcome, row.deeds) == ("changed", ["name", "ticker", "correction"])
        assert (row.former_name, row.asset_version) == ("Uniswap", 2)
        assert None not in {row.former_deployment_id, row.former_alias_id}

    def test_another_source_does_not(self, steward, listed):
        batch = judged(steward, f"UNI,Uniswap,,uniswap,ethereum,{USDC},18,", source="Somebody")
        assert words(batch) == [": The list says 18 decimals; here stand 8, by Issuer."]

    def test_nor_does_the_source_once_a_person_changed_it(self, steward, listed):
        update_asset(
            asset_id=listed,
            expected_version=1,
            changes={"name": "The Unicorn"},
            reason="as we say",
            by=steward,
        )
        batch = judged(steward, "UNI,Uniswap,,uniswap,,,,", source="Issuer")
        assert words(batch) == [": This desk calls it The Unicorn (UNI), and that stays."]


class TestWrong:
    @pytest.mark.parametrize(
        ("rows", "line", "why"),
        [
            (["A,a,,a,,,,", "A,a,,a,,,,"], 3, "Line 2 says the same already."),
            (
                [f"A,a,,a,ethereum,{USDC},6,", f"B,b,,b,ethereum,{USDC.lower()},6,"],
                *(3, "Line 2 gives the same address to another asset."),
            ),
            (
                [f"A,a,,a,ethereum,{USDC},6,", f"A,other,,a,ethereum,{WETH},6,"],
                *(3, "Line 2 says otherwise of the same asset: A, a."),
            ),
            (
                [f"A,a,,a,ethereum,{USDC},6,yes", f"A,a,,a,ethereum,{WETH},6,yes"],
                *(3, "Line 2 names another canonical contract on this chain."),
            ),
            ([f"A,a,,a,nowhere,{USDC},6,"], 2, "No chain here is called 'nowhere'."),
            (["A,a,,a,ethereum,0x12,6,"], 2, "0x12 is no EVM address"),
        ],
    )
    def test_a_line_says_where_and_why(self, steward, rows, line, why):
        batch = judged(steward, *rows)
        wrong = batch.rows.get(outcome="error")
        assert (wrong.line, wrong.deeds) == (line, [])
        assert why in wrong.words

    def test_an_id_of_no_asset_here(self, steward):
        key = "3f0c2d9e-6d0f-4f0e-9f5e-0a4de0f0b6c1"
        batch = brought(table(f"{key},x", header="asset_id,category"), steward)
        assert words(batch) == [": There is no asset with this id here."]

    def test_one_value_of_a_scheme_given_to_two(self, steward):
        rows = ["A,a,a,7", "B,b,b,7"]
        batch = brought(table(*rows, header="symbol,name,coingecko,cmc"), steward)
        assert words(batch)[1] == ": Line 2 gives the same id to another asset."
