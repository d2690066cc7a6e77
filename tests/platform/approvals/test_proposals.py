from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.people import OwnRoles
from cqops.platform.access.policy import Role
from cqops.platform.approvals.drafts import GroupDraft, RuleDraft, StandInDraft
from cqops.platform.approvals.models import Decision, Group, Request, Rule, StandIn
from cqops.platform.approvals.overview import rows
from cqops.platform.approvals.services import (
    Changed,
    NotYours,
    State,
    Verdict,
    decide,
    settle_left,
    standing,
)
from cqops.platform.approvals.services.proposals import (
    Impossible,
    NothingChanges,
    propose_group,
    propose_rule,
    propose_stand_in,
)
from cqops.platform.approvals.services.roles import propose_role
from tests import cast
from tests.platform.approvals.conftest import KIND

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return cast.person(Role.ADMIN, "adam")


@pytest.fixture
def group():
    return Group.objects.create(name="Desk heads", role=Role.APPROVER)


def approve(request, by):
    decide(
        request_id=request.pk,
        by=by,
        verdict=Verdict.APPROVE,
        seen_hash=request.instruction_hash,
    )
    settle_left()


def draft(group, **changes):
    values = {"name": "Large transfers", "kind": KIND, "needs": ((group.pk, 1),), "position": 1}
    return RuleDraft(**{**values, **changes})


def test_a_rule_changes_only_once_a_second_person_agreed(admin, approver, group):
    request = propose_rule(draft=draft(group, notional_from=Decimal(1000)), by=admin)
    assert request.title == "New rule: Large transfers"
    assert not Rule.objects.filter(name="Large transfers").exists()
    approve(request, approver)
    rule = Rule.objects.get(name="Large transfers")
    assert (rule.notional_from, rule.needs.get().group) == (Decimal(1000), group)
    assert Request.objects.get(pk=request.pk).state == State.EXECUTED

    changed = propose_rule(
        draft=draft(group, notional_from=Decimal(2000)), by=admin, rule_id=rule.pk
    )
    shown = {row.label: row.text for row in changed.instruction_rows}
    assert shown["Value from"] == "1000 → 2000"
    approve(changed, approver)
    assert Rule.objects.get(pk=rule.pk).notional_from == Decimal(2000)
    with pytest.raises(NothingChanges):
        propose_rule(draft=draft(group, notional_from=Decimal(2000)), by=admin, rule_id=rule.pk)


def test_a_rule_that_changed_meanwhile_voids_the_proposal(admin, approver, group):
    approve(propose_rule(draft=draft(group), by=admin), approver)
    rule = Rule.objects.get(name="Large transfers")
    request = propose_rule(draft=draft(group, position=2), by=admin, rule_id=rule.pk)
    Rule.objects.filter(pk=rule.pk).update(venue="elsewhere")
    with pytest.raises(Changed):
        approve(request, approver)


@pytest.mark.parametrize("role", [Role.TRADER, Role.APPROVER, Role.AUDITOR, Role.RECON])
def test_only_an_admin_proposes_rules_and_no_admin_agrees_to_one(admin, approver, group, role):
    with pytest.raises(NotYours):
        propose_rule(draft=draft(group), by=cast.person(role))
    request = propose_rule(draft=draft(group), by=admin)
    for nobody in (admin, cast.person(Role.ADMIN)):
        with pytest.raises(NotYours):
            approve(request, nobody)


def test_a_rule_nobody_could_meet_is_refused_on_save(admin, approver, group):
    empty = Group.objects.create(name="Nobody yet")
    for needs in (((group.pk, 2),), ((empty.pk, 1),), ((group.pk, 1), (empty.pk, 1)), ()):
        with pytest.raises(Impossible):
            propose_rule(draft=draft(group, needs=needs), by=admin)
    either = draft(group, needs=((group.pk, 1), (empty.pk, 1)), groups_required=1)
    assert propose_rule(draft=either, by=admin).state == State.PENDING


def test_a_rule_that_became_impossible_is_warned_about(admin, approver, group):
    approve(propose_rule(draft=draft(group), by=admin), approver)
    assert not [row for row in rows(admin) if "can meet" in row.title]
    User.objects.filter(pk=approver.pk).update(is_active=False)
    titles = [row.title for row in rows(admin) if "can meet" in row.title]
    assert any("Large transfers" in title for title in titles)


