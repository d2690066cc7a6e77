"""Assets over REST: versions that are held to, pages without gaps, tickers that warn of each other."""

import json
import uuid

import pytest
from django.utils import timezone

from assets.models import Asset
from assets.services import pages
from assets.services.catalogue import retire_asset
from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import fields_of, problem_of, program_of

pytestmark = pytest.mark.django_db
FORGED = "U\u0405DC"  # with a Cyrillic capital


def symbols_of(answer):
    assert answer.status_code == 200, answer.content.decode()
    return [one["symbol"] for one in answer.json()["results"]]


class TestWriting:
    def test_an_asset_is_created_read_changed_and_retired(self, api):
        made = api.post("assets", symbol="SOL", name="Solana", kind="native", precision=9)
        assert (made.status_code, made["ETag"]) == (201, '"1"')
        address = made["Location"].removeprefix("/api/v1/")
        read = api.get(address)
        assert (read.json(), read["ETag"]) == (made.json(), '"1"')
        assert (read.json()["precision"], read.json()["version"]) == (9, 1)

        changed = api.patch(address, seen=1, category="layer 1", metadata={"a": [1, None]})

        assert (changed.status_code, changed["ETag"]) == (200, '"2"')
        assert (changed.json()["category"], changed.json()["name"]) == ("layer 1", "Solana")
        retired = api.post(f"{address}/retire", seen=2, reason="gone")
        assert retired.json()["retired_reason"] == "gone"
        assert api.get(address).json()["version"] == 3
        entry = Entry.objects.filter(action="asset.changed").first()
        assert entry.who == "stella"

    def test_of_two_editors_the_second_gets_the_present_version(self, api, second):
        asset = stage.asset("SOL")
        address = f"assets/{asset.pk}"
        assert api.patch(address, seen=1, name="Solana").status_code == 200

        said = problem_of(program_of(second).patch(address, seen=1, name="Sol"), 412)

        assert (said["current"]["version"], said["current"]["name"]) == (2, "Solana")
        assert Asset.objects.get().name == "Solana"

    @pytest.mark.parametrize("path", ["", "/retire", "/rename"])
    def test_a_change_without_the_version_that_was_seen_is_refused(self, api, path):
        address = f"assets/{stage.asset('SOL').pk}{path}"
        send = api.post if path else api.patch
        assert "If-Match" in problem_of(send(address, reason="x"), 428)["detail"]
        for wrong in ("*", "abc", '"1', "1, 2", '"12345678901"'):
            assert api.patch(f"assets/{Asset.objects.get().pk}", seen=wrong).status_code == 400

    def test_a_weak_tag_names_a_version_as_well(self, api):
        address = f"assets/{stage.asset('SOL').pk}"
        assert api.patch(address, seen='W/"1"', name="A").status_code == 200
        assert api.patch(address, seen="2", name="B").status_code == 200

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"symbol": ""}, "symbol"),
            ({"symbol": "x" * 33}, "symbol"),
            ({"symbol": "a\x00b"}, "symbol"),
            ({"name": None}, "name"),
            ({"kind": "coin"}, "kind"),
            ({"precision": 37}, "precision"),
            ({"precision": 10**30}, "precision"),
            ({"display_places": -1}, "display_places"),
            ({"metadata": [1]}, "metadata"),
            ({"metadata": {"a": "\x00"}}, "metadata"),
            ({"metadata": {"a": "x" * 100_000}}, "metadata"),
            ({"ticker_since": "2026-01-01T00:00:00"}, "ticker_since"),
            ({"ticker_since": "0001-01-01T00:00:00+14:00"}, "ticker_since"),
            ({"symbl": "SOL"}, "symbl"),
            ({"version": 3}, "version"),
        ],
    )
    def test_what_is_wrong_is_named_by_its_field_and_nothing_is_stored(self, api, change, field):
        given = {"symbol": "SOL", "name": "Solana", "kind": "native"}
        said = problem_of(api.post("assets", **{**given, **change}), 400)
        assert fields_of(said) == {field}
        assert not Asset.objects.exists()

    def test_a_body_that_is_no_object_is_refused(self, api):
        for body in ("{", "[]", "3", '"x"'):
            answer = api.client.post("/api/v1/assets", body, content_type="application/json")
            problem_of(answer, 400)

    @pytest.mark.parametrize(
        "name", ["symbol", "name", "kind", "metadata", "ticker_since", "\\ud800"]
    )
    def test_half_a_letter_is_refused_like_anything_else(self, api, name):
        given = {"symbol": "SOL", "name": "Solana", "kind": "native", name: "half"}
        body = json.dumps(given).replace("\\\\", "\\")
        for half in ('"\\ud800"', '{"a": "\\udfff"}', '{"\\ud800": 1}'):
            text = body.replace('"half"', half)
            answer = api.client.post("/api/v1/assets", text, content_type="application/json")
            problem_of(answer, 400)

    def test_nothing_new_is_said_about_what_was_retired(self, api, steward):
        asset = stage.asset("LUNA")
        retire_asset(asset_id=asset.pk, expected_version=1, reason="collapsed", by=steward)
        body = {"ticker": "LUNC", "since": timezone.now(), "reason": "renamed"}
        said = problem_of(api.post(f"assets/{asset.pk}/rename", seen=2, **body), 409)
        assert "collapsed" in said["detail"]
        problem_of(api.post(f"assets/{asset.pk}/retire", seen=2, reason="again"), 409)

    def test_a_day_to_come_is_no_day_to_rename(self, api):
        asset = stage.asset("SOL")
        body = {"ticker": "SOLA", "since": "2199-01-01T00:00:00Z", "reason": "x"}
        said = problem_of(api.post(f"assets/{asset.pk}/rename", seen=1, **body), 400)
        assert fields_of(said) == {"since"}


