"""People, roles and tokens, as an admin keeps them: what takes away counts at once, what gives waits."""

import pytest
from django.db import IntegrityError
from django.urls import reverse

from cqops.platform.access import second_factor
from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.people import OwnRoles, save_person
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from cqops.platform.approvals.models import Proposal, Request
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


@pytest.fixture
def second(admin_person):
    return cast.person(Role.APPROVER, "alma")


def _now(username):
    return User.objects.get(username=username)


def test_a_newcomer_signs_in_at_once_and_has_roles_once_a_second_person_agreed(client, second):
    client.post(reverse("admin:access_user_add"), _form(roles=["trader", "viewer"]))

    made = _now("new.person")
    assert made.check_password("a good long word")
    assert made.roles == frozenset()
    cast.approve(Request.objects.get(subject_id=str(made.pk)), second)
    assert _now("new.person").roles == {"trader", "viewer"}


def test_one_admin_alone_makes_no_approver_and_is_told_what_to_do(client, admin_person):
    answer = client.post(
        reverse("admin:access_user_add"), _form(roles=["approver"]), follow=True
    ).content.decode()

    assert "manage.py first_admin" in answer
    assert _now("new.person").roles == frozenset()
    assert not Request.objects.exists()


@pytest.mark.slow  # hashing passwords is slow by design
def test_somebody_elses_password_waits_and_is_kept_only_as_a_hash_until_then(client, second):
    trader = cast.person(Role.TRADER, "tom")
    form = _form(username="tom", roles=["trader"], first_name="Tom")
    client.post(reverse("admin:access_user_change", args=[trader.pk]), form)

    assert _now("tom").first_name == "Tom"
    assert not _now("tom").has_usable_password()
    asked = Request.objects.get()
    assert "a good long word" not in str(asked.instruction) + str(Proposal.objects.get().content)
    cast.approve(asked, second)
    assert _now("tom").check_password("a good long word")
    assert Proposal.objects.get().content["password"] == ""


def test_a_disabled_person_comes_back_only_with_a_second_person(client, second):
    trader = cast.person(Role.TRADER, "tom")
    page = reverse("admin:access_user_change", args=[trader.pk])
    form = _form(username="tom", roles=["trader"], new_password="")
    client.post(page, {**form, "is_active": ""})
    assert not _now("tom").is_active

    client.post(page, form)

    assert not _now("tom").is_active
    cast.approve(Request.objects.get(), second)
    assert _now("tom").is_active


def test_the_database_lets_nobody_back_by_itself():
    trader = cast.person(Role.TRADER)
    User.objects.filter(pk=trader.pk).update(is_active=False)

    with pytest.raises(IntegrityError, match="needs a second person"):
        User.objects.filter(pk=trader.pk).update(is_active=True)


def test_a_second_question_about_the_same_person_waits_for_the_first(client, second):
    trader = cast.person(Role.TRADER, "tom")
    page = reverse("admin:access_user_change", args=[trader.pk])
    form = _form(username="tom", new_password="")
    client.post(page, {**form, "roles": ["trader", "steward"]})

    answer = client.post(page, {**form, "roles": ["trader", "auditor"]}, follow=True)

    assert answer.status_code == 200
    assert "asked already" in answer.content.decode()
    assert Request.objects.count() == 1


def test_a_second_factor_is_reset_only_with_a_second_person(client, second):
    trader = cast.person(Role.TRADER, "tom")
    second_factor.begin(user=trader)
    second_factor.confirm(user=trader, code=second_factor.present_code(trader))
    client.post(
        reverse("admin:access_user_changelist"),
        {"action": "reset_second_factor", "_selected_action": [str(trader.pk)]},
    )

    assert second_factor.has_one(trader)
    cast.approve(Request.objects.get(), second)
    assert not second_factor.has_one(trader)


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
    assert trader.roles == frozenset()
    assert trader.check_password("a good long word")


def test_nobody_changes_their_own_roles_on_the_page(client, admin_person):
    client.post(
        reverse("admin:access_user_change", args=[admin_person.pk]),
        _form(username="adam", roles=["admin", "trader"], new_password=""),
    )

    assert User.objects.get(username="adam").roles == {"admin"}


def test_looking_at_oneself_does_not_lock_the_roles_of_others(client, admin_person):
    trader = cast.person(Role.TRADER, "tom")
    cast.grant(trader, Role.VIEWER)
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
