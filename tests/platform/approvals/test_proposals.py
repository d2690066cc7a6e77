from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Role
from cqops.platform.approvals.drafts import GroupDraft, RuleDraft, StandInDraft
from cqops.platform.approvals.errors import Impossible, NothingChanges, Refused, TooLate
from cqops.platform.approvals.models import Group, Request, Rule, StandIn
from cqops.platform.approvals.overview import rows
from cqops.platform.approvals.services import (
    Changed,
    NotYours,
    State,
    settle_left,
    standing,
)
from cqops.platform.approvals.services.proposals import (
    propose_group,
    propose_rule,
    propose_stand_in,
)
from cqops.platform.approvals.services.stand_ins import end_stand_in
from cqops.platform.audit.models import Entry
from tests import cast
from tests.cast import approve
from tests.platform.approvals.conftest import KIND

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return cast.person(Role.ADMIN, "adam")


@pytest.fixture
def group():
    return Group.objects.create(name="Desk heads", role=Role.APPROVER)


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


def test_whoever_asks_is_not_counted_among_those_who_agree(admin, approver, trader, group):
    two = draft(group, needs=((group.pk, 2),))
    cast.person(Role.APPROVER, "otto")
    assert propose_rule(draft=two, by=admin).state == State.PENDING

    # One of exactly two approvers could ask for it now, and then one is left to agree.
    cast.grant(approver, Role.TRADER)
    with pytest.raises(Impossible, match="when one of them asks"):
        propose_rule(draft=draft(group, name="Another", needs=((group.pk, 2),)), by=admin)


def test_a_rule_for_every_kind_has_to_be_possible_for_every_kind_it_can_fit(admin, approver, group):
    cast.person(Role.APPROVER, "otto")
    one = Group.objects.create(name="Traders", role=Role.TRADER)
    cast.person(Role.TRADER)
    with pytest.raises(Impossible):
        propose_rule(draft=draft(one, kind=""), by=admin)
    assert propose_rule(draft=draft(group, kind=""), by=admin).state == State.PENDING


def test_a_rule_with_a_bound_has_to_fit_only_what_has_a_value(admin, approver, trader, group):
    # One approver cannot agree to a stand-in that they ask for; but a stand-in has no value.
    with pytest.raises(Impossible, match="Stand-in"):
        propose_rule(draft=draft(group, kind=""), by=admin)
    valued = draft(group, kind="", notional_from=Decimal(1000))
    assert propose_rule(draft=valued, by=admin).state == State.PENDING


def test_a_rule_that_became_impossible_while_it_waited_is_not_put_in_force(admin, approver, group):
    other = cast.person(Role.APPROVER, "otto")
    request = propose_rule(draft=draft(group, needs=((group.pk, 2),)), by=admin)
    User.objects.filter(pk=other.pk).update(is_active=False)
    approve(request, approver)
    request.refresh_from_db()
    assert request.state == State.VOIDED
    assert "Nobody could meet this" in request.reason
    assert not Rule.objects.filter(name="Large transfers").exists()


def test_what_cannot_be_stored_any_more_ends_in_words_and_is_not_tried_again(
    admin, approver, group
):
    request = propose_rule(draft=draft(group), by=admin)
    Rule.objects.create(name="Large transfers", position=3)
    approve(request, approver)
    request.refresh_from_db()
    assert request.state == State.VOIDED
    settle_left()
    assert not Request.objects.filter(settled_at=None).exists()


def test_a_rule_that_became_impossible_is_warned_about(admin, approver, group):
    approve(propose_rule(draft=draft(group), by=admin), approver)
    assert not [row for row in rows(admin) if "can meet" in row.title]
    User.objects.filter(pk=approver.pk).update(is_active=False)
    titles = [row.title for row in rows(admin) if "can meet" in row.title]
    assert any("Large transfers" in title for title in titles)


def test_the_list_of_rules_names_those_nobody_can_meet(client, admin, approver, group):
    approve(propose_rule(draft=draft(group), by=admin), approver)
    client.force_login(admin)
    address = reverse("admin:approvals_rule_changelist")
    before = client.get(address).content.decode().count("Nobody could meet")
    User.objects.filter(pk=approver.pk).update(is_active=False)
    assert client.get(address).content.decode().count("Nobody could meet") > before


def test_nobody_asks_in_vain(admin, group):
    with pytest.raises(Refused, match="first_admin"):
        propose_group(draft=GroupDraft(name="Friends"), by=admin)
    assert not Request.objects.exists()


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

    def test_it_is_ended_early_by_either_of_the_two_and_by_no_stranger(
        self, client, approver, admin, asked
    ):
        other = cast.person(Role.APPROVER, "otto")
        self.heads(approver)
        approve(self.name(approver, other, by=approver), admin)
        row = StandIn.objects.get()
        with pytest.raises(NotYours):
            end_stand_in(stand_in_id=row.pk, by=cast.person(Role.APPROVER, "third"))

        client.force_login(approver)
        client.post(
            reverse("admin:approvals_standin_changelist"),
            {"action": "end", "_selected_action": [str(row.pk)]},
        )

        row.refresh_from_db()
        assert row.ended_by == approver
        question = asked()
        with pytest.raises(NotYours):
            approve(question, other)
        approve(question, approver)
        assert Entry.objects.filter(action="approval_stand_in.ended").exists()
        with pytest.raises(TooLate):
            end_stand_in(stand_in_id=row.pk, by=approver)

    def test_there_is_one_at_a_time(self, approver, admin):
        other, third = cast.person(Role.APPROVER, "otto"), cast.person(Role.APPROVER, "third")
        raced = self.name(approver, third, by=approver)
        approve(self.name(approver, other, by=approver), admin)
        with pytest.raises(Refused, match="otto stands in for alma"):
            self.name(approver, third, by=approver)
        # Both were asked for before either was agreed to: the later one ends in words.
        approve(raced, admin)
        raced.refresh_from_db()
        assert raced.state == State.VOIDED
        row = StandIn.objects.get()
        copy = {
            name: getattr(row, name) for name in ("absent", "starts_at", "ends_at", "accepted_at")
        }
        with pytest.raises(IntegrityError, match="one stand-in at a time"), transaction.atomic():
            StandIn.objects.create(stand_in=third, named_by=approver, accepted_by=admin, **copy)

        end_stand_in(stand_in_id=row.pk, by=admin)
        approve(self.name(approver, third, by=approver), admin)
        assert StandIn.objects.active(at=timezone.now()).get().stand_in == third
