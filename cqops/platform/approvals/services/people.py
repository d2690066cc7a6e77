"""Who sits in which group now, and who may decide a request.

Two things have to come together: the power, which comes from roles and which `may` answers, and a seat
in a group the rule names. A stand-in takes a seat, never a power.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.policy import may
from cqops.platform.access.scopes import Grant, Subject
from cqops.platform.approvals.kinds import UnknownKind, kind_of
from cqops.platform.approvals.models import Group, Membership, Request, StandIn
from cqops.platform.approvals.rules import ANYONE, Quorum


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who could decide, and the groups they sit in."""

    person: User
    seats: frozenset[str]


def seats_by_person(groups: Iterable[str], *, at: datetime) -> dict[UUID, set[str]]:
    """Say who sits in which of these groups: by name, by role, or in an absent person's place."""
    wanted = [group for group in groups if group]
    found: dict[UUID, set[str]] = defaultdict(set)
    for group, person in Membership.objects.filter(group_id__in=wanted).values_list(
        "group_id", "person_id"
    ):
        found[person].add(str(group))
    by_role = {
        str(group.pk): group.role for group in Group.objects.filter(pk__in=wanted).exclude(role="")
    }
    for person, role in RoleGrant.objects.filter(role__in=set(by_role.values())).values_list(
        "user_id", "role"
    ):
        found[person].update(group for group, of in by_role.items() if of == role)
    return _with_stand_ins(found, at=at)


def _with_stand_ins(seats: dict[UUID, set[str]], *, at: datetime) -> dict[UUID, set[str]]:
    """Move the seats of absent people to those who stand in for them: a seat is one voice."""
    standing = dict(
        StandIn.objects.filter(starts_at__lte=at, ends_at__gt=at).values_list(
            "absent_id", "stand_in_id"
        )
    )
    moved: dict[UUID, set[str]] = defaultdict(set)
    for person, groups in seats.items():
        moved[standing.get(person, person)] |= groups
    return moved


def seats_of(person: User, *, at: datetime) -> list[str]:
    """List the groups somebody sits in now."""
    groups = [str(key) for key in Group.objects.values_list("pk", flat=True)]
    return sorted(seats_by_person(groups, at=at).get(person.pk, ()))


def deciders(
    *, kind: str, quorum: Quorum, at: datetime, about: Subject | None = None
) -> list[Decider]:
    """List everyone with the power to decide this kind and a seat that the quorum asks for."""
    try:
        action = kind_of(kind).decides
    except UnknownKind:
        return []
    groups = {need.group for need in quorum.needs}
    seats = seats_by_person(groups, at=at)
    anyone = frozenset({ANYONE} & groups)
    people = User.objects.filter(is_active=True).order_by("username")
    found = (
        Decider(person, anyone | frozenset(seats.get(person.pk, ())))
        for person in _with_grants(people if anyone else people.filter(pk__in=seats))
        if may(person, action, about)
    )
    return [decider for decider in found if decider.seats]


def _with_grants(people: QuerySet[User]) -> list[User]:
    """Read everybody's grants in one query."""
    grants: dict[UUID, list[Grant]] = defaultdict(list)
    for row in RoleGrant.objects.all():
        grants[row.user_id].append(Grant(row.role, row.scope, row.scope_id))
    found = list(people)
    for one in found:
        vars(one)["grants"] = tuple(grants[one.pk])
    return found


def deciders_of(request: Request, *, at: datetime) -> list[Decider]:
    """List who may decide this request; whoever asked, and whoever it is about, may not."""
    return [
        decider
        for decider in deciders(kind=request.kind, quorum=request.quorum, at=at, about=request)
        if not is_party(request, decider.person)
    ]


def is_party(request: Request, person: User) -> bool:
    """Nobody decides their own request, nor one about themselves."""
    return person.pk == request.requested_by_id or str(person.pk) == request.subject_id
