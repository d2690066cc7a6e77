"""A way in for somebody, opened anew: a password, a second factor taken away, a disabled person let in.

Whoever can do one of these can come in as that person, so it takes an admin and a second person, and
is never about oneself. The database lets no second factor go and no disabled person in without the
approval. On the server itself the last admin is recovered, where nobody is left to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from cqops.platform.access import second_factor
from cqops.platform.access.allowances import approved, seeding
from cqops.platform.access.models import User
from cqops.platform.access.people import OwnRoles, active_admins
from cqops.platform.access.policy import Action, demand
from cqops.platform.access.sessions import end_all_sessions
from cqops.platform.audit.services import record


class NotTheLast(Exception):
    """There is another admin. They ask for it on the desk, and a second person agrees."""


class NoSuchAdmin(Exception):
    """Nobody of this name has the role of an admin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """What shall be opened. The password is a hash already: nobody keeps one in the clear."""

    password: str = ""
    is_factor_reset: bool = False
    is_let_in: bool = False


@transaction.atomic
def open_way_in(*, person: User, wanted: WayIn, by: User, approval: UUID) -> None:
    """Do what an approval was released for."""
    demand(by, Action.PEOPLE_EDIT, {})
    if by.pk == person.pk:
        raise OwnRoles
    with approved(approval):
        _open(person, wanted, by=by)


def _open(person: User, wanted: WayIn, *, by: User | None) -> None:
    told = {}
    if wanted.password:
        person.password = wanted.password
        told["sign_in"] = "set anew"
    if wanted.is_let_in:
        person.is_active = True
        told["is_active"] = "yes"
    if told:
        person.save(update_fields=["password", "is_active"])
        record(action="person.changed", subject=person, after=told, by=by)
    if wanted.is_factor_reset:
        second_factor.reset(person=person, by=by)
    end_all_sessions(user=person, by=by or person)


@transaction.atomic
def recover(*, username: str, password: str) -> User:
    """Let the last admin in again, from the server: a new password, and no second factor."""
    person = User.objects.filter(username=username, role_grants__role="admin").first()
    if person is None:
        raise NoSuchAdmin
    if active_admins().exclude(pk=person.pk).exists():
        raise NotTheLast
    person.set_password(password)
    hashed = person.password
    with seeding():
        _open(person, WayIn(password=hashed, is_factor_reset=True, is_let_in=True), by=None)
    record(action="person.recovered", subject=person)
    return person
