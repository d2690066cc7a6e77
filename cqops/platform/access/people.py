"""Who works here and in which roles. Nobody changes their own: that would undo the separation.

The database holds the same: every grant names the admin who gave it, never the one who gets it, and an
admin neither trades nor approves.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth import login
from django.db import connection, transaction
from django.http import HttpRequest

from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.policy import Action, Role, demand
from cqops.platform.access.scopes import Scope
from cqops.platform.access.sessions import end_all_sessions
from cqops.platform.access.tokens import revoke_all_tokens
from cqops.platform.audit.services import changes, record, stored

RECORDED = ("username", "first_name", "last_name", "email", "is_active", "time_zone")
APART = frozenset({Role.TRADER.value, Role.APPROVER.value})


class OwnRoles(Exception):
    """Nobody changes their own roles. Ask another admin."""


class NotTheFirst(Exception):
    """There is an admin already. They make the next one."""


class NotTogether(Exception):
    """An admin neither trades nor approves: one person cannot have both."""


@transaction.atomic
def save_person(*, person: User, roles: Collection[str], by: User, new_password: str = "") -> User:
    """Store a person with exactly these roles for the whole desk; grants for a part stay."""
    demand(by, Action.PEOPLE_EDIT, {})
    desk_wide = person.role_grants.filter(scope=Scope.DESK)
    has = set(desk_wide.values_list("role", flat=True))
    if by.pk == person.pk and has != set(roles):
        raise OwnRoles
    if Role.ADMIN in roles and (APART & set(roles)):
        raise NotTogether
    old = stored(person)
    if new_password:
        person.set_password(new_password)
    elif not person.password:
        person.set_unusable_password()
    person.save()
    _recorded(old, person, is_password_new=bool(new_password), by=by)
    for grant in desk_wide.exclude(role__in=roles):
        take_role(grant=grant, by=by)
    for role in sorted(set(roles) - has):
        grant_role(person=person, role=Role(role), by=by)
    if not person.is_active:
        end_all_sessions(user=person, by=by)
        revoke_all_tokens(user=person, by=by)
    return person


def _recorded(old: User | None, person: User, *, is_password_new: bool, by: User) -> None:
    before, after = changes(old, person, RECORDED)
    if is_password_new:
        after["sign_in"] = "set anew"
    if old is None or after:
        action = "person.created" if old is None else "person.changed"
        record(action=action, subject=person, before=before or None, after=after, by=by)


@transaction.atomic
def grant_role(
    *, person: User, role: Role, by: User, scope: Scope = Scope.DESK, scope_id: UUID | None = None
) -> RoleGrant:
    """Give a role for the desk or a part of it; what was given already stays as it is."""
    _refuse_own(person, by)
    has = set(person.role_grants.values_list("role", flat=True))
    if (role == Role.ADMIN and has & APART) or (role in APART and Role.ADMIN in has):
        raise NotTogether
    grant, is_new = RoleGrant.objects.get_or_create(
        user=person, role=role.value, scope=scope, scope_id=scope_id, defaults={"granted_by": by}
    )
    if is_new:
        record(action="role.granted", subject=person, after=_told(grant), by=by)
    return grant


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


@transaction.atomic
def seed_grant(
    *, person: User, role: Role, scope: str = Scope.DESK, scope_id: UUID | None = None
) -> RoleGrant:
    """Give a role where there is nobody to give it: demo people, tests, the very first admin."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cqops.seeding', 'on', true)")
        grant = RoleGrant.objects.create(
            user=person, role=role.value, scope=scope, scope_id=scope_id
        )
        cursor.execute("SELECT set_config('cqops.seeding', '', true)")
    return grant


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


@transaction.atomic
def make_first_admin(*, username: str, password: str) -> User:
    """Make somebody who can make everybody else, where there is nobody yet."""
    if RoleGrant.objects.filter(role=Role.ADMIN).exists():
        raise NotTheFirst
    person = User(username=username)
    person.set_password(password)
    person.full_clean()
    person.save()
    grant = seed_grant(person=person, role=Role.ADMIN)
    record(action="role.seeded", subject=person, after=_told(grant))
    return person
