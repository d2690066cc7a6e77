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
from cqops.platform.access.policy import Action, may
from cqops.platform.access.scopes import Grant, Subject
from cqops.platform.approvals.kinds import UnknownKind, kind_of
from cqops.platform.approvals.models import Group, Membership, Request, StandIn
from cqops.platform.approvals.rules import ANYONE, Quorum


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who could decide, and the groups they sit in."""

    person: User
    seats: frozenset[str]


class Roll:
    """Everybody, their powers and their seats at one moment: read once, for any number of requests."""

    def __init__(self, groups: Iterable[str], *, at: datetime) -> None:
        self.own_seats = _own_seats(groups)
        self.stand_ins = standing_in(at=at)
        self.seats = _moved(self.own_seats, self.stand_ins)
        self.people = _with_grants(User.objects.order_by("username"))

    def deciders(self, *, kind: str, quorum: Quorum, about: Subject | None = None) -> list[Decider]:
        """List everyone with the power to decide this kind and a seat that the quorum asks for."""
        action = decides(kind)
        if action is None:
            return []
        groups = {need.group for need in quorum.needs}
        anyone = frozenset({ANYONE} & groups)
        seated = (
            Decider(person, anyone | (groups & self.seats.get(person.pk, set())))
            for person in self.people
        )
        return [one for one in seated if one.seats and may(one.person, action, about)]

    def askers(self, *, kind: str, role: str = "") -> list[User]:
        """List who could ask for this kind, in this role where a rule names one."""
        action = kind_of(kind).asks
        return [
            person
            for person in self.people
            if may(person, action) and (not role or role in person.roles)
        ]

    def deciders_of(self, request: Request) -> list[Decider]:
        """List who may decide this request; whoever asked, and whoever it is about, may not."""
        found = self.deciders(kind=request.kind, quorum=request.quorum, about=request)
        return [one for one in found if not is_party(request, one.person)]


def whole_roll(*, at: datetime) -> Roll:
    """Call everybody, with their seats in every group there is."""
    return Roll([str(key) for key in Group.objects.values_list("pk", flat=True)], at=at)


def decides(kind: str) -> Action | None:
    """Name the power that deciding this kind takes, if anybody still offers it."""
    try:
        return kind_of(kind).decides
    except UnknownKind:
        return None


def seats_by_person(groups: Iterable[str], *, at: datetime) -> dict[UUID, set[str]]:
    """Say who sits in which of these groups: by name, by role, or in an absent person's place."""
    return _moved(_own_seats(groups), standing_in(at=at))


def _own_seats(groups: Iterable[str]) -> dict[UUID, set[str]]:
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
    return found


def standing_in(*, at: datetime) -> dict[UUID, StandIn]:
    """Say for whoever is absent now who stands in for them."""
    found = StandIn.objects.active(at=at)
    return {row.absent_id: row for row in found.select_related("absent", "stand_in")}


def _moved(seats: dict[UUID, set[str]], stand_ins: dict[UUID, StandIn]) -> dict[UUID, set[str]]:
    """Move the seats of absent people to those who stand in for them: a seat is one voice."""
    moved: dict[UUID, set[str]] = defaultdict(set)
    for person, groups in seats.items():
        row = stand_ins.get(person)
        moved[row.stand_in_id if row else person] |= groups
    return moved


def seats_of(person: User, *, at: datetime) -> list[str]:
    """List the groups somebody sits in now."""
    groups = [str(key) for key in Group.objects.values_list("pk", flat=True)]
    return sorted(seats_by_person(groups, at=at).get(person.pk, ()))


def deciders(
    *, kind: str, quorum: Quorum, at: datetime, about: Subject | None = None
) -> list[Decider]:
    """List everyone with the power to decide this kind and a seat that the quorum asks for."""
    roll = Roll((need.group for need in quorum.needs), at=at)
    return roll.deciders(kind=kind, quorum=quorum, about=about)


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
    return Roll((need.group for need in request.quorum.needs), at=at).deciders_of(request)


def is_party(request: Request, person: User) -> bool:
    """Nobody decides their own request, nor one about themselves."""
    return person.pk == request.requested_by_id or str(person.pk) == request.subject_id
