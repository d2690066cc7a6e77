"""What is said about assets, over REST: at once, or with a second person, and never edited."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from assets.models import Deployment, GroupMember, Identifier
from assets.services.claims import ended
from assets.services.groups import add_member
from assets.services.renaming import add_alias
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import fields_of, problem_of
from tests.assets.stage import FEB, JAN, MAR

pytestmark = pytest.mark.django_db


@pytest.fixture
def usdc():
    stage.chain()
    return stage.asset("USDC", "USD Coin", kind="stablecoin")


def waiting(answer):
    """Return the request that a 202 names."""
    assert answer.status_code == 202, answer.content.decode()
    said = answer.json()
    assert answer["Location"] == said["url"] == f"/api/v1/approvals/{said['approval']}"
    return Request.objects.get(pk=said["approval"])


class TestDeployments:
    def body(self, of, **changes):
        given = {"asset": of.pk, "chain": "ethereum", "address": stage.USDC.lower()}
        given |= {"decimals": 6, "source": "issuer", "reason": "its own site"}
        return {**given, **changes}

    def test_one_is_asked_for_and_read_by_id_and_address_once_two_agree(self, api, usdc, second):
        answer = api.post("deployments", **self.body(usdc, is_canonical=True))
        asked = waiting(answer)
        assert api.get(f"approvals/{asked.pk}").status_code == 200
        assert not Deployment.objects.exists()

        cast.approve(asked, second)

        found = api.get("deployments", asset=usdc.pk).json()["results"]
        assert [(one["address"], one["decimals"]) for one in found] == [(stage.USDC, 6)]
        assert (found[0]["recorded_by"], found[0]["approval"]) == ("stella", str(asked.pk))
        at = api.get(f"chains/ethereum/deployments/{stage.USDC.lower()}")
        assert at.json() == found[0] == api.get(f"deployments/{found[0]['id']}").json()

    def test_it_is_found_in_any_spelling_and_at_its_time(self, api, usdc):
        stage.deployed(usdc, valid_from=FEB)
        upper = "0x" + stage.USDC[2:].upper()
        for asked in ({"chain": "ethereum", "address": upper}, {"address": stage.USDC.lower()}):
            assert len(api.get("deployments", **asked).json()["results"]) == 1
            assert api.get("deployments", as_of=JAN.isoformat(), **asked).json()["results"] == []
        problem_of(api.get(f"chains/ethereum/deployments/{upper}", as_of=JAN.isoformat()), 404)
        problem_of(api.get(f"chains/nowhere/deployments/{upper}"), 404)
        wrong = api.get("deployments", chain="ethereum", address="0x12")
        assert fields_of(problem_of(wrong, 400)) == {"address"}
        wrong = api.get("chains/ethereum/deployments/0x12")
        assert fields_of(problem_of(wrong, 400)) == {"address"}

    def test_an_address_that_is_known_is_a_conflict_that_names_what_stands(self, api, usdc):
        there = stage.deployed(usdc)
        fake = stage.asset("FAKE")
        said = problem_of(api.post("deployments", **self.body(fake)), 409)
        assert said["existing"]["id"] == str(there.pk)
        assert said["existing"]["asset"] == str(usdc.pk)

    def test_decimals_are_corrected_and_a_contract_is_ended_with_two(self, api, usdc, second):
        there = stage.deployed(usdc, decimals=18)
        fix = {"decimals": 6, "source": "issuer", "reason": "read again"}
        cast.approve(waiting(api.post(f"deployments/{there.pk}/correct", **fix)), second)
        now = api.get("deployments", asset=usdc.pk).json()["results"][0]
        assert (now["decimals"], now["id"] != str(there.pk)) == (6, True)
        assert len(api.get("deployments", history=True).json()["results"]) == 2
        problem_of(api.post(f"deployments/{there.pk}/end", reason="x"), 409)

        cast.approve(waiting(api.post(f"deployments/{now['id']}/end", reason="gone")), second)

        assert api.get("deployments", asset=usdc.pk).json()["results"] == []

    def test_a_correction_of_nothing_and_one_to_another_asset(self, api, usdc, second):
        there = stage.deployed(usdc)
        same = {"source": "issuer", "reason": "x"}
        assert (
            "already"
            in problem_of(api.post(f"deployments/{there.pk}/correct", **same), 409)["detail"]
        )
        other = stage.asset("NEW")
        moved = {**same, "asset": other.pk, "valid_from": FEB.isoformat()}
        cast.approve(waiting(api.post(f"deployments/{there.pk}/correct", **moved)), second)
        for when, asset in ((JAN, usdc), (MAR, other)):
            at = api.get(f"chains/ethereum/deployments/{stage.USDC}", as_of=when.isoformat())
            assert at.json()["asset"] == str(asset.pk)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"address": stage.USDC[:-1] + "b"}, "address"),
            ({"decimals": 37}, "decimals"),
            ({"chain": "nowhere"}, "chain"),
            ({"chain": {"a": 1}}, "chain"),
            ({"asset": uuid.uuid4()}, "asset"),
            ({"asset": "x"}, "asset"),
            ({"reason": " "}, "reason"),
            ({"source": ""}, "source"),
            ({"is_canonical": "perhaps"}, "is_canonical"),
        ],
    )
    def test_what_is_wrong_is_named(self, api, usdc, change, field):
        said = problem_of(api.post("deployments", **self.body(usdc, **change)), 400)
        assert fields_of(said) == {field}
        assert not Request.objects.exists()


class TestNames:
    def test_a_further_ticker_is_added_and_ended_and_the_first_is_not(self, api):
        btc = stage.asset("BTC", "Bitcoin")
        made = api.post("aliases", asset=btc.pk, ticker="XBT", source="ISO")
        assert (made.status_code, made.json()["is_primary"]) == (201, False)
        problem_of(api.post("aliases", asset=btc.pk, ticker="xbt", source="ISO"), 409)
        found = api.get("aliases", ticker="xbt").json()["results"]
        assert [one["asset"] for one in found] == [str(btc.pk)]
        first = api.get("aliases", ticker="BTC").json()["results"][0]
        said = problem_of(api.post(f"aliases/{first['id']}/end", reason="x"), 409)
        assert said["existing"]["ticker"] == "BTC"

        ended = api.post(f"aliases/{made.json()['id']}/end", reason="withdrawn")

        assert ended.json()["valid_to"]
        assert api.get("aliases", ticker="XBT").json()["results"] == []
        assert len(api.get("aliases", ticker="XBT", history=True).json()["results"]) == 2

    def test_what_never_held_is_taken_back_without_an_answer(self, api, steward):
        btc = stage.asset("BTC")
        alias = add_alias(asset_id=btc.pk, ticker="XBT", source="x", valid_from=MAR, by=steward)
        answer = api.post(f"aliases/{alias.pk}/end", at=FEB.isoformat(), reason="wrong")
        assert (answer.status_code, answer.content) == (204, b"")
        problem_of(api.post(f"aliases/{alias.pk}/end", reason="again"), 409)

    def test_an_id_of_another_system_means_one_asset(self, api):
        one, other = stage.asset("USDC"), stage.asset("FAKE")
        body = {"scheme": "coingecko", "value": "usd-coin", "source": "list"}
        made = api.post("identifiers", asset=one.pk, **body)
        assert made.status_code == 201
        said = problem_of(api.post("identifiers", asset=other.pk, **body), 409)
        assert said["existing"]["asset"] == str(one.pk)
        found = api.get("identifiers", scheme="coingecko", value="usd-coin").json()
        assert [one["id"] for one in found["results"]] == [made.json()["id"]]
        ended = api.post(f"identifiers/{made.json()['id']}/end", reason="renamed there")
        assert ended.status_code == 200
        assert api.post("identifiers", asset=other.pk, **body).status_code == 409
        later = {"valid_from": timezone.now().isoformat()}
        assert api.post("identifiers", asset=other.pk, **body, **later).status_code == 201
        assert Identifier.objects.known().count() == 2

    def test_a_code_at_a_venue_names_its_venue(self, api):
        body = {"scheme": "venue", "value": "XXBT", "source": "x"}
        btc = stage.asset("BTC")
        for wrong in ("XXBT", "kraken:", ":XXBT", "Kraken:XXBT"):
            answer = api.post("identifiers", asset=btc.pk, **{**body, "value": wrong})
            assert fields_of(problem_of(answer, 400)) == {"value"}
        answer = api.post("identifiers", asset=btc.pk, **{**body, "value": "kraken:XXBT"})
        assert answer.status_code == 201

    def test_a_span_that_ends_before_it_begins_is_refused(self, api):
        span = {"valid_from": MAR.isoformat(), "valid_to": FEB.isoformat()}
        body = {"asset": stage.asset("BTC").pk, "source": "x"}
        said = problem_of(api.post("aliases", ticker="XBT", **body, **span), 400)
        assert fields_of(said) == {"valid_to"}
        given = {"scheme": "coingecko", "value": "x"}
        problem_of(api.post("identifiers", **given, **body, **span), 400)

    def test_history_is_asked_for_without_a_moment(self, api):
        wrong = api.get("aliases", history=True, as_of=JAN.isoformat())
        assert fields_of(problem_of(wrong, 400)) == {"history"}


class TestRelationships:
    def test_one_is_established_listed_and_ended(self, api):
        weth, eth = stage.asset("WETH"), stage.asset("ETH")
        body = {"asset": weth.pk, "kind": "wraps", "other": eth.pk, "source": "contract"}
        made = api.post("relationships", **body, ratio_rule="fixed", ratio="1.50")
        assert (made.status_code, made.json()["ratio"]) == (201, "1.5")
        problem_of(api.post("relationships", **body), 409)
        for asked in ({"asset": weth.pk}, {"other": eth.pk}, {"kind": "wraps"}):
            assert len(api.get("relationships", **asked).json()["results"]) == 1
        assert api.get("relationships", asset=eth.pk).json()["results"] == []
        ended = api.post(f"relationships/{made.json()['id']}/end", reason="unwound")
        assert ended.status_code == 200
        assert api.get("relationships").json()["results"] == []

    def test_a_circle_and_a_loop_are_refused(self, api):
        weth, eth = stage.asset("WETH"), stage.asset("ETH")
        body = {"kind": "wraps", "source": "x"}
        assert api.post("relationships", asset=weth.pk, other=eth.pk, **body).status_code == 201
        answer = api.post("relationships", asset=eth.pk, other=weth.pk, **body)
        assert "circle" in problem_of(answer, 409)["detail"]
        problem_of(api.post("relationships", asset=eth.pk, other=eth.pk, **body), 409)

    @pytest.mark.parametrize("ratio", [1.5, "1e5000", "NaN", "0." + "1" * 30, "x", "-1", "0"])
    def test_a_ratio_is_exact_and_above_zero(self, api, ratio):
        body = {"asset": stage.asset("A").pk, "other": stage.asset("B").pk, "source": "x"}
        body |= {"kind": "wraps", "ratio_rule": "fixed", "ratio": ratio}
        assert api.post("relationships", **body).status_code in {400, 409}


class TestChains:
    def test_a_chain_is_registered_changed_listed_and_retired(self, api):
        made = api.post("chains", id="base", name="Base", family="evm")
        assert (made.status_code, made["Location"]) == (201, "/api/v1/chains/base")
        said = problem_of(api.post("chains", id="base", name="Other", family="solana"), 409)
        assert said["existing"]["name"] == "Base"
        eth = stage.asset("ETH")
        changes = {"native_asset": eth.pk, "rpc_urls": ["https://base.org"]}
        changed = api.patch("chains/base", seen=1, **changes)
        assert changed.json()["native_asset"] == str(eth.pk)
        assert api.patch("chains/base", seen=2, native_asset=None).json()["native_asset"] is None
        assert (
            problem_of(api.patch("chains/base", seen=1, name="X"), 412)["current"]["version"] == 3
        )
        assert api.get("chains", family="solana").json()["results"] == []
        assert api.post("chains/base/retire", seen=3, reason="gone").status_code == 200
        assert api.get("chains").json()["results"] == []
        assert api.get("chains", retired="only").json()["total"] == 1
        assert api.get("chains/base").json()["retired_reason"] == "gone"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"id": "-x"}, "id"),
            ({"family": "x"}, "family"),
            ({"rpc_urls": ["ftp://x"]}, "rpc_urls.0"),
            ({"explorer_url": "javascript:1"}, "explorer_url"),
            ({"native_asset": uuid.uuid4()}, "native_asset"),
        ],
    )
    def test_what_is_wrong_is_named(self, api, change, field):
        given = {"id": "base", "name": "Base", "family": "evm"}
        said = problem_of(api.post("chains", **{**given, **change}), 400)
        assert fields_of(said) == {field}

    def test_the_family_stays_once_an_address_was_written_by_it(self, api):
        stage.deployed(stage.asset("USDC"))
        said = problem_of(api.patch("chains/ethereum", seen=1, family="solana"), 400)
        assert fields_of(said) == {"family"}


class TestGroups:
    @pytest.fixture
    def ether(self):
        return stage.group("ETH"), stage.asset("ETH", "Ether"), stage.asset("WETH", "Wrapped")

    def test_one_is_found_by_id_and_by_symbol(self, api):
        made = api.post("groups", canonical_symbol="ETH", name="All ether").json()
        for which in (made["id"], "ETH", "eth"):
            assert api.get(f"groups/{which}").json() == made
        problem_of(api.post("groups", canonical_symbol="eth", name="Again"), 409)
        problem_of(api.get("groups/BTC"), 404)
        problem_of(api.get("groups/E%00TH"), 404)
        problem_of(api.get(f"groups/{uuid.uuid4()}"), 404)
        assert api.patch("groups/ETH", seen=1, name="Ether").json()["version"] == 2
        said = problem_of(api.patch("groups/ETH", seen=1, name="x"), 412)
        assert said["current"]["name"] == "Ether"
        assert api.get("groups", symbol="eth").json()["total"] == 1

    def test_members_come_count_and_leave(self, api, ether):
        group, eth, weth = ether
        for asset in (eth, weth):
            answer = api.post("groups/ETH/members", asset=asset.pk, source="desk")
            assert answer.status_code == 201
        problem_of(api.post("groups/ETH/members", asset=eth.pk, source="desk"), 409)
        found = api.get("groups/ETH/members").json()["results"]
        assert {one["symbol"] for one in found} == {"ETH", "WETH"}
        assert api.get("groups", asset=weth.pk).json()["results"][0]["id"] == str(group.pk)
        counted = api.post(
            f"groups/ETH/members/{weth.pk}/count", is_for_risk=True, is_for_pnl=False
        )
        assert counted.json()["is_for_risk"]
        before = timezone.now() - timedelta(microseconds=1)
        assert api.post(f"groups/ETH/members/{weth.pk}/remove", reason="x").status_code == 200
        problem_of(api.post(f"groups/ETH/members/{weth.pk}/remove", reason="x"), 404)
        assert [one["symbol"] for one in api.get("groups/ETH/members").json()["results"]] == ["ETH"]
        was = api.get("groups/ETH/members", as_of=before.isoformat(), known_at=before.isoformat())
        assert was.json()["total"] == 2

    def test_what_ends_is_not_counted_otherwise_after_its_end(self, api, ether, steward):
        _, eth, _ = ether
        add_member(group_id=ether[0].pk, asset_id=eth.pk, source="desk", by=steward)
        member = GroupMember.objects.get()
        ended(member, at=timezone.now() + timedelta(days=1), by=steward, source="desk")
        body = {"is_for_risk": True, "is_for_pnl": True, "since": "2199-01-01T00:00:00Z"}
        said = problem_of(api.post(f"groups/ETH/members/{eth.pk}/count", **body), 409)
        assert "already" in said["detail"]
        assert GroupMember.objects.known().count() == 1

    def test_who_is_canonical_takes_two(self, api, ether, second):
        _, eth, _ = ether
        problem_of(api.post("groups/ETH/canonical", asset=eth.pk, reason="deepest"), 409)
        api.post("groups/ETH/members", asset=eth.pk, source="desk")
        cast.approve(
            waiting(api.post("groups/ETH/canonical", asset=eth.pk, reason="deepest")), second
        )
        assert api.get("resolve", group="eth").json()["asset_id"] == str(eth.pk)
        answer = api.post(f"groups/ETH/members/{eth.pk}/remove", reason="x")
        assert "two people" in problem_of(answer, 409)["detail"]