class TestWho:
    def test_whoever_may_not_edit_is_told_so(self, reader):
        asset = stage.asset("SOL")
        problem_of(reader.post("assets", symbol="X", name="X", kind="native"), 403)
        problem_of(reader.patch(f"assets/{asset.pk}", seen=1, name="X"), 403)
        assert reader.get("assets").status_code == 200

    def test_without_a_token_there_is_a_problem_and_a_challenge(self, reader):
        reader.client.credentials()
        answer = reader.get("assets")
        problem_of(answer, 401)
        assert answer["WWW-Authenticate"]

    def test_a_viewer_without_the_registry_reads_nothing(self):
        problem_of(program_of(cast.person(Role.VIEWER)).get("assets"), 403)

    def test_what_there_is_not_is_not_found(self, api):
        problem_of(api.get(f"assets/{uuid.uuid4()}"), 404)
        problem_of(api.patch(f"assets/{uuid.uuid4()}", seen=1, name="x"), 404)


class TestLists:
    def test_filters_keep_what_they_say(self, api, steward):
        stage.asset("SOL", "Solana", kind="native")
        usdc = stage.asset("USDC", "USD Coin", kind="stablecoin")
        stage.deployed(usdc)
        luna = stage.asset("LUNA", "Terra")
        retire_asset(asset_id=luna.pk, expected_version=1, reason="gone", by=steward)
        assert symbols_of(api.get("assets")) == ["SOL", "USDC"]
        assert symbols_of(api.get("assets", kind="stablecoin")) == ["USDC"]
        assert symbols_of(api.get("assets", text="olan")) == ["SOL"]
        assert symbols_of(api.get("assets", symbol="usdc")) == ["USDC"]
        assert symbols_of(api.get("assets", symbol="usd")) == []
        assert symbols_of(api.get("assets", chain="ethereum")) == ["USDC"]
        assert symbols_of(api.get("assets", chain="nowhere")) == []
        assert symbols_of(api.get("assets", retired="only")) == ["LUNA"]
        assert symbols_of(api.get("assets", retired="all")) == ["LUNA", "SOL", "USDC"]

    def test_one_or_two_letters_are_looked_for_at_the_beginning_alone(self, api):
        for symbol, name in (("SOL", "Solana"), ("ETH", "Ether Solo"), ("XSO", "Other")):
            stage.asset(symbol, name)
        assert symbols_of(api.get("assets", text="so")) == ["SOL"]
        assert symbols_of(api.get("assets", text="sol")) == ["ETH", "SOL"]

    def test_a_coin_lives_on_its_own_chain(self, api, steward):
        from assets.services.catalogue import update_chain  # noqa: PLC0415

        eth = stage.asset("ETH")
        stage.chain()
        update_chain(
            chain_id="ethereum",
            expected_version=1,
            changes={"native_asset_id": eth.pk},
            by=steward,
        )
        assert symbols_of(api.get("assets", chain="ethereum")) == ["ETH"]

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"kind": "coin"}, "kind"),
            ({"limit": 0}, "limit"),
            ({"limit": 10**30}, "limit"),
            ({"retired": "maybe"}, "retired"),
            ({"retierd": "all"}, "retierd"),
            ({"text": "a\x00"}, "text"),
            ({"after": "broken"}, "after"),
            ({"after": "WzEsMl0"}, "after"),
            ({"count": "no"}, "count"),
        ],
    )
    def test_what_cannot_be_asked_for_is_named(self, api, asked, field):
        assert fields_of(problem_of(api.get("assets", **asked), 400)) == {field}

    def test_pages_follow_each_other_without_gap_or_repeat(self, api):
        # Several of one ticker, so that the id has to break the tie.
        ids = {str(stage.asset(f"T{number % 3}").pk) for number in range(11)}
        seen, after = [], ""
        while True:
            page = api.get("assets", limit=4, after=after).json()
            seen += [one["id"] for one in page["results"]]
            after = page["next"]
            if not after:
                break
        assert len(seen) == len(set(seen)) == 11
        assert set(seen) == ids

    def test_the_total_is_counted_as_far_as_it_is_small_and_else_on_demand(self, api, monkeypatch):
        monkeypatch.setattr(pages, "COUNTED", 3)
        for number in range(5):
            stage.asset(f"T{number}")
        page = api.get("assets", limit=2).json()
        assert page["total"] >= 4
        assert not page["is_total_exact"]
        page = api.get("assets", limit=2, count="exact").json()
        assert (page["total"], page["is_total_exact"]) == (5, True)
        page = api.get("assets", symbol="T1").json()
        assert (page["total"], page["is_total_exact"]) == (1, True)


