"""How far a request has come: who agreed, who can still, who cannot and why, and whether those left suffice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.rules import ANYONE, Need, Quorum, Seats, filled, is_met
from cqops.platform.approvals.services.people import Decider, Roll, decides, is_party
from cqops.platform.approvals.states import Verdict


class Part(StrEnum):
    """What somebody has to do with a group's agreement."""

    DECIDED = "decided"
    CAN = "can"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One person of a group: what they decided, or whether they still can and else why not."""

    name: str
    part: Part
    cause: str = ""
    stands_in_for: str = ""
    decision: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStanding:
    """How far one group has come, and everybody of it."""

    label: str
    quorum: int
    voices: tuple[Voice, ...]

    @property
    def approved(self) -> tuple[str, ...]:
        return tuple(
            one.name
            for one in self.voices
            if one.decision is not None and one.decision.verdict == Verdict.APPROVE
        )

    @property
    def can_still(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.voices if one.part is Part.CAN)

    @property
    def is_met(self) -> bool:
        return len(self.approved) >= self.quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a request has come, and whether those left can bring it to an end."""

    groups: tuple[GroupStanding, ...]
    required: int
    can_be_met: bool


def seats_of(request: Request) -> Seats:
    """Say where the people who approved sat when they did."""
    approvals = (one for one in request.decisions.all() if one.verdict == Verdict.APPROVE)
    return {str(one.by_id): frozenset(one.seats) for one in approvals}


def progress(request: Request) -> str:
    """Say how far a request has come, without asking who is left: enough for a line of a list."""
    placed = filled(request.quorum, seats_of(request))
    counts = {need: len(placed[need.group]) for need in request.quorum.needs}
    joined = ", ".join(f"{n} of {need.quorum} {need.label}" for need, n in counts.items())
    is_all = request.quorum.required == len(counts)
    return joined if is_all else f"{request.quorum.required} of these groups: {joined}"


def standing(request: Request, *, now: datetime) -> Standing:
    """Say per group who agreed, who is left, and who cannot and why."""
    quorum = request.quorum
    roll = Roll((need.group for need in quorum.needs), at=now)
    left = _left(request, roll)
    seats = seats_of(request)
    placed = filled(quorum, seats)
    return Standing(
        groups=tuple(
            GroupStanding(
                label=need.label,
                quorum=need.quorum,
                voices=(
                    *_decided(request, need, placed[need.group]),
                    *(_others(request, need, roll, left) if request.is_pending else ()),
                ),
            )
            for need in quorum.needs
        ),
        required=quorum.required,
        can_be_met=_can_be_met(quorum, seats, left),
    )


def stuck(requests: Sequence[Request], *, now: datetime) -> set[UUID]:
    """Find those that the people left can no longer bring to an end, in a few queries for all."""
    pending = [request for request in requests if request.is_pending]
    if not pending:
        return set()
    roll = Roll({need.group for one in pending for need in one.quorum.needs}, at=now)
    return {
        one.pk for one in pending if not _can_be_met(one.quorum, seats_of(one), _left(one, roll))
    }


def _left(request: Request, roll: Roll) -> list[Decider]:
    decided = {one.by_id for one in request.decisions.all()}
    return [one for one in roll.deciders_of(request) if one.person.pk not in decided]


def _can_be_met(quorum: Quorum, seats: Seats, left: list[Decider]) -> bool:
    return is_met(quorum, {**seats, **{str(one.person.pk): one.seats for one in left}})


def _decided(request: Request, need: Need, placed: Sequence[str]) -> Iterable[Voice]:
    """Name whoever counts for this group, and whoever of it refused."""
    for one in request.decisions.all():
        counts = str(one.by_id) in placed
        if counts or (one.verdict == Verdict.REFUSE and need.group in one.seats):
            yield Voice(name=one.by.name, part=Part.DECIDED, decision=one)


def _others(request: Request, need: Need, roll: Roll, left: list[Decider]) -> Iterable[Voice]:
    """Name everybody of the group who has not decided: first who can, then who cannot and why."""
    able = {one.person.pk for one in left if need.group in one.seats}
    decided = {one.by_id for one in request.decisions.all()}
    action = decides(request.kind)
    found = [
        Voice(
            name=person.name,
            part=Part.CAN if person.pk in able else Part.CANNOT,
            cause="" if person.pk in able else _cause(request, person, roll, action),
            stands_in_for=_for_whom(person, need, roll),
        )
        for person in roll.people
        if person.pk not in decided and _belongs(person, need, roll, action)
    ]
    return sorted(found, key=lambda one: one.part is Part.CANNOT)


def _belongs(person: User, need: Need, roll: Roll, action: Action | None) -> bool:
    """Tell who is named beside a group: whoever has a seat, and for anyone whoever has the power."""
    if need.group == ANYONE:
        return action is not None and may(person, action)
    own = need.group in roll.own_seats.get(person.pk, ())
    return own or need.group in roll.seats.get(person.pk, ())


def _for_whom(person: User, need: Need, roll: Roll) -> str:
    """Name those whose seat in this group somebody takes."""
    absent = (
        row.absent.name
        for key, row in roll.stand_ins.items()
        if row.stand_in_id == person.pk and need.group in roll.own_seats.get(key, ())
    )
    return ", ".join(sorted(absent))


def _cause(request: Request, person: User, roll: Roll, action: Action | None) -> str:
    """Say why somebody of the group cannot decide this."""
    if person.pk == request.requested_by_id:
        return "asked for it"
    if is_party(request, person):
        return "it is about them"
    if not person.is_active:
        return "disabled"
    if row := roll.stand_ins.get(person.pk):
        return f"away until {row.ends_at:%d %b %H:%M} UTC; {row.stand_in.name} stands in"
    if action is None or not may(person, action):
        return "no role of theirs may decide this"
    return "their role does not reach this account or portfolio"
