"""People, roles and tokens, as an admin keeps them."""

import pytest
from django.urls import reverse

from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.people import OwnRoles, save_person
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_person(client):
    user = cast.person(Role.ADMIN, "adam")
    client.force_login(user)
    return user


def _form(**changes):
    return {
        "username": "new.person",
        "first_name": "",
        "last_name": "",
        "email": "",
        "is_active": "on",
        "time_zone": "UTC",
        "roles": ["viewer"],
        "new_password": "a good long word",
        **changes,
    }


def test_an_admin_makes_a_person_who_can_sign_in(client, admin_person):
    client.post(reverse("admin:access_user_add"), _form(roles=["trader", "viewer"]))

    made = User.objects.get(username="new.person")
    assert made.roles == {"trader", "viewer"}
    assert made.check_password("a good long word")


def test_a_weak_password_is_refused(client, admin_person):
    page = client.post(reverse("admin:access_user_add"), _form(new_password="12345678"))

    assert page.status_code == 200
    assert not User.objects.filter(username="new.person").exists()


def test_taking_a_role_away_leaves_the_password(client, admin_person):
    trader = cast.person(Role.TRADER, "tom")
    trader.set_password("a good long word")
    trader.save()

    client.post(
        reverse("admin:access_user_change", args=[trader.pk]),
        _form(username="tom", roles=["viewer"], new_password=""),
    )

    trader = User.objects.get(username="tom")
    assert trader.roles == {"viewer"}
    assert trader.check_password("a good long word")


def test_nobody_changes_their_own_roles_on_the_page(client, admin_person):
    client.post(
        reverse("admin:access_user_change", args=[admin_person.pk]),
        _form(username="adam", roles=["admin", "trader"], new_password=""),
    )

    assert User.objects.get(username="adam").roles == {"admin"}


def test_looking_at_oneself_does_not_lock_the_roles_of_others(client, admin_person):
    trader = cast.person(Role.TRADER, "tom")
    client.get(reverse("admin:access_user_change", args=[admin_person.pk]))

    client.post(
        reverse("admin:access_user_change", args=[trader.pk]),
        _form(username="tom", roles=["viewer"], new_password=""),
    )

    assert User.objects.get(username="tom").roles == {"viewer"}


def test_nobody_changes_their_own_roles_by_any_door(admin_person):
    with pytest.raises(OwnRoles):
        save_person(person=admin_person, roles=["admin", "trader"], by=admin_person)


def test_an_auditor_reads_people_and_changes_nothing(client):
    client.force_login(cast.person(Role.AUDITOR))
    trader = cast.person(Role.TRADER, "tom")
    one = client.get(reverse("admin:access_user_change", args=[trader.pk])).content.decode()

    assert client.get(reverse("admin:access_user_changelist")).status_code == 200
    assert "trader" in one
    assert 'name="roles"' not in one
    assert 'name="new_password"' not in one
    assert client.post(reverse("admin:access_user_add"), _form()).status_code == 403
    assert not User.objects.filter(username="new.person").exists()


def test_an_admin_revokes_a_token_and_never_sees_it(client, admin_person):
    text = issue(user=cast.person(Role.TRADER), name="strategy")
    token = ApiToken.objects.get()
    address = reverse("admin:access_apitoken_changelist")

    page = client.post(
        address, {"action": "revoke", "_selected_action": [str(token.pk)]}, follow=True
    )

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert text not in page.content.decode()
    assert token.digest not in page.content.decode()


def test_what_a_person_sees_is_kept_by_no_cache(client):
    viewer = cast.person(Role.VIEWER)
    client.force_login(viewer)
    assert client.get("/orders/")["Cache-Control"] == "no-store"
