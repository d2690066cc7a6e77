"""The steward's lists and forms: services do the writing, refusals are told, and two people where it takes two."""

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Chain,
    Deployment,
    GroupMember,
    Identifier,
    QualityFlag,
    Relationship,
)
from assets.services.flags import raise_flag
from assets.services.groups import canonical
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from cqops.platform.audit.models import Entry
from tests import cast
from tests.access_stage import _BESIDE_AN_ASSET, _unchanged
from tests.assets import stage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def desk(client, steward):
    client.force_login(steward)
    return client


def add(desk, model, **values):
    address = reverse(f"admin:assets_{model}_add")
    values = {"source": "its site", "why": "found", **values}
    return desk.post(address, values, follow=True).content.decode()


def act(desk, row, action, reason="because"):
    meta = row._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    body = {"action": action, "_selected_action": [str(row.pk)], "reason": reason, "index": 0}
    return desk.post(address, body, follow=True).content.decode()


def asset_form(asset, **changes):
    names = ("symbol", "name", "kind", "category", "display_places", "version")
    values = {name: getattr(asset, name) for name in names}
    return {**values, "metadata": "{}", "precision": "", **_unchanged(_BESIDE_AN_ASSET), **changes}


def test_of_two_editors_the_second_form_is_told(desk):
    asset = stage.asset("SOL")
    address = reverse("admin:assets_asset_change", args=[asset.pk])
    first = asset_form(asset, name="Solana", why="its full name")
    second = asset_form(asset, name="Sol")
    assert desk.post(address, first).status_code == 302
    page = desk.post(address, second).content.decode()
    assert "it is at version 2 now" in page
    asset.refresh_from_db()
    assert (asset.name, asset.version) == ("Solana", 2)


def test_a_new_asset_and_its_retirement(desk):
    page = desk.post(
        reverse("admin:assets_asset_add"),
        asset_form(Asset(symbol="NEW", name="New", kind="token")),
        follow=True,
    )
    asset = Asset.objects.get(symbol="NEW")
    assert page.status_code == 200
    assert Alias.objects.get().asset == asset
    assert "Say why it is retired" in act(desk, asset, "retire", reason=" ")
    assert "done" in act(desk, asset, "retire", reason="delisted")
    asset.refresh_from_db()
    assert asset.retired_reason == "delisted"
    page = desk.get(reverse("admin:assets_asset_change", args=[asset.pk])).content.decode()
    assert 'name="_save"' not in page


def test_chains_and_groups_come_in_and_change(desk):
    given = {"id": "base", "name": "Base", "family": "evm", "metadata": "{}", "version": 1}
    desk.post(reverse("admin:assets_chain_add"), given)
    chain = Chain.objects.get()
    desk.post(reverse("admin:assets_chain_change", args=["base"]), {**given, "name": "Base L2"})
    chain.refresh_from_db()
    assert (chain.name, chain.version) == ("Base L2", 2)
    assert "done" in act(desk, chain, "retire")
    group = {"canonical_symbol": "ETH", "name": "Ether", "metadata": "{}", "version": 1}
    group |= _unchanged(["members"])
    desk.post(reverse("admin:assets_assetgroup_add"), group)
    made = AssetGroup.objects.get()
    address = reverse("admin:assets_assetgroup_change", args=[made.pk])
    desk.post(address, {**group, "name": "All ether"})
    made.refresh_from_db()
    assert (made.name, made.version) == ("All ether", 2)


def test_a_contract_is_asked_for_corrected_and_ended_by_two(desk, second):
    asset = stage.asset("USDC", "USD Coin")
    stage.chain()
    values = {"asset": asset.pk, "chain": "ethereum", "address": stage.USDC.lower()}
    page = add(desk, "deployment", **values, decimals=18)
    assert "Nothing changes before another person agrees" in page
    assert not Deployment.objects.exists()
    cast.approve(Request.objects.get(), second)
    row = Deployment.objects.get()
    assert (row.address, row.decimals) == (stage.USDC, 18)
    assert "it is USD Coin (USDC)" in add(desk, "deployment", **values, decimals=6)

    address = reverse("admin:assets_deployment_change", args=[row.pk])
    assert stage.USDC in desk.get(address).content.decode()
    corrected = {"asset": asset.pk, "decimals": 6, "source": "chain", "why": "six on chain"}
    desk.post(address, corrected)
    cast.approve(Request.objects.latest("requested_at"), second)
    row = Deployment.objects.known().get()
    assert row.decimals == 6
    act(desk, row, "end", reason="withdrawn")
    cast.approve(Request.objects.latest("requested_at"), second)
    assert Deployment.objects.known().get().valid_to is not None


def test_a_wrong_address_is_told_in_words(desk):
    asset = stage.asset("USDC")
    stage.chain()
    wrong = {"asset": asset.pk, "chain": "ethereum", "address": stage.USDC[:-1] + "b"}
    assert "not its checksum" in add(desk, "deployment", **wrong, decimals=6)


def test_tickers_ids_and_relations_are_said_and_ended(desk):
    one, other = stage.asset("ONE"), stage.asset("TWO")
    add(desk, "alias", asset=one.pk, ticker="XONE")
    add(desk, "alias", asset=one.pk, ticker="UNO", is_primary="on")
    one.refresh_from_db()
    assert one.symbol == "UNO"
    assert "Rename it instead" in act(desk, Alias.objects.get(ticker="UNO"), "end")
    assert "done" in act(desk, Alias.objects.get(ticker="XONE"), "end")

    add(desk, "identifier", asset=one.pk, scheme="coingecko", value="one")
    page = add(desk, "identifier", asset=other.pk, scheme="coingecko", value="one")
    assert "means another asset" in page
    assert "done" in act(desk, Identifier.objects.get(), "end")

    add(desk, "relationship", asset=one.pk, kind="wraps", other=other.pk, ratio_rule="none")
    page = add(desk, "relationship", asset=other.pk, kind="wraps", other=one.pk, ratio_rule="none")
    assert "go round in a circle" in page
    assert "done" in act(desk, Relationship.objects.get(), "end")


