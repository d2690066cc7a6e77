"""What a name means, over REST: at three dates three answers, on both clocks, and never a guess."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.services.identifiers import add_identifier
from assets.services.renaming import rename
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import fields_of, problem_of
from tests.assets.stage import FEB, JAN, MAR

pytestmark = pytest.mark.django_db


def answer_of(api, **asked):
    answer = api.get("resolve", **asked)
    assert answer.status_code == 200, answer.content.decode()
    said = answer.json()
    return said["answer"], said["asset_id"]


def test_a_renamed_symbol_whose_ticker_is_used_again_has_three_right_answers(api):
    """The ticker was the old coin's until February, nobody's until March, and then the new one's."""
    old = api.post("assets", symbol="LUNA", name="Terra", kind="native").json()
    before = timezone.now().isoformat()
    body = {"ticker": "LUNC", "since": FEB.isoformat(), "reason": "renamed to Classic"}
    renamed = api.post(f"assets/{old['id']}/rename", seen=1, **body)
    assert (renamed.json()["symbol"], renamed["ETag"]) == ("LUNC", '"2"')
    new = {"symbol": "LUNA", "name": "Terra 2", "kind": "native", "ticker_since": MAR.isoformat()}
    new = api.post("assets", **new).json()
    january, february, march = (moment.replace(day=15).isoformat() for moment in (JAN, FEB, MAR))

    assert answer_of(api, symbol="LUNA", as_of=january) == ("ok", old["id"])
    assert answer_of(api, symbol="luna", as_of=february) == ("unknown", None)
    assert answer_of(api, symbol="LUNA", as_of=march) == ("ok", new["id"])
    assert answer_of(api, symbol="LUNC", as_of=january) == ("unknown", None)
    assert answer_of(api, symbol="LUNC", as_of=march) == ("ok", old["id"])
    # As far as it was known before anybody recorded the renaming, it was the old coin all along.
    for moment in (january, february, march):
        assert answer_of(api, symbol="LUNA", as_of=moment, known_at=before) == ("ok", old["id"])


def test_an_answer_is_given_again_for_ever_by_the_moments_it_names(api, steward):
    asset = stage.asset("LUNA", "Terra")
    first = api.get("resolve", symbol="LUNA").json()
    rename(asset_id=asset.pk, ticker="LUNC", since=JAN, reason="x", by=steward)
    assert answer_of(api, symbol="LUNA") == ("unknown", None)
    clocks = {name: first[name] for name in ("as_of", "known_at")}
    again = api.get("resolve", symbol="LUNA", **clocks).json()
    assert (again["answer"], again["asset_id"]) == ("ok", str(asset.pk))


def test_two_of_one_ticker_are_both_told_with_why(api):
    stage.asset("USDC", "USD Coin")
    stage.asset("USDC", "Fake")
    said = api.get("resolve", symbol="usdc").json()
    assert (said["answer"], said["asset_id"]) == ("ambiguous", None)
    assert {one["name"] for one in said["candidates"]} == {"USD Coin", "Fake"}
    assert all("Its ticker is USDC" in one["why"] for one in said["candidates"])


def test_a_chain_an_address_and_an_id_tell_them_apart(api, steward):
    real = stage.asset("USDC", "USD Coin")
    stage.asset("USDC", "Fake")
    stage.deployed(real)
    given = {"scheme": "coingecko", "value": "usd-coin", "source": "x"}
    add_identifier(asset_id=real.pk, by=steward, **given)
    ok = ("ok", str(real.pk))
    assert answer_of(api, symbol="USDC", chain="ethereum") == ok
    assert answer_of(api, chain="ethereum", address=stage.USDC.lower()) == ok
    assert answer_of(api, scheme="coingecko", identifier="usd-coin") == ok
    assert answer_of(api, chain="ethereum", address=stage.WETH) == ("unknown", None)
    assert answer_of(api, chain="ethereum", address="0x12") == ("unknown", None)
    assert answer_of(api, chain="nowhere", address=stage.USDC) == ("unknown", None)
    assert answer_of(api, group="USDC") == ("unknown", None)


def test_a_venues_symbol_means_its_base_at_its_time(api):
    row = cast.symbol("BTC-USD")
    asked = {"venue": row.venue.slug, "venue_symbol": "BTC-USD"}
    assert answer_of(api, **asked) == ("ok", str(row.base_id))
    said = api.get("resolve", **asked).json()
    assert "paid with" in said["candidates"][0]["why"]
    assert answer_of(api, **asked, as_of="2020-01-01T00:00:00Z") == ("unknown", None)
    before = (cast.SINCE - timedelta(days=1)).isoformat()
    assert answer_of(api, **asked, known_at=before) == ("unknown", None)


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({}, {""}),
        ({"symbol": "A", "group": "A"}, {""}),
        ({"chain": "ethereum"}, {""}),
        ({"address": "0x1"}, {"chain"}),
        ({"identifier": "x"}, {"scheme"}),
        ({"venue_symbol": "x"}, {"venue"}),
        ({"symbol": "A", "scheme": "coingecko"}, {"scheme"}),
        ({"group": "A", "chain": "ethereum"}, {"chain"}),
        ({"symbol": "A", "as_of": "2026-01-01"}, {"as_of"}),
        ({"symbol": "A", "as_of": "2026-01-01T00:00:00"}, {"as_of"}),
        ({"symbol": "A", "asof": "2026-01-01T00:00:00Z"}, {"asof"}),
    ],
)
def test_a_question_that_is_none_is_refused_beside_its_field(api, asked, fields):
    assert fields_of(problem_of(api.get("resolve", **asked), 400)) == fields
