"""Flags from the asset's page: in force at once, cleared by one, or by two where they are severe."""

import pytest
from django.urls import reverse

from assets.models import QualityFlag
from assets.services.relations import relate
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage

pytestmark = pytest.mark.django_db
EVIDENCE = "https://example.org/post-mortem"
TYPED = {
    "kind": "exploit",
    "severity": "50",
    "evidence_url": EVIDENCE,
    "note": "",
    "source_kind": "person",
    "source": "",
    "review_on": "2026-12-01",
}


@pytest.fixture
def weth(db):
    return stage.asset("WETH", "Wrapped ether")


@pytest.fixture
def put(desk, weth):
    def send(**changes):
        return desk.post(reverse("flag-raise", args=[weth.pk]), {**TYPED, **changes})

    return send


def test_a_flag_is_raised_with_its_evidence_and_stands_at_once(put, shown, weth, steward):
    answer = put()
    assert answer["Location"] == reverse("asset", args=[weth.pk])
    flag = QualityFlag.objects.get()
    assert (flag.severity, flag.raised_by, flag.source) == (50, steward, steward.name)
    assert f"{flag.review_on}" == "2026-12-01"
    page = shown("asset", weth.pk)
    assert f'<a href="{EVIDENCE}" rel="noopener noreferrer"' in page
    assert "Ask to clear" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"evidence_url": ""}, "Say what it rests on"),
        ({"evidence_url": "javascript:alert(1)"}, "Enter a valid URL"),
        ({"severity": ""}, "This field is required"),
        ({"severity": "7"}, "not one of the available choices"),
        ({"kind": "odd"}, "not one of the available choices"),
        ({"source_kind": "auditor"}, "Name the auditor"),
        ({"review_on": "soon"}, "Enter a valid date"),
    ],
)
def test_what_is_typed_wrong_is_told_beside_the_field_and_raises_nothing(put, wrong, words):
    answer = put(**wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Evidence URL" in page
    assert not QualityFlag.objects.exists()


def test_the_form_says_what_a_flag_would_reach(shown, weth):
    ether, vault, other = stage.asset("ETH"), stage.asset("VAULT"), stage.asset("BETH")
    for one, kind, two in (
        (weth, "wraps", ether),
        (vault, "stakes", weth),
        (other, "wraps", ether),
        (weth, "migrated_to", stage.asset("WETH2")),
    ):
        relate(asset_id=one.pk, kind=kind, other_id=two.pk, source="issuer", by=None)
    reached = shown("flag-raise", weth.pk).partition("Reached")[2].partition("</dd>")[0]
    assert {one.symbol for one in (ether, vault, other) if str(one.pk) in reached} == {
        "ETH",
        "VAULT",
    }
    assert "WETH2" not in reached
    # What a vault stands on is not stopped by what is wrong with the vault.
    assert "Reached" not in shown("flag-raise", vault.pk)


def test_a_light_flag_is_cleared_by_one_person_with_a_reason(desk, put, weth):
    put(severity="20")
    flag = QualityFlag.objects.get()
    door = reverse("flag-clear", args=[flag.pk])
    answer = desk.post(door, {"reason": " "})
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    assert desk.post(door, {"reason": "looked at it"})["Location"] == reverse(
        "asset", args=[weth.pk]
    )
    flag.refresh_from_db()
    assert flag.cleared_reason == "looked at it"
    assert "It was cleared" in desk.get(door).content.decode()
    assert "It was cleared" in desk.post(door, {"reason": "again"}).content.decode()


def test_a_severe_flag_stands_until_somebody_else_agrees(desk, put, shown, weth, second):
    put()
    flag = QualityFlag.objects.get()
    door = reverse("flag-clear", args=[flag.pk])
    assert "another person has to agree" in desk.get(door).content.decode()
    answer = desk.post(door, {"reason": "repaid in full"})
    asked = Request.objects.get()
    assert answer["Location"] == reverse("approval", args=[asked.pk])
    assert "1 standing" in shown("asset", weth.pk)
    assert "A severe warning is cleared" in shown("asset", weth.pk)
    # Asked a second time it is told, and no second request is made.
    assert desk.post(door, {"reason": "repaid"}).status_code == 422
    assert reverse("asset", args=[weth.pk]) in desk.get(answer["Location"]).content.decode()
    cast.approve(asked, second)
    page = shown("asset", weth.pk)
    assert "No flag stands against it" in page
    assert "repaid in full" in page


def test_traders_raise_and_do_not_clear_and_others_do_neither(client, weth):
    doors = reverse("flag-raise", args=[weth.pk]), reverse("asset-rename", args=[weth.pk])
    for role, may_raise in ((Role.TRADER, True), (Role.AUDITOR, False)):
        client.force_login(cast.person(role))
        page = client.get(reverse("asset", args=[weth.pk])).content.decode()
        assert (doors[0] in page) is may_raise
        assert doors[1] not in page
        assert client.post(doors[0], TYPED).status_code == (302 if may_raise else 403)
        flag = QualityFlag.objects.get()
        assert (
            client.post(reverse("flag-clear", args=[flag.pk]), {"reason": "x"}).status_code == 403
        )
        assert reverse("flag-clear", args=[flag.pk]) not in page


def test_the_admins_form_writes_url_as_people_do(desk):
    assert "Evidence URL" in desk.get(reverse("admin:assets_qualityflag_add")).content.decode()
