"""Roles and ways in with a second person: asked, agreed to, carried out once, or ended in words."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.people import OwnRoles
from cqops.platform.access.policy import Role
from cqops.platform.access.scopes import Grant, Scope
from cqops.platform.approvals.errors import AlreadyAsked, NobodyLeft, NothingChanges
from cqops.platform.approvals.models import Decision, Request, Rule
from cqops.platform.approvals.services import Changed, NotYours, State, Verdict, settle_left
from cqops.platform.approvals.services.roles import propose_roles
from cqops.platform.approvals.services.rulebook import impossible_rules
from cqops.platform.approvals.services.ways_in import propose_way_in
from tests import cast
from tests.cast import approve

pytestmark = pytest.mark.django_db
STEWARD = Grant(Role.STEWARD, Scope.DESK, None)


@pytest.fixture
def admin():
    return cast.person(Role.ADMIN, "adam")


def propose(person, by, *grants):
    return propose_roles(person=person, grants=grants or [STEWARD], by=by)


class TestRoles:
    def test_are_given_once_a_second_person_agreed(self, approver, admin):
        person = cast.person(Role.VIEWER, "vera")
        asked = propose(person, admin, STEWARD, Grant(Role.AUDITOR, Scope.DESK, None))
        assert asked.title == "vera becomes steward, auditor"
        assert person.role_grants.count() == 1
        approve(asked, approver)
        grant = person.role_grants.get(role=Role.STEWARD)
        assert (grant.granted_by, grant.approval_id) == (admin, asked.pk)
        assert person.role_grants.count() == 3

    def test_another_admin_may_be_the_second_person(self, admin):
        other = cast.person(Role.ADMIN)
        person = cast.person(None)
        approve(propose(person, admin), other)
        assert person.role_grants.get().role == Role.STEWARD

    def test_nobody_asks_for_or_decides_about_themselves(self, approver, admin):
        with pytest.raises(OwnRoles):
            propose(admin, admin)
        other = cast.person(Role.ADMIN)
        request = propose(other, admin)
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

    def test_nobody_asks_about_the_only_person_who_could_agree(self, approver, admin):
        with pytest.raises(NobodyLeft, match="first_admin"):
            propose(approver, admin)
        assert not Request.objects.exists()

    def test_what_somebody_has_already_is_not_asked_for(self, approver, admin):
        with pytest.raises(NothingChanges):
            propose(cast.person(Role.STEWARD), admin)

    def test_a_second_question_about_the_same_person_waits(self, approver, admin):
        person = cast.person(Role.VIEWER)
        propose(person, admin)
        with pytest.raises(AlreadyAsked, match="waits for an answer"):
            propose(person, admin, Grant(Role.AUDITOR, Scope.DESK, None))

    def test_one_given_meanwhile_voids_it(self, approver, admin):
        person = cast.person(Role.VIEWER)
        request = propose(person, admin)
        cast.grant(person, Role.STEWARD)
        with pytest.raises(Changed):
            approve(request, approver)

    @pytest.mark.parametrize("spoilt", ["giver", "together"])
    def test_what_cannot_be_done_any_more_ends_in_words(self, approver, admin, spoilt):
        person = cast.person(None)
        request = propose(person, admin, Grant(Role.TRADER, Scope.DESK, None))
        if spoilt == "giver":
            RoleGrant.objects.filter(user=admin).delete()
        else:
            cast.grant(person, Role.ADMIN)
        approve(request, approver)
        request.refresh_from_db()
        assert request.state == State.VOIDED
        assert "It cannot be done any more." in request.reason
        assert not person.role_grants.filter(role=Role.TRADER).exists()
        settle_left()
        assert not Request.objects.filter(settled_at=None).exists()


class TestWaysIn:
    @pytest.mark.slow  # hashing passwords is slow by design
    def test_a_password_and_the_factor_of_an_approver_take_somebody_else(self, approver, admin):
        """One admin alone must never come in as a second person."""
        with pytest.raises(NobodyLeft):
            propose_way_in(person=approver, by=admin, new_password="quite another word")
        other = cast.person(Role.APPROVER, "otto")
        asked = propose_way_in(person=approver, by=admin, new_password="quite another word")
        for nobody in (admin, approver):
            with pytest.raises(NotYours):
                approve(asked, nobody)
        assert not User.objects.get(pk=approver.pk).password
        approve(asked, other)
        assert User.objects.get(pk=approver.pk).check_password("quite another word")

    def test_nothing_is_asked_for_where_nothing_would_change(self, approver, admin):
        person = cast.person(Role.TRADER)
        for wanted in ({}, {"is_factor_reset": True}, {"is_let_in": True}):
            with pytest.raises(NothingChanges):
                propose_way_in(person=person, by=admin, **wanted)


def test_every_kind_has_a_starter_rule_that_the_demo_desk_can_meet(settings):
    """One person a role, and a second admin: as `cqops.demo` makes them."""
    for role in Role:
        cast.person(role)
    cast.person(Role.ADMIN)
    kinds = set(Rule.objects.values_list("kind", flat=True))
    asks_one_other = {"portfolio.close_break", "test.transfer"}
    # Another steward or an approver, which is whoever may decide them at all.
    asks_one_other |= {"assets.deployment", "assets.canonical_member", "assets.clear_flag"}
    asks_one_other |= {"assets.merge", "assets.import", "assets.import_undo", "venues.symbol"}
    assert set(settings.APPROVAL_KINDS) - kinds == asks_one_other
    assert impossible_rules(at=timezone.now()) == []


def test_the_roll_is_called_once_for_all_rules(django_assert_max_num_queries):
    cast.person(Role.ADMIN)
    with django_assert_max_num_queries(12):
        impossible_rules(at=timezone.now())