def test_a_member_becomes_canonical_by_two(desk, second):
    asset, group = stage.asset("ETH"), stage.group()
    add(desk, "groupmember", group=group.pk, asset=asset.pk, is_for_risk="on")
    member = GroupMember.objects.get()
    assert "another person agrees" in act(desk, member, "make_canonical")
    cast.approve(Request.objects.get(), second)
    assert canonical(group.pk).asset == asset
    assert "two people replace it first" in act(desk, canonical(group.pk), "end")


def test_a_flag_is_raised_at_once_seen_on_the_asset_and_cleared_by_two(desk, client, second):
    asset = stage.asset("BAD", "Bad coin")
    given = {"asset": asset.pk, "kind": "scam", "source_kind": "person", "source": ""}
    page = add(desk, "qualityflag", **given, severity=50, note="copied site")
    assert "in force at once" in page
    flag = QualityFlag.objects.get()
    shown = desk.get(reverse("admin:assets_asset_change", args=[asset.pk])).content.decode()
    assert "copied site" in shown
    assert "Critical: scam" in desk.get(reverse("admin:assets_asset_changelist")).content.decode()
    assert "another person agrees" in act(desk, flag, "clear", reason="a mistake")
    cast.approve(Request.objects.get(), second)
    flag.refresh_from_db()
    assert flag.cleared_reason == "a mistake"
    light = raise_flag(
        flag=QualityFlag(asset=asset, kind="illiquid", severity=20, note="thin"), by=second
    )
    assert "cleared" in act(desk, light, "clear", reason="deeper now")
    light.refresh_from_db()
    assert light.cleared_at <= timezone.now()


def test_a_trader_raises_flags_and_changes_nothing_else(client):
    trader = cast.person(Role.TRADER)
    client.force_login(trader)
    asset = stage.asset("BAD")
    assert client.get(reverse("admin:assets_qualityflag_add")).status_code == 200
    assert client.get(reverse("admin:assets_alias_add")).status_code == 403
    address = reverse("admin:assets_asset_change", args=[asset.pk])
    assert 'name="_save"' not in client.get(address).content.decode()


@pytest.mark.parametrize(
    "model",
    [Asset, Chain, AssetGroup, Alias, Deployment, Identifier, Relationship, GroupMember],
)
def test_lists_take_a_few_queries_however_many_rows(desk, model, django_assert_max_num_queries):
    stage.chain()
    for number in range(30):
        one, other = stage.asset(f"A{number}"), stage.asset(f"B{number}")
        group = stage.group(f"G{number}")
        Identifier.objects.create(asset=one, scheme="coingecko", value=str(number), source="t")
        Relationship.objects.create(asset=one, kind="wraps", other=other, source="t")
        GroupMember.objects.create(group=group, asset=one, source="t")
        stage.deployed(one, "0x" + f"{number + 1:040x}")
    address = reverse(f"admin:assets_{model._meta.model_name}_changelist")
    desk.get(address)  # the first page of a session also writes down where it came from
    with django_assert_max_num_queries(12):
        page = desk.get(address)
    assert page.status_code == 200


def test_what_is_refused_is_not_said_to_be_done_and_what_was_typed_stays(desk):
    one, other = stage.asset("ONE"), stage.asset("TWO")
    add(desk, "identifier", asset=one.pk, scheme="coingecko", value="one")
    page = add(desk, "identifier", asset=other.pk, scheme="coingecko", value="one")
    assert "means another asset" in page
    assert 'value="one"' in page
    assert "successfully" not in page
    stage.chain()
    group = {"canonical_symbol": "ETH", "name": "Ether", "metadata": "{}", "version": 1}
    group |= _unchanged(["members"])
    assert "successfully" in add(desk, "assetgroup", **group)
    page = add(desk, "assetgroup", **{**group, "name": "Again"})
    assert "There is a group of this symbol already" in page
    assert "successfully" not in page
    assert 'value="Again"' in page


def test_why_a_claim_was_recorded_is_in_the_audit(desk):
    one, other = stage.asset("ONE"), stage.asset("TWO")
    add(desk, "alias", asset=one.pk, ticker="XONE", why="seen at a venue")
    add(desk, "identifier", asset=one.pk, scheme="coingecko", value="one", why="its page")
    relation = {"asset": one.pk, "kind": "wraps", "other": other.pk, "ratio_rule": "none"}
    add(desk, "relationship", **relation, why="its code")
    add(desk, "groupmember", group=stage.group().pk, asset=one.pk, why="the same risk")
    kinds = ("alias", "identifier", "relationship", "member")
    found = Entry.objects.filter(action__in=[f"{kind}.recorded" for kind in kinds])
    assert [one.reason for one in found.order_by("pk")] == [
        *("seen at a venue", "its page", "its code", "the same risk"),
    ]


def test_a_first_ticker_takes_no_end(desk):
    one = stage.asset("ONE")
    span = {"valid_to_0": "2027-01-01", "valid_to_1": "00:00"}
    page = add(desk, "alias", asset=one.pk, ticker="UNO", is_primary="on", **span)
    assert "leave the end empty" in page
    assert Alias.objects.get().ticker == "ONE"
