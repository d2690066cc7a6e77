"""Who gives powers to whom: held by the services, and by the database for whoever goes around them.

What a second person agrees to, and what becomes of it, stands in `approvals/test_powers.py`.
"""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from cqops.platform.access import second_factor
from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.people import (
    NeedsSecond,
    NotTogether,
    OwnRoles,
    save_person,
    take_role,
)
from cqops.platform.access.policy import NotAllowed, Role, may
from cqops.platform.access.scopes import Grant, Scope
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services.roles import propose_roles
from cqops.platform.audit.models import Entry
from tests import cast

pytestmark = pytest.mark.django_db
INSERT = """
    INSERT INTO access_rolegrant (id, user_id, role, scope, granted_at, granted_by_id)
    VALUES (gen_random_uuid(), %s, %s, 'desk', now(), %s)
"""


def by_sql(person, role, giver):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [person.pk, role, giver and giver.pk])


class TestTheDatabase:
    def test_refuses_a_grant_that_only_one_admin_gave(self):
        person, admin = cast.person(None), cast.person(Role.ADMIN)

        with pytest.raises(IntegrityError, match="a role needs a second person"):
            by_sql(person, "trader", admin)
        assert not may(person, "order.place")

    @pytest.mark.parametrize(
        ("role", "scope_id"), [("approver", None), ("trader", "an account")], ids=["role", "part"]
    )
    def test_refuses_a_grant_of_something_else_than_was_agreed_to(self, role, scope_id):
        person, admin = cast.person(None), cast.person(Role.ADMIN)
        approver = cast.person(Role.APPROVER)
        asked = propose_roles(person=person, grants=[Grant("trader", Scope.DESK, None)], by=admin)
        cast.approve(asked, approver)
        assert person.role_grants.get().approval_id == asked.pk
        person.role_grants.all().delete()

        with pytest.raises(IntegrityError, match="a role needs a second person"):
            RoleGrant.objects.create(
                user=person,
                role=role,
                scope="account" if scope_id else "desk",
                scope_id=cast.account().pk if scope_id else None,
                granted_by=admin,
                approval=asked,
            )

    def test_refuses_a_grant_to_oneself(self):
        admin = cast.person(Role.ADMIN)

        with pytest.raises(IntegrityError, match="nobody gives a role to themselves"):
            by_sql(admin, "auditor", admin)

    @pytest.mark.parametrize("giver", [role for role in Role if role is not Role.ADMIN])
    def test_refuses_a_grant_that_no_admin_gave(self, giver):
        with pytest.raises(IntegrityError, match="only an admin gives roles"):
            by_sql(cast.person(None), "admin", cast.person(giver))

    def test_refuses_a_grant_of_a_disabled_admin(self):
        admin = cast.person(Role.ADMIN)
        User.objects.filter(pk=admin.pk).update(is_active=False)

        with pytest.raises(IntegrityError, match="only an admin gives roles"):
            by_sql(cast.person(None), "viewer", admin)

    def test_refuses_a_grant_of_nobody(self):
        with pytest.raises(IntegrityError, match="a role is given by somebody"):
            by_sql(cast.person(None), "admin", None)

    @pytest.mark.parametrize(
        ("has", "gets"),
        [("admin", "trader"), ("admin", "approver"), ("trader", "admin"), ("approver", "admin")],
    )
    def test_refuses_an_admin_who_trades_or_approves(self, has, gets):
        with pytest.raises(IntegrityError, match="an admin neither trades nor approves"):
            by_sql(cast.person(Role(has)), gets, cast.person(Role.ADMIN))

    def test_refuses_to_edit_a_grant(self):
        viewer = cast.person(Role.VIEWER)

        with pytest.raises(IntegrityError, match="a grant is not edited"), transaction.atomic():
            RoleGrant.objects.filter(user=viewer).update(role="admin")

    def test_forgets_that_something_was_seeded(self):
        cast.person(Role.VIEWER)

        with pytest.raises(IntegrityError, match="a role is given by somebody"):
            by_sql(cast.person(None), "viewer", None)