class TestCollisions:
    def whom(self, answer, symbol):
        found = next(one for one in answer.json()["results"] if one["symbol"] == symbol)
        return {(one["why"], one["name"]) for one in found["collisions"]}

    def test_assets_of_one_ticker_warn_of_each_other(self, api):
        stage.asset("USDC", "USD Coin")
        made = api.post("assets", symbol="usdc", name="Another", kind="token").json()
        assert [one["why"] for one in made["collisions"]] == ["same_ticker"]
        found = api.get("assets", symbol="USDC")
        assert self.whom(found, "USDC") == {("same_ticker", "Another")}
        assert self.whom(found, "usdc") == {("same_ticker", "USD Coin")}

    def test_a_forged_ticker_and_a_forged_name_are_told_from_both_sides(self, api):
        stage.asset("USDC", "USD Coin")
        stage.asset(FORGED, "Something")
        stage.asset("OTHER", "USD \u0421oin")
        found = api.get("assets")
        assert self.whom(found, FORGED) == {("looks_alike", "USD Coin")}
        assert self.whom(found, "OTHER") == {("looks_alike", "USD Coin")}
        assert self.whom(found, "USDC") == {("looks_alike", "Something")}

    def test_a_further_ticker_collides_and_a_retired_asset_does_not(self, api, steward):
        from assets.services.renaming import add_alias  # noqa: PLC0415

        btc = stage.asset("BTC", "Bitcoin")
        add_alias(asset_id=btc.pk, ticker="XBT", source="ISO", by=steward)
        stage.asset("XBT", "Fake")
        gone = stage.asset("XBT", "Gone")
        retire_asset(asset_id=gone.pk, expected_version=1, reason="scam", by=steward)
        assert self.whom(api.get("assets", text="Fake"), "XBT") == {("same_ticker", "Bitcoin")}

    def test_a_page_of_them_takes_no_more_queries_than_one(
        self, api, django_assert_max_num_queries
    ):
        for number in range(30):
            stage.asset(f"T{number}")
        api.get("assets", limit=1)
        with django_assert_max_num_queries(7) as few:
            api.get("assets", limit=1)
        with django_assert_max_num_queries(len(few)):
            api.get("assets", limit=30)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"category": 7}, "category"),
        ({"precision": "8"}, "precision"),
        ({"precision": True}, "precision"),
    ],
)
def test_json_is_taken_as_it_is_written(api, body, field):
    said = problem_of(api.post("assets", symbol="X", name="X", kind="token", **body), 400)
    assert fields_of(said) == {field}


def test_no_row_is_null_and_not_an_empty_text(api):
    said = problem_of(api.post("chains", id="x", name="X", family="evm", native_asset=""), 400)
    assert fields_of(said) == {"native_asset"}


def test_a_program_reads_the_document_with_its_token(api):
    assert api.client.get("/api/schema/").status_code == 200
