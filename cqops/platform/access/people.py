"""Who works here and in which roles. Nobody changes their own: that would undo the separation.

What takes a power away, one admin does at once. What gives one waits for a second person: a role, a new
password for somebody else, letting a disabled person in again. The database holds the same for grants:
each names the admin who asked for it and the approval it came with, and an admin neither trades nor
approves.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth import login
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.policy import Action, Role, demand
from cqops.platform.access.scopes import Scope
from cqops.platform.access.sessions import end_all_sessions
from cqops.platform.access.tokens import revoke_all_tokens
from cqops.platform.audit.services import changes, record, stored

RECORDED = ("username", "first_name", "last_name", "email", "is_active", "time_zone")
APART = frozenset({Role.TRADER.value, Role.APPROVER.value})
ADMINS_NEEDED = 2


class OwnRoles(Exception):
    """Nobody changes their own roles. Ask another admin."""


class NotTheFirst(Exception):
    """There are two admins already. One of them asks for the next one, and the other agrees."""


class NotTogether(Exception):
    """An admin neither trades nor approves: one person cannot have both."""


class NeedsSecond(Exception):
    """This gives somebody a power, so a second person has to agree to it."""


@transaction.atomic
def save_person(*, person: User, roles: Collection[str], by: User, new_password: str = "") -> User:
    """Store a person, and take away the roles for the whole desk that are not named.

    A role that they do not have, a password for somebody who is here already, and letting a disabled
    person in again are asked for instead (`approvals.services`).
    """
    demand(by, Action.PEOPLE_EDIT, {})
    desk_wide = person.role_grants.filter(scope=Scope.DESK)
    has = set(desk_wide.values_list("role", flat=True))
    if by.pk == person.pk and has != set(roles):
        raise OwnRoles
    old = stored(person)
    if _gives(old, person, set(roles) - has, is_password_new=bool(new_password), by=by):
        raise NeedsSecond
    if new_password:
        person.set_password(new_password)
    elif not person.password:
        person.set_unusable_password()
    person.save()
    _recorded(old, person, is_password_new=bool(new_password), by=by)
    for grant in desk_wide.exclude(role__in=roles):
        take_role(grant=grant, by=by)
    if not person.is_active:
        end_all_sessions(user=person, by=by)
        revoke_all_tokens(user=person, by=by)
    return person


def _gives(
    old: User | None, person: User, roles: Collection[str], *, is_password_new: bool, by: User
) -> bool:
    """Tell whether saving would open a door that is shut now. A newcomer without roles has none."""
    if old is None:
        return bool(roles)
    is_back = person.is_active and not old.is_active
    return bool(roles) or is_back or (is_password_new and by.pk != person.pk)


def _recorded(old: User | None, person: User, *, is_password_new: bool, by: User) -> None:
    before, after = changes(old, person, RECORDED)
    if is_password_new:
        after["sign_in"] = "set anew"
    if old is None or after:
        action = "person.created" if old is None else "person.changed"
        record(action=action, subject=person, before=before or None, after=after, by=by)


@transaction.atomic
def grant_role(
    *,
    person: User,
    role: Role,
    by: User,
    approval: UUID,
    scope: Scope = Scope.DESK,
    scope_id: UUID | None = None,
) -> RoleGrant:
    """Give the role that an approval was released for; what was given already stays as it is."""
    _refuse_own(person, by)
    refuse_together({*person.role_grants.values_list("role", flat=True), role.value})
    grant, is_new = RoleGrant.objects.get_or_create(
        user=person,
        role=role.value,
        scope=scope,
        scope_id=scope_id,
        defaults={"granted_by": by, "approval_id": approval},
    )
    if is_new:
        record(action="role.granted", subject=person, after=_told(grant), by=by)
    return grant


def refuse_together(roles: Collection[str]) -> None:
    if Role.ADMIN in roles and APART & set(roles):
        raise NotTogether


@transaction.atomic
def take_role(*, grant: RoleGrant, by: User) -> None:
    _refuse_own(grant.user, by)
    record(action="role.ended", subject=grant.user, before=_told(grant), by=by)
    grant.delete()


def _told(grant: RoleGrant) -> dict[str, object]:
    part = {"scope_id": grant.scope_id} if grant.scope_id else {}
    return {"role": grant.role, "scope": grant.scope, **part}


def _refuse_own(person: User, by: User) -> None:
    demand(by, Action.PEOPLE_EDIT, {})
    if by.pk == person.pk:
        raise OwnRoles


def seed_grant(
    *, person: User, role: Role, scope: str = Scope.DESK, scope_id: UUID | None = None
) -> RoleGrant:
    """Give a role where there is nobody to give it: demo people, tests, the very first admins."""
    with seeding():
        return RoleGrant.objects.create(
            user=person, role=role.value, scope=scope, scope_id=scope_id
        )


@transaction.atomic
def save_preferences(*, person: User) -> User:
    """Store what a person set for themselves."""
    old = stored(person)
    person.save(update_fields=["time_zone", "theme"])
    before, after = changes(old, person, ("time_zone", "theme"))
    if after:
        record(action="preferences.changed", subject=person, before=before, after=after, by=person)
    return person


@transaction.atomic
def enter(request: HttpRequest, person: User) -> None:
    """Sign a demo person in without a password, and write down who did so."""
    by = request.user if isinstance(request.user, User) else None
    record(action="person.entered_as", subject=person, by=by)
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")


def active_admins() -> QuerySet[User]:
    held = RoleGrant.objects.filter(role=Role.ADMIN, scope=Scope.DESK)
    return User.objects.filter(is_active=True, pk__in=held.values("user_id"))


@transaction.atomic
def make_first_admin(*, username: str, password: str) -> User:
    """Make one of the two admins who can make everybody else, where there are not two yet.

    One alone could give nothing: whatever gives a power needs a second person.
    """
    if active_admins().count() >= ADMINS_NEEDED:
        raise NotTheFirst
    person = User(username=username)
    person.set_password(password)
    person.full_clean()
    person.save()
    grant = seed_grant(person=person, role=Role.ADMIN)
    record(action="role.seeded", subject=person, after=_told(grant))
    return person