class TestTheServices:
    def test_a_grant_for_a_part_names_who_gave_it_and_is_written_down(self):
        admin, trader = cast.person(Role.ADMIN), cast.person(None)
        account, approver = cast.account(), cast.person(Role.APPROVER)
        wanted = [Grant("trader", Scope.ACCOUNT, account.pk)]

        cast.approve(propose_roles(person=trader, grants=wanted, by=admin), approver)

        grant = trader.role_grants.get()
        assert (grant.granted_by, grant.scope_id) == (admin, account.pk)
        entry = Entry.objects.get(action="role.granted")
        assert entry.who == admin.username
        assert entry.after == {"role": "trader", "scope": "account", "scope_id": str(account.pk)}

    def test_saving_a_person_leaves_their_grants_for_a_part(self):
        admin, trader = cast.person(Role.ADMIN), cast.person(Role.VIEWER)
        cast.grant(trader, Role.TRADER, scope=Scope.ACCOUNT, scope_id=cast.account().pk)

        save_person(person=trader, roles=[], by=admin)

        assert [grant.scope for grant in RoleGrant.objects.filter(user=trader)] == ["account"]

    def test_saving_a_person_gives_nobody_a_power(self):
        admin, trader = cast.person(Role.ADMIN), cast.person(Role.TRADER)
        disabled = cast.person(Role.VIEWER)
        User.objects.filter(pk=disabled.pk).update(is_active=False)

        for gives in (
            {"person": trader, "roles": ["trader", "steward"]},
            {"person": trader, "roles": ["trader"], "new_password": "a good long word"},
            {"person": disabled, "roles": ["viewer"]},
            {"person": User(username="new"), "roles": ["viewer"]},
        ):
            with pytest.raises(NeedsSecond):
                save_person(**gives, by=admin)

    @pytest.mark.slow  # hashing passwords is slow by design
    def test_a_newcomer_without_roles_needs_nobody_and_neither_does_ones_own_password(self):
        admin = cast.person(Role.ADMIN)

        made = save_person(
            person=User(username="new"), roles=[], by=admin, new_password="a good long word"
        )
        save_person(person=admin, roles=["admin"], by=admin, new_password="another long word")

        assert made.check_password("a good long word")
        assert admin.check_password("another long word")

    def test_an_admin_who_trades_is_refused_in_words(self):
        admin, approver = cast.person(Role.ADMIN), cast.person(Role.APPROVER)
        both = [Grant("admin", Scope.DESK, None), Grant("trader", Scope.DESK, None)]

        with pytest.raises(NotTogether):
            propose_roles(person=cast.person(None), grants=both, by=admin)
        with pytest.raises(NotTogether):
            propose_roles(person=approver, grants=both[:1], by=admin)

    def test_only_an_admin_gives_and_takes_and_never_to_themselves(self):
        admin, other = cast.person(Role.ADMIN), cast.person(Role.ADMIN)
        grant = RoleGrant.objects.get(user=admin)

        with pytest.raises(OwnRoles):
            take_role(grant=grant, by=admin)
        with pytest.raises(NotAllowed):
            take_role(grant=grant, by=cast.person(Role.TRADER))
        take_role(grant=grant, by=other)
        assert not RoleGrant.objects.filter(user=admin).exists()

    def test_disabling_somebody_ends_their_tokens(self, client):
        admin, trader = cast.person(Role.ADMIN), cast.person(Role.TRADER)
        trader.api_tokens.create(name="x", digest="d", expires_at="2030-01-01T00:00Z")

        trader.is_active = False
        save_person(person=trader, roles=["trader"], by=admin)

        assert trader.api_tokens.get().revoked_at is not None


class TestTheAdminPage:
    def test_asks_for_a_role_for_one_account_and_takes_it_away_at_once(self, client):
        admin, trader = cast.person(Role.ADMIN), cast.person(None, "tom")
        account, approver = cast.account(), cast.person(Role.APPROVER)
        client.force_login(admin)

        client.post(
            reverse("admin:access_rolegrant_add"),
            {"user": str(trader.pk), "role": "trader", "reach": f"account:{account.pk}"},
        )
        assert not RoleGrant.objects.filter(user=trader).exists()
        cast.approve(Request.objects.get(), approver)
        grant = RoleGrant.objects.get(user=trader)
        listed = client.get(reverse("admin:access_rolegrant_changelist")).content.decode()
        client.post(
            reverse("admin:access_rolegrant_changelist"),
            {"action": "take_away", "_selected_action": [str(grant.pk)]},
        )

        assert (grant.scope, grant.scope_id) == ("account", account.pk)
        assert str(account) in listed
        assert not RoleGrant.objects.filter(user=trader).exists()


class TestTheFirstAdmin:
    def _make(self, monkeypatch, typed="a good long word", name="root", command="first_admin"):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        call_command(command, name, stdout=io.StringIO())

    def test_is_made_where_there_is_none(self, monkeypatch):
        self._make(monkeypatch)

        assert User.objects.get().roles == {"admin"}
        assert User.objects.get().check_password("a good long word")

    def test_gets_a_second_the_same_way_and_no_third(self, monkeypatch):
        cast.person(Role.ADMIN)

        self._make(monkeypatch)

        assert Entry.objects.filter(action="role.seeded").count() == 1
        with pytest.raises(CommandError, match="There are two admins already"):
            self._make(monkeypatch, name="third")

    def test_needs_a_password_worth_the_name(self, monkeypatch):
        with pytest.raises(CommandError, match="too short"):
            self._make(monkeypatch, "short")

    @pytest.mark.slow  # hashing passwords is slow by design
    def test_is_recovered_on_the_server_while_it_is_the_last(self, monkeypatch):
        admin = cast.person(Role.ADMIN, "root")
        second_factor.begin(user=admin)
        second_factor.confirm(user=admin, code=second_factor.present_code(admin))
        User.objects.filter(pk=admin.pk).update(is_active=False)

        self._make(monkeypatch, "quite another word", command="recover")

        admin.refresh_from_db()
        assert admin.is_active
        assert admin.check_password("quite another word")
        assert not second_factor.has_one(admin)
        assert Entry.objects.filter(action="person.recovered", subject_id=str(admin.pk)).exists()

    def test_is_not_recovered_past_another_admin(self, monkeypatch):
        cast.person(Role.ADMIN, "root")
        cast.person(Role.ADMIN)
        cast.person(Role.TRADER, "tom")

        with pytest.raises(CommandError, match="There is another admin"):
            self._make(monkeypatch, command="recover")
        with pytest.raises(CommandError, match="Nobody of this name"):
            self._make(monkeypatch, name="tom", command="recover")
