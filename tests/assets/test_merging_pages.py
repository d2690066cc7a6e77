"""The pages of duplicates: what was found, side by side, what a merge would bring, and asking for it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.models import Finding, Merge, QualityFlag
from assets.services.flags import raise_flag
from assets.services.merging import record_merge
from assets.services.scanning import scan
from cqops.platform.access.allowances import seeding
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, steward):
    client.force_login(steward)
    return client


@pytest.fixture
def pair():
    one, other = stage.asset("DUP", "Once more"), stage.asset("DUP", "First")
    stage.deployed(one)
    flag = QualityFlag(asset=one, kind="scam", severity=50, note="poses", source="Auditor")
    raise_flag(flag=flag, by=None)
    return one, other


def text(answer, status=200):
    assert answer.status_code == status
    return answer.content.decode()


def test_an_empty_list_says_so_and_a_full_one_is_filtered(desk, pair):
    assert "Nothing waits for a decision" in text(desk.get(reverse("findings")))
    scan(now=timezone.now())
    page = text(desk.get(reverse("findings")))
    assert "One ticker, several assets" in page
    assert "Once more (DUP)" in page
    for narrow, is_there in (
        ({"text": "du"}, True),
        ({"text": "zzz"}, False),
        ({"kind": "near_address"}, False),
        ({"state": "dismissed"}, False),
        ({"state": "all"}, True),
    ):
        page = text(desk.get(reverse("findings"), narrow))
        assert ("Once more (DUP)" in page) == is_there, narrow
        assert ("No finding matches this filter" in page) != is_there
    broken = desk.get(reverse("findings"), {"after": "nonsense"}, follow=True)
    assert "This page link is broken" in text(broken)


def test_a_finding_shows_both_side_by_side_and_is_dismissed(desk, client, pair):
    scan(now=timezone.now())
    finding = Finding.objects.get()
    address = reverse("finding", args=[finding.pk])
    page = text(desk.get(address))
    assert f"ethereum: {stage.USDC} (6 decimals)" in page
    assert "Critical: scam (poses)" in page
    dismiss = reverse("finding-dismiss", args=[finding.pk])
    assert "Say why it is no duplicate" in text(desk.post(dismiss, {"reason": " "}, follow=True))
    assert "Ensure this value" in text(desk.post(dismiss, {"reason": "x" * 501}, follow=True))
    assert "comes back once" in text(desk.post(dismiss, {"reason": "two issuers"}, follow=True))
    page = text(desk.get(address))
    assert "stella" in page
    assert "two issuers" in page
    assert dismiss not in page


def test_two_are_chosen_looked_at_and_asked_for(desk, second, pair):
    one, other = pair
    chosen = desk.get(reverse("merging-choose"), {"asset": one.pk, "into": other.pk})
    assert chosen["Location"] == reverse("merging", args=[one.pk, other.pk])
    assert "Choose two assets" in text(desk.get(reverse("merging-choose"), follow=True))
    page = text(desk.get(chosen["Location"]))
    assert "What would answer as First (DUP)" in page
    assert "A severe flag stands against one of them" in page
    assert "Orders open" in page
    ask = reverse("merging-merge", args=[one.pk, other.pk])
    assert "This field is required" in text(desk.post(ask, {"reason": ""}), 422)
    late = {"reason": "one issuer", "since": "2150-01-01T00:00"}
    assert "Say it once it is so" in text(desk.post(ask, late), 422)
    page = text(desk.post(ask, {"reason": "one issuer", "since": ""}, follow=True))
    assert "Nothing changes until somebody else agrees" in page
    page = text(desk.get(chosen["Location"]))
    assert "stella asked at" in page
    assert ask not in page
    cast.approve(Request.objects.get(), second)
    # Whichever way round they are opened.
    page = text(desk.get(reverse("merging", args=[other.pk, one.pk])))
    assert "Once more (DUP) is merged into First (DUP)" in page
    split = reverse("merging-split", args=[Merge.objects.get().pk])
    page = text(desk.post(split, {"reason": "two issuers", "since": ""}, follow=True))
    assert "Split Once more (DUP) from First (DUP)" in page


def test_what_cannot_be_one_is_told_before_anybody_asks(desk, pair):
    one, other = pair
    page = text(desk.get(reverse("merging", args=[one.pk, one.pk])))
    assert "An asset is itself already" in page
    third = stage.asset("THIRD")
    with seeding():
        record_merge(asset_id=third.pk, into_id=one.pk, by=None)
    page = text(desk.get(reverse("merging", args=[one.pk, other.pk])))
    assert "split the two first" in page
    assert reverse("merging-merge", args=[one.pk, other.pk]) not in page


def test_whoever_only_looks_is_offered_nothing(client, pair):
    client.force_login(cast.person(Role.AUDITOR))
    scan(now=timezone.now())
    finding = Finding.objects.get()
    page = text(client.get(reverse("finding", args=[finding.pk])))
    assert reverse("finding-dismiss", args=[finding.pk]) not in page
    one, other = pair
    page = text(client.get(reverse("merging", args=[one.pk, other.pk])))
    assert reverse("merging-merge", args=[one.pk, other.pk]) not in page


def test_the_admin_shows_both_lists_and_changes_neither(desk, pair):
    one, other = pair
    scan(now=timezone.now())
    with seeding():
        merge = record_merge(asset_id=one.pk, into_id=other.pk, by=None)
    page = text(desk.get(reverse("admin:assets_merge_changelist")))
    assert reverse("merging", args=[one.pk, other.pk]) in page
    assert "Side by side" in text(desk.get(reverse("admin:assets_finding_changelist")))
    for address in (
        reverse("admin:assets_merge_add"),
        reverse("admin:assets_merge_delete", args=[merge.pk]),
        reverse("admin:assets_finding_add"),
    ):
        assert desk.get(address).status_code == 403
    page = text(desk.get(reverse("admin:assets_asset_change", args=[one.pk])))
    assert "Answers as" in page
    page = text(desk.get(reverse("asset", args=[one.pk]), follow=True))
    assert "its names answer as that one" in page
