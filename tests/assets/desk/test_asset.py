"""The page of one asset: everything that is said about it, at two moments."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.models import Alias, QualityFlag
from assets.services import neighbours
from assets.services.catalogue import retire_asset, update_asset
from assets.services.deployments import propose_deployment
from assets.services.flags import clear_flag, propose_clear, raise_flag
from assets.services.groups import add_member
from assets.services.identifiers import add_identifier, end_identifier
from assets.services.neighbours import neighbourhood
from assets.services.relations import end_relationship, relate
from assets.services.resolution import Clocks
from cqops.platform.access.policy import Role
from tests import cast
from tests.assets import stage
from tests.assets.stage import FEB, JAN, MAR

pytestmark = pytest.mark.django_db
NOTE = "the bridge was drained"


@pytest.fixture
def weth():
    return stage.asset("WETH", "Wrapped ether", "wrapped")


@pytest.fixture
def ether(weth):
    found = stage.asset("ETH", "Ether", "native")
    relate(
        asset_id=weth.pk,
        kind="wraps",
        other_id=found.pk,
        source="issuer",
        by=None,
        ratio_rule="fixed",
        ratio=1,
    )
    return found


def flagged(asset, severity=50, **more):
    flag = QualityFlag(
        asset=asset, kind="exploit", severity=severity, note=NOTE, source="Audit AG", **more
    )
    return raise_flag(flag=flag, by=None)


def test_everything_that_is_said_about_it_is_on_its_page(shown, weth, ether, steward):
    stage.chain()
    home = stage.deployed(weth, stage.WETH, decimals=18, is_canonical=True)
    add_identifier(asset_id=weth.pk, scheme="coingecko", value="weth", source="list", by=steward)
    add_member(
        group_id=stage.group("ETH").pk,
        asset_id=weth.pk,
        is_for_risk=True,
        source="desk",
        by=steward,
    )
    flagged(weth)
    page = shown("asset", weth.pk)
    for words in (
        "Wrapped ether",
        home.address,
        "canonical",
        "weth",
        "All ETH",
        "risk",
        f"Flagged critical by Audit AG: {NOTE}",
        "1 = <span",
        "identifier.recorded",
        "member.recorded",
        "of the group ETH",
        "stella",
        "Symbols in force",
        "Nobody asks for a change",
    ):
        assert words in page, words
    assert 'data-boxes="2"' in page
    assert page.count(reverse("asset", args=[ether.pk])) >= 2  # in the picture and in the list


def test_a_page_of_an_asset_nobody_said_anything_about_says_so_everywhere(shown):
    page = shown("asset", stage.asset("NIL", "Nothing").pk)
    for words in (
        "No flag stands against it",
        "It stands alone",
        "No contract.",
        "No other system",
        "It belongs to no group",
        "Nobody asks for a change",
        "asset.created",
    ):
        assert words in page, words
    assert "<svg" not in page


def test_the_page_shows_what_was_true_then_and_what_was_known_then(shown, weth, steward):
    said = add_identifier(
        asset_id=weth.pk, scheme="coingecko", value="weth-old", source="l", by=steward
    )
    flag = flagged(weth, severity=20)
    before = timezone.now()
    end_identifier(identifier=said, at=FEB, reason="renamed there", by=steward)
    clear_flag(flag=flag, reason="repaid", by=steward)
    now, then = shown("asset", weth.pk), shown("asset", weth.pk, as_of=JAN.isoformat())
    assert "weth-old" not in now.partition("History")[2].partition("In other systems")[2]
    assert "weth-old" in then.partition("In other systems")[2]
    assert "Not as it is now" in then
    known = shown("asset", weth.pk, as_of=MAR.isoformat(), known_at=before.isoformat())
    assert "weth-old" in known.partition("In other systems")[2]
    assert "1 standing" in shown(
        "asset", weth.pk, as_of=before.isoformat(), known_at=before.isoformat()
    )
    assert "No flag stands against it" in now
    assert "repaid" in now
    # What was written down later was not known then.
    assert "renamed there" in now
    assert "renamed there" not in known


def test_what_stands_in_the_way_of_trading_it_is_named_also_when_it_is_flagged_elsewhere(
    shown, weth, ether
):
    flagged(weth)
    page = shown("asset", ether.pk)
    assert "In the way of trading it now" in page
    assert NOTE in page
    assert 'class="node node-flagged"' in re.sub(r"\s+", " ", page)


def test_the_graph_is_of_the_moment_that_is_asked_about(shown, weth, ether, steward):
    claim = weth.stands_on.get()
    end_relationship(relationship=claim, at=FEB, reason="unwrapped", by=steward)
    assert "<svg" in shown("asset", weth.pk, as_of=JAN.isoformat())
    assert "<svg" not in shown("asset", weth.pk)


def test_what_it_stands_on_is_followed_to_the_ground_and_many_are_cut_with_a_word(
    shown, weth, ether, monkeypatch
):
    deep = stage.asset("wwETH")
    relate(asset_id=deep.pk, kind="wraps", other_id=weth.pk, source="issuer", by=None)
    now = Clocks.at(None, None)
    assert {one.symbol for one in neighbourhood(deep, now).assets.values()} == {
        "wwETH",
        "WETH",
        "ETH",
    }
    monkeypatch.setattr(neighbours, "MOST", 3)
    for number in range(4):
        other = stage.asset(f"S{number}")
        relate(asset_id=other.pk, kind="stakes", other_id=ether.pk, source="issuer", by=None)
    around = neighbourhood(ether, Clocks.at(None, None))
    assert around.is_cut
    assert len(around.assets) == 4
    assert "There are more than a picture holds" in shown("asset", ether.pk)


def test_explorers_are_followed_over_https_alone_and_tell_them_nothing(shown, weth, steward):
    chain = stage.chain()
    chain.explorer_url, chain.version = "https://etherscan.io", chain.version + 1
    chain.save()
    home = stage.deployed(weth, stage.WETH)
    page = shown("asset", weth.pk)
    link = re.search(rf'<a href="https://etherscan.io/address/{home.address}"([^>]*)>', page)[1]
    assert 'rel="noopener noreferrer"' in link
    chain.explorer_url, chain.version = "http://etherscan.io", chain.version + 1
    chain.save()
    assert "etherscan.io" not in shown("asset", weth.pk)
    assert "not over https" in shown("chain", chain.pk)


def test_open_requests_about_its_contracts_and_flags_are_listed(shown, weth, steward, second):
    home = stage.deployed(weth, stage.WETH, decimals=18)
    asked = {"asset_id": weth.pk, "chain_id": "ethereum", "address": home.address, "decimals": 6}
    propose_deployment(**asked, corrects=home, source="issuer", reason="it has six", by=steward)
    propose_clear(flag=flagged(weth), reason="repaid", by=steward)
    page = shown("asset", weth.pk).partition("Open requests about it")[2]
    assert "Where an asset lives" in page
    assert "A severe warning is cleared" in page


def test_a_retired_asset_is_seen_and_offers_no_change(shown, weth, steward):
    retire_asset(asset_id=weth.pk, expected_version=1, reason="wound up", by=steward)
    page = shown("asset", weth.pk)
    assert "wound up" in page
    assert reverse("asset-rename", args=[weth.pk]) not in page
    assert reverse("flag-raise", args=[weth.pk]) in page


def test_whatever_its_metadata_holds_is_shown(shown, weth, steward):
    changes = {"metadata": {"items": ["a"], "site": "<b>weth</b>"}}
    update_asset(asset_id=weth.pk, expected_version=1, changes=changes, by=steward)
    page = shown("asset", weth.pk)
    assert "&lt;b&gt;weth&lt;/b&gt;" in page


def test_history_says_what_was_before_what_after_who_and_why(shown, weth, steward):
    update_asset(
        asset_id=weth.pk,
        expected_version=1,
        changes={"name": "Wrapped Ether"},
        reason="their spelling",
        by=steward,
    )
    page = shown("asset", weth.pk)
    for words in (
        "<del>Wrapped ether</del>",
        "<ins>Wrapped Ether</ins>",
        "their spelling",
        "stella",
    ):
        assert words in page, words


def test_whoever_sees_a_part_of_the_desk_is_not_told_what_all_of_it_has(client, weth):
    part = cast.person(Role.TRADER, scope="account", scope_id=cast.account().pk)
    client.force_login(part)
    page = client.get(reverse("asset", args=[weth.pk])).content.decode()
    assert "Shown to those who may see the whole desk" in page
    assert "Orders open" not in page


def test_a_rename_is_typed_in_ones_own_zone_and_refused_for_a_day_to_come(desk, weth, steward):
    steward.time_zone = "Europe/Zurich"
    steward.save()
    door = reverse("asset-rename", args=[weth.pk])
    typed = {"ticker": "WETHER", "since": "2026-02-01T01:00", "reason": "rebrand", "source": ""}
    later = timezone.localtime() + timedelta(days=2)
    for wrong, words in (
        ({"since": f"{later:%Y-%m-%dT%H:%M}"}, "nobody knows what a day to come"),
        ({"reason": ""}, "This field is required"),
        ({"ticker": "x" * 33}, "at most 32"),
    ):
        answer = desk.post(door, {**typed, **wrong})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert desk.post(door, typed).status_code == 302
    assert Alias.objects.known().get(asset=weth, valid_to=None).valid_from == FEB
    weth.refresh_from_db()
    assert weth.symbol == "WETHER"


def test_the_number_of_queries_of_a_page_does_not_grow_with_what_it_shows(
    desk, weth, ether, django_assert_max_num_queries
):
    for number in range(12):
        other = stage.asset(f"S{number}")
        relate(asset_id=other.pk, kind="stakes", other_id=ether.pk, source="issuer", by=None)
    stage.deployed(ether)
    with django_assert_max_num_queries(60):
        desk.get(reverse("asset", args=[ether.pk]))
