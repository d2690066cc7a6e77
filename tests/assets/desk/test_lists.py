"""The lists of assets and chains: filtered, paged by key, exported as they are shown."""

import csv

import pytest
from django.urls import reverse

from assets.desk import chains, listing
from assets.models import Chain, QualityFlag
from assets.services.catalogue import retire_asset
from assets.services.flags import raise_flag
from tests.assets import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def set_of_assets(steward):
    usdc, fake = (
        stage.asset("USDC", "USD Coin", "stablecoin"),
        stage.asset("USDC", "US Dollar Coin"),
    )
    gone = stage.asset("LUNA", "Terra")
    stage.deployed(usdc)
    flag = QualityFlag(asset=fake, kind="scam", severity=50, note="forged", source="list")
    raise_flag(flag=flag, by=None)
    retire_asset(asset_id=gone.pk, expected_version=1, reason="collapsed", by=steward)
    return usdc, fake, gone


def names(page):
    return {
        name for name in ("USD Coin", "US Dollar Coin", "Terra") if f'cell-name">{name}<' in page
    }


def test_empty_lists_say_so(shown):
    assert "No asset yet" in shown("assets")
    assert "No chain yet" in shown("chains")
    stage.chain()
    assert "No contract on this chain yet" in shown("chain", "ethereum")


def test_each_filter_keeps_what_it_names(shown, set_of_assets):
    for query, expected in (
        ({}, {"USD Coin", "US Dollar Coin"}),
        ({"q": "usdc"}, {"USD Coin", "US Dollar Coin"}),
        ({"q": "dollar"}, {"US Dollar Coin"}),
        ({"kind": "stablecoin"}, {"USD Coin"}),
        ({"chain": "ethereum"}, {"USD Coin"}),
        ({"severity": "high"}, {"US Dollar Coin"}),
        ({"retired": "only"}, {"Terra"}),
        ({"retired": "all"}, {"USD Coin", "US Dollar Coin", "Terra"}),
        ({"q": "terra"}, set()),
        ({"kind": "odd"}, set()),
    ):
        assert names(shown("assets", **query)) == expected, query
    page = shown("assets", q="terra")
    assert "No asset matches this filter" in page
    assert "Show all" in page


def test_one_that_may_be_taken_for_another_is_marked(shown, set_of_assets):
    page = shown("assets", kind="stablecoin")
    assert "US Dollar Coin</a> <span" in page
    assert "flagged" in page


def test_pages_go_on_by_key_and_a_broken_link_starts_again(desk, shown, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(5):
        stage.asset(f"A{number}")
    seen, query = [], {}
    for _ in range(3):
        page = shown("assets", **query)
        seen += [f"A{number}" for number in range(5) if f"data-row>A{number}<" in page]
        following = page.partition("?after=")[2].partition('"')[0]
        query = {"after": following}
    assert seen == [f"A{number}" for number in range(5)]
    assert not following
    answer = desk.get(reverse("assets"), {"after": "broken"}, follow=True)
    assert "page link is broken" in answer.content.decode()


def test_the_export_holds_what_the_list_shows_with_the_worst_flag(desk, set_of_assets):
    answer = desk.get(reverse("assets"), {"format": "csv", "retired": "all"})
    lines = list(csv.DictReader(answer.content.decode().splitlines()))
    assert {line["name"]: line["worst_flag"] for line in lines} == {
        "USD Coin": "",
        "US Dollar Coin": "critical",
        "Terra": "",
    }
    assert [line["retired_reason"] for line in lines if line["retired_at_utc"]] == ["collapsed"]


def test_a_list_asks_as_often_whatever_it_shows(desk, set_of_assets, django_assert_max_num_queries):
    for number in range(20):
        stage.asset(f"B{number}")
    with django_assert_max_num_queries(30):
        desk.get(reverse("assets"))


def test_a_chain_shows_what_lives_there_by_name_and_by_address(desk, shown, monkeypatch):
    usdc, weth = stage.asset("USDC", "USD Coin"), stage.asset("WETH", "Wrapped ether")
    stage.deployed(usdc)
    stage.deployed(weth, stage.WETH)
    assert "ethereum" in shown("chains")
    for text, there, gone in (
        ("weth", stage.WETH, stage.USDC),
        ("wrapped", stage.WETH, stage.USDC),
        (stage.USDC.lower(), stage.USDC, stage.WETH),
    ):
        page = shown("chain", "ethereum", q=text)
        assert there in page
        assert gone not in page
    assert ">flagged<" not in shown("chain", "ethereum")
    flag = QualityFlag(asset=usdc, kind="scam", severity=50, note="forged", source="list")
    raise_flag(flag=flag, by=None)
    assert shown("chain", "ethereum").count(">flagged<") == 1
    assert "No contract matches this filter" in shown("chain", "ethereum", q="nothing")
    monkeypatch.setattr(chains, "PAGE", 1)
    page = shown("chain", "ethereum")
    following = page.partition("?after=")[2].partition('"')[0]
    assert stage.WETH not in page or stage.USDC not in page
    assert stage.WETH in page + shown("chain", "ethereum", after=following)
    answer = desk.get(reverse("chain", args=["ethereum"]), {"after": "broken"}, follow=True)
    assert "page link is broken" in answer.content.decode()
    assert desk.get(reverse("chain", args=["nowhere"])).status_code == 404


def test_a_retired_chain_says_so(shown):
    Chain.objects.create(id="old", name="Old", family="evm")
    Chain.objects.filter(pk="old").update(
        version=2, retired_at="2026-01-01T00:00:00Z", retired_reason="it stopped"
    )
    assert "it stopped" in shown("chain", "old")
    assert "Retired" in shown("chains")
