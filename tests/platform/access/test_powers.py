"""Who gives powers to whom: held by the services, and by the database for whoever goes around them."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.people import NotTogether, OwnRoles, grant_role, save_person, take_role
from cqops.platform.access.policy import NotAllowed, Role, may
from cqops.platform.access.scopes import Scope
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
    def test_takes_a_grant_that_another_admin_gave(self):
        person, admin = cast.person(None), cast.person(Role.ADMIN)

        by_sql(person, "trader", admin)

        assert may(person, "order.place")

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
        account = cast.account()

        grant = grant_role(
            person=trader, role=Role.TRADER, by=admin, scope=Scope.ACCOUNT, scope_id=account.pk
        )

        assert grant.granted_by == admin
        entry = Entry.objects.get(action="role.granted")
        assert entry.who == admin.username
        assert entry.after == {"role": "trader", "scope": "account", "scope_id": str(account.pk)}

    def test_saving_a_person_leaves_their_grants_for_a_part(self):
        admin, trader = cast.person(Role.ADMIN), cast.person(Role.VIEWER)
        grant_role(
            person=trader,
            role=Role.TRADER,
            by=admin,
            scope=Scope.ACCOUNT,
            scope_id=cast.account().pk,
        )

        save_person(person=trader, roles=[], by=admin)

        assert [grant.scope for grant in RoleGrant.objects.filter(user=trader)] == ["account"]

    def test_an_admin_who_trades_is_refused_in_words(self):
        admin = cast.person(Role.ADMIN)

        with pytest.raises(NotTogether):
            save_person(person=cast.person(None), roles=["admin", "trader"], by=admin)
        with pytest.raises(NotTogether):
            grant_role(person=cast.person(Role.APPROVER), role=Role.ADMIN, by=admin)

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
    def test_gives_a_role_for_one_account_and_takes_it_away(self, client):
        admin, trader = cast.person(Role.ADMIN), cast.person(None, "tom")
        account = cast.account()
        client.force_login(admin)

        client.post(
            reverse("admin:access_rolegrant_add"),
            {"user": str(trader.pk), "role": "trader", "reach": f"account:{account.pk}"},
        )
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
    def _make(self, monkeypatch, typed="a good long word"):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        call_command("first_admin", "root", stdout=io.StringIO())

    def test_is_made_where_there_is_none(self, monkeypatch):
        self._make(monkeypatch)

        assert User.objects.get().roles == {"admin"}
        assert User.objects.get().check_password("a good long word")

    def test_is_made_once(self, monkeypatch):
        cast.person(Role.ADMIN)

        with pytest.raises(CommandError, match="There is an admin already"):
            self._make(monkeypatch)

    def test_needs_a_password_worth_the_name(self, monkeypatch):
        with pytest.raises(CommandError, match="too short"):
            self._make(monkeypatch, "short")
