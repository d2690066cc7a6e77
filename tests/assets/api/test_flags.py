"""Flags over REST: raised by one, resolved by one or two, found by what they are."""

import uuid

import pytest
from django.utils import timezone

from assets.models import QualityFlag
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import fields_of, problem_of, program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def asset():
    return stage.asset("USDC", "USD Coin")


def ids_of(answer):
    assert answer.status_code == 200, answer.content.decode()
    return [one["id"] for one in answer.json()["results"]]


def test_a_trader_raises_one_at_once_and_may_not_resolve_it(asset):
    trader = program_of(cast.person(Role.TRADER, "tom"))
    body = {"asset": asset.pk, "kind": "depeg", "severity": "critical", "note": "at 0.90"}
    made = trader.post("flags", **body)
    assert made.status_code == 201
    said = made.json()
    assert (said["severity"], said["source"], said["raised_by"]) == ("critical", "tom", "tom")
    assert made["Location"] == f"/api/v1/flags/{said['id']}"
    assert trader.get(f"flags/{said['id']}").json() == said
    problem_of(trader.post(f"flags/{said['id']}/resolve", reason="fine"), 403)


def test_one_that_is_mild_is_resolved_at_once(api, asset):
    body = {"asset": asset.pk, "kind": "illiquid", "severity": "low", "note": "thin"}
    flag = api.post("flags", **body).json()
    cleared = api.post(f"flags/{flag['id']}/resolve", reason="deep again")
    assert (cleared.status_code, cleared.json()["cleared_by"]) == (200, "stella")
    problem_of(api.post(f"flags/{flag['id']}/resolve", reason="again"), 409)
    assert ids_of(api.get("flags")) == []
    assert ids_of(api.get("flags", active="false")) == [flag["id"]]


def test_one_that_is_severe_is_resolved_with_a_second_person(api, asset, second):
    body = {"asset": asset.pk, "kind": "scam", "severity": "high", "note": "fake"}
    flag = api.post("flags", **body).json()
    answer = api.post(f"flags/{flag['id']}/resolve", reason="it was not")
    assert answer.status_code == 202
    assert QualityFlag.objects.get().cleared_at is None
    problem_of(api.post(f"flags/{flag['id']}/resolve", reason="it was not"), 409)
    cast.approve(Request.objects.get(pk=answer.json()["approval"]), second)
    assert api.get(f"flags/{flag['id']}").json()["cleared_reason"] == "it was not"


def test_a_list_keeps_what_it_is_asked_for(api, asset):
    other = stage.asset("FAKE")
    given = {"kind": "audit", "note": "x"}
    low = api.post("flags", asset=asset.pk, severity="low", **given).json()["id"]
    before = timezone.now().isoformat()
    named = {"source_kind": "auditor", "source": "Trail of Bits"}
    high = api.post("flags", asset=other.pk, severity="high", **given, **named).json()["id"]
    assert ids_of(api.get("flags")) == [high, low]
    assert ids_of(api.get("flags", asset=asset.pk)) == [low]
    assert ids_of(api.get("flags", minimum_severity="medium")) == [high]
    assert ids_of(api.get("flags", minimum_severity="low")) == [high, low]
    assert ids_of(api.get("flags", source_kind="auditor")) == [high]
    assert ids_of(api.get("flags", source="trail of bits")) == [high]
    assert ids_of(api.get("flags", kind="scam")) == []
    assert ids_of(api.get("flags", active="false")) == []
    assert ids_of(api.get("flags", active="all")) == [high, low]
    assert ids_of(api.get("flags", active="all", known_at=before)) == [low]
    page = api.get("flags", limit=1).json()
    assert ids_of(api.get("flags", limit=1, after=page["next"])) == [low]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"severity": "50"}, "severity"),
        ({"kind": "x"}, "kind"),
        ({"evidence_url": "file:///etc/passwd"}, "evidence_url"),
        ({"review_on": "0001-01-01"}, "review_on"),
        ({"expires_at": "2026-01-01"}, "expires_at"),
        ({"asset": uuid.uuid4()}, "asset"),
        ({"source": "x" * 121}, "source"),
    ],
)
def test_what_is_wrong_is_named(api, asset, change, field):
    given = {"asset": asset.pk, "kind": "depeg", "severity": "low", "note": "x"}
    said = problem_of(api.post("flags", **{**given, **change}), 400)
    assert fields_of(said) == {field}
    assert not QualityFlag.objects.exists()


def test_a_flag_rests_on_something_and_a_severe_one_never_lapses(api, asset):
    given = {"asset": asset.pk, "kind": "depeg", "severity": "critical"}
    problem_of(api.post("flags", **given), 422)
    lapses = {"note": "x", "expires_at": "2199-01-01T00:00:00Z"}
    problem_of(api.post("flags", **given, **lapses), 400)
    assert not QualityFlag.objects.exists()
