"""Findings and merges over REST: listed on both clocks, dismissed by one, merged and split by two."""

import uuid

import pytest
from django.utils import timezone

from assets.models import Finding, Merge
from assets.services.scanning import scan
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import fields_of, problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    one, other = stage.asset("DUP", "Once more"), stage.asset("DUP", "First")
    scan(now=timezone.now())
    return one, other


def results(answer):
    assert answer.status_code == 200, answer.content.decode()
    return answer.json()["results"]


def agreed(answer, by):
    assert answer.status_code == 202, answer.content.decode()
    cast.approve(Request.objects.get(pk=answer.json()["approval"]), by)


def test_what_was_found_is_listed_and_dismissed_with_a_reason(api, reader, pair):
    (one,) = results(reader.get("findings", kind="same_symbol", asset=pair[0].pk))
    assert set(one["assets"]) == {str(asset.pk) for asset in pair}
    assert (one["key"], one["state"], one["evidence"]) == ("DUP", "open", ["DUP"])
    assert reader.get(f"findings/{one['id']}").json() == one
    problem_of(reader.post(f"findings/{one['id']}/dismiss", reason="no"), 403)
    problem_of(api.post(f"findings/{one['id']}/dismiss"), 400)
    done = api.post(f"findings/{one['id']}/dismiss", reason="two issuers").json()
    assert (done["state"], done["dismissed_by"]) == ("dismissed", "stella")
    again = problem_of(api.post(f"findings/{one['id']}/dismiss", reason="again"), 409)
    assert again["existing"]["state"] == "dismissed"
    assert results(reader.get("findings")) == []
    assert len(results(reader.get("findings", state="all", text="du"))) == 1
    assert results(reader.get("findings", state="all", asset=uuid.uuid4())) == []
    problem_of(reader.get(f"findings/{uuid.uuid4()}"), 404)


def test_both_ids_answer_after_a_merge_and_after_a_split(api, reader, second, pair):
    one, other = pair
    assert reader.get(f"assets/{one.pk}").json()["merged_into"] is None
    body = {"asset": one.pk, "into": other.pk, "reason": "one issuer"}
    agreed(api.post("merges", **body), second)
    assert Finding.objects.get().state == "confirmed"

    told = reader.get(f"assets/{one.pk}").json()["merged_into"]
    assert (told["asset_id"], told["name"], told["since"]) == (str(other.pk), "First", None)
    assert reader.get("resolve", symbol="DUP").json()["asset_id"] == str(other.pk)
    listed = {row["id"]: row["merged_into"] for row in results(reader.get("assets", symbol="DUP"))}
    assert (listed[str(one.pk)], listed[str(other.pk)]) == (told, None)
    (merge,) = results(reader.get("merges", into=other.pk))
    assert (merge["asset"], merge["into"]) == (str(one.pk), str(other.pk))
    assert reader.get(f"merges/{merge['id']}").json() == merge
    assert results(reader.get("merges", known_at="2026-01-01T00:00:00Z")) == []

    agreed(api.post(f"merges/{merge['id']}/split", reason="two issuers"), second)
    assert reader.get("resolve", symbol="DUP").json()["answer"] == "ambiguous"
    assert results(reader.get("merges")) == []
    assert len(results(reader.get("merges", history="true", asset=one.pk))) == 1
    problem_of(api.post(f"merges/{merge['id']}/split", reason="again"), 409)


def test_what_cannot_be_one_is_a_conflict_and_each_field_is_named(api, reader, second, pair):
    one, other = pair
    body = {"asset": one.pk, "into": one.pk, "reason": "the same"}
    assert "is itself already" in problem_of(api.post("merges", **body), 409)["detail"]
    body = {"asset": one.pk, "into": uuid.uuid4(), "since": "2026-01-01"}
    assert fields_of(problem_of(api.post("merges", **body), 400)) == {"into", "since", "reason"}
    body = {"asset": one.pk, "into": other.pk, "reason": "x", "since": "2150-01-01T00:00:00Z"}
    assert fields_of(problem_of(api.post("merges", **body), 400)) == {"since"}
    problem_of(reader.post("merges", **body), 403)
    assert not Merge.objects.exists()