def test_a_group_takes_people_by_name_and_gives_no_power(admin, approver, trader, asked):
    request = propose_group(
        draft=GroupDraft(name="Friends", people=(trader.pk, admin.pk, approver.pk)), by=admin
    )
    approve(request, approver)
    friends = Group.objects.get(name="Friends")
    assert friends.memberships.count() == 3
    approve(propose_rule(draft=draft(friends), by=admin), approver)
    question = asked()
    assert question.rule_name == "Large transfers"
    with pytest.raises(NotYours):
        approve(question, admin)
    assert standing(question, now=timezone.now()).groups[0].can_still == ("alma",)


class TestStandIns:
    def name(self, absent, stand_in, by, *, days=7, starts=None):
        now = starts or timezone.now() - timedelta(minutes=1)
        return propose_stand_in(
            draft=StandInDraft(
                absent=absent.pk,
                stand_in=stand_in.pk,
                starts_at=now,
                ends_at=now + timedelta(days=days),
            ),
            by=by,
        )

    def heads(self, approver):
        group = Group.objects.create(name="Heads")
        group.memberships.create(person=approver)
        rule = Rule.objects.create(name="Heads decide", position=1, kind=KIND)
        rule.needs.create(group=group, quorum=1)

    def test_takes_the_seat_once_a_second_person_accepted(self, approver, admin, asked):
        other = cast.person(Role.APPROVER, "otto")
        self.heads(approver)
        question = asked()
        with pytest.raises(NotYours):
            approve(question, other)
        approve(self.name(approver, other, by=approver), admin)
        assert StandIn.objects.get().accepted_by == admin
        with pytest.raises(NotYours):
            approve(question, approver)
        approve(question, other)
        assert Request.objects.get(pk=question.pk).state == State.APPROVED

    def test_before_its_dates_and_without_the_role_nothing_changes(self, approver, admin, asked):
        self.heads(approver)
        powerless = cast.person(Role.TRADER)
        approve(self.name(approver, powerless, by=approver), admin)
        question = asked()
        with pytest.raises(NotYours):
            approve(question, powerless)

    def test_who_named_it_does_not_accept_it(self, approver, admin):
        request = self.name(approver, cast.person(Role.APPROVER), by=approver)
        with pytest.raises(NotYours):
            approve(request, approver)
        with pytest.raises(IntegrityError, match="accepted_by_a_second"), transaction.atomic():
            StandIn.objects.create(
                absent=approver,
                stand_in=admin,
                starts_at=timezone.now(),
                ends_at=timezone.now() + timedelta(days=1),
                named_by=approver,
                accepted_by=approver,
                accepted_at=timezone.now(),
            )


class TestRoles:
    def test_a_role_is_given_and_taken_with_a_second_person(self, approver, admin):
        person = cast.person(Role.VIEWER, "vera")
        approve(propose_role(person=person, role=Role.STEWARD, by=admin), approver)
        grant = person.role_grants.get(role=Role.STEWARD)
        assert grant.granted_by == admin
        taken = propose_role(person=person, role=Role.STEWARD, by=admin, is_given=False)
        approve(taken, approver)
        assert not person.role_grants.filter(role=Role.STEWARD).exists()

    def test_nobody_asks_for_or_decides_about_themselves(self, approver, admin):
        with pytest.raises(OwnRoles):
            propose_role(person=admin, role=Role.TRADER, by=admin)
        other = cast.person(Role.ADMIN)
        request = propose_role(person=other, role=Role.STEWARD, by=admin)
        with pytest.raises(NotYours, match="about you"):
            approve(request, other)
        with pytest.raises(IntegrityError, match="about themselves"), transaction.atomic():
            Decision.objects.create(
                request=request,
                by=other,
                verdict=Verdict.APPROVE,
                at=timezone.now(),
                instruction_hash=request.instruction_hash,
            )
        assert not other.role_grants.filter(role=Role.STEWARD).exists()

    def test_a_role_given_meanwhile_voids_it(self, approver, admin):
        person = cast.person(Role.VIEWER)
        request = propose_role(person=person, role=Role.STEWARD, by=admin)
        cast.grant(person, Role.STEWARD)
        with pytest.raises(Changed):
            approve(request, approver)
