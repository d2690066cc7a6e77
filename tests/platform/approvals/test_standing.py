"""Who agreed, who can still, who cannot and why: shown beside every group."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Group, Request, Rule, StandIn
from cqops.platform.approvals.overview import rows
from cqops.platform.approvals.services import Verdict, decide, standing
from cqops.platform.approvals.services.standing import Part, stuck
from tests import cast
from tests.platform.approvals.conftest import KIND

pytestmark = pytest.mark.django_db


def agree(request, by):
    decide(
        request_id=request.pk,
        by=by,
        verdict=Verdict.APPROVE,
        seen_hash=request.instruction_hash,
    )


def rule_of(*people, quorum=1, name="Heads"):
    group = Group.objects.create(name=name)
    for person in people:
        group.memberships.create(person=person)
    rule = Rule.objects.create(name=f"{name} decide", position=1, kind=KIND)
    rule.needs.create(group=group, quorum=quorum)
    return rule


def away(absent, stand_in, admin):
    now = timezone.now()
    return StandIn.objects.create(
        absent=absent,
        stand_in=stand_in,
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(days=1),
        named_by=absent,
        accepted_by=admin,
        accepted_at=now,
    )


def voices(request, group=0):
    found = standing(request, now=timezone.now()).groups[group].voices
    return {voice.name: voice for voice in found}


def page_of(client, request):
    return client.get(reverse("approval", args=[request.pk])).content.decode()


@pytest.fixture
def admin(db):
    return cast.person(Role.ADMIN, "adam")


def test_everybody_of_the_group_is_named_and_whoever_cannot_with_the_cause(
    asked, approver, trader, admin
):
    otto, gone = cast.person(Role.APPROVER, "otto"), cast.person(Role.APPROVER, "gone")
    gone.is_active = False
    gone.save()
    cast.grant(trader, Role.APPROVER)
    far = cast.person(Role.APPROVER, "faye", scope="account", scope_id=cast.account("Other").pk)
    rule_of(approver, otto, gone, trader, far, admin, quorum=2)
    request = asked(about=cast.account())
    agree(request, otto)
    found = voices(request)
    causes = {name: voice.cause for name, voice in found.items()}
    assert found["otto"].decision.verdict == Verdict.APPROVE
    assert found["alma"].part is Part.CAN
    assert causes["tom"] == "asked for it"
    assert causes["gone"] == "disabled"
    assert causes["adam"] == "no role of theirs may decide this"
    assert "does not reach" in causes["faye"]
    assert list(found) == ["otto", "alma", *sorted(set(found) - {"otto", "alma"})]


def test_a_stand_in_is_marked_with_whose_seat_it_is(client, asked, approver, admin):
    otto = cast.person(Role.APPROVER, "otto")
    rule_of(approver)
    away(approver, otto, admin)
    request = asked()
    found = voices(request)
    assert (found["otto"].part, found["otto"].stands_in_for) == (Part.CAN, "alma")
    assert "otto stands in" in found["alma"].cause
    client.force_login(otto)
    page = page_of(client, request)
    assert "for alma" in page
    assert "cannot: away until" in page


def test_where_no_rule_fits_it_says_so_and_names_whoever_has_the_power(client, asked, approver):
    request = asked()
    assert request.is_default_rule
    assert list(voices(request)) == ["alma"]
    client.force_login(approver)
    page = page_of(client, request)
    assert "Default rule" in page
    assert "Open the rule" not in page


def test_a_rule_is_led_to_for_whoever_the_admin_lets_in(client, asked, approver, trader):
    rule = rule_of(approver)
    request = asked()
    address = reverse("admin:approvals_rule_change", args=[rule.pk])
    client.force_login(approver)
    assert address in page_of(client, request)
    assert client.get(address).status_code == 200
    assert "Default rule" not in page_of(client, request)
    rule.delete()
    assert "Open the rule" not in page_of(client, request)


def test_a_group_that_agreed_is_folded_and_the_other_is_open(client, asked, approver):
    otto = cast.person(Role.APPROVER, "otto")
    rule = rule_of(approver, name="First")
    second = Group.objects.create(name="Second")
    second.memberships.create(person=otto)
    rule.needs.create(group=second, quorum=1)
    request = asked()
    agree(request, approver)
    client.force_login(otto)
    page = page_of(client, request)
    assert '<details id="group-1">' in page
    assert '<details id="group-2" open>' in page


def test_requests_nobody_can_end_are_found_together_and_told_to_whoever_asked(
    client, asked, approver, trader, django_assert_max_num_queries
):
    rule_of(approver, quorum=2)
    lost = [asked(str(number)) for number in range(5)]
    Rule.objects.all().delete()
    asked("fine")
    pending = list(Request.objects.with_names())
    with django_assert_max_num_queries(8):
        assert stuck(pending, now=timezone.now()) == {one.pk for one in lost}
    client.force_login(approver)
    page = client.get(reverse("approvals")).content.decode()
    assert page.count("Too few people left to agree") == len(lost)
    told = [row for row in rows(trader) if "Too few people" in row.title]
    assert len(told) == len(lost)
