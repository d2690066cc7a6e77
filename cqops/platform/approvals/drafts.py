"""A rule, group or stand-in as somebody wants it to be, and the lines in which it is shown.

A draft is stored whole with its proposal and read back from there, so what is carried out is what was
approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from cqops.platform.access.models import User
from cqops.platform.approvals.kinds import label_of
from cqops.platform.approvals.models import Group, Rule, StandIn
from cqops.platform.approvals.rules import Need, Quorum, Terms

Lines = Mapping[str, str]
ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    name: str
    needs: tuple[tuple[UUID, int], ...]
    position: int = 100
    is_enabled: bool = True
    kind: str = ""
    notional_from: Decimal | None = None
    venue: str = ""
    account: str = ""
    asset_group: str = ""
    role: str = ""
    groups_required: int | None = None

    def as_json(self) -> dict[str, Any]:
        bound = None if self.notional_from is None else f"{self.notional_from:f}"
        needs = [[str(group), quorum] for group, quorum in self.needs]
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {**plain, "notional_from": bound, "needs": needs}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RuleDraft:
        bound = stored["notional_from"]
        return cls(
            **{name: stored[name] for name in _PLAIN},
            notional_from=None if bound is None else Decimal(bound),
            needs=tuple((UUID(group), quorum) for group, quorum in stored["needs"]),
        )

    @classmethod
    def of(cls, rule: Rule) -> RuleDraft:
        return cls(
            **{name: getattr(rule, name) for name in _PLAIN},
            notional_from=rule.notional_from,
            needs=tuple(rule.needs.order_by("group__name").values_list("group_id", "quorum")),
        )

    def quorum(self) -> Quorum:
        names = dict(Group.objects.filter(pk__in=dict(self.needs)).values_list("pk", "name"))
        needs = (Need(str(group), names.get(group, "?"), n) for group, n in self.needs)
        return Quorum(
            needs=tuple(sorted(needs, key=lambda need: need.label)),
            groups_required=self.groups_required,
        )

    def terms(self) -> Terms:
        plain = {name: getattr(self, name) for name in _CONDITIONS}
        return Terms(
            key="", quorum=self.quorum(), name=self.name, notional_from=self.notional_from, **plain
        )

    def lines(self) -> Lines:
        bound = self.notional_from
        return {
            "Rule": self.name,
            "In force": "yes" if self.is_enabled else "no",
            "Order": str(self.position),
            "Kind": label_of(self.kind) if self.kind else ANY,
            "Value from": ANY if bound is None else f"{bound.normalize():f}",
            "Venue": self.venue or ANY,
            "Account": self.account or ANY,
            "Asset group": self.asset_group or ANY,
            "Asked for by": self.role or ANY,
            "Has to agree": ", ".join(f"{n.quorum} of {n.label}" for n in self.quorum().needs),
            "Groups needed": str(self.groups_required or "all"),
        }


_CONDITIONS = ("kind", "venue", "account", "asset_group", "role")
_PLAIN = ("name", "position", "is_enabled", *_CONDITIONS, "groups_required")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDraft:
    name: str
    role: str = ""
    people: tuple[UUID, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "role": self.role, "people": [str(one) for one in self.people]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GroupDraft:
        people = tuple(UUID(one) for one in stored["people"])
        return cls(name=stored["name"], role=stored["role"], people=people)

    @classmethod
    def of(cls, group: Group) -> GroupDraft:
        people = tuple(group.memberships.values_list("person_id", flat=True))
        return cls(name=group.name, role=group.role, people=people)

    def lines(self) -> Lines:
        people = User.objects.filter(pk__in=self.people).order_by("username")
        return {
            "Group": self.name,
            "Everyone with the role": self.role or "none",
            "People": ", ".join(person.username for person in people) or "none by name",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInDraft:
    absent: UUID
    stand_in: UUID
    starts_at: datetime
    ends_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "absent": str(self.absent),
            "stand_in": str(self.stand_in),
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> StandInDraft:
        return cls(
            absent=UUID(stored["absent"]),
            stand_in=UUID(stored["stand_in"]),
            starts_at=datetime.fromisoformat(stored["starts_at"]),
            ends_at=datetime.fromisoformat(stored["ends_at"]),
        )

    @classmethod
    def of(cls, row: StandIn) -> StandInDraft:
        return cls(
            absent=row.absent_id,
            stand_in=row.stand_in_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )

    def lines(self) -> Lines:
        names = dict(
            User.objects.filter(pk__in=[self.absent, self.stand_in]).values_list("pk", "username")
        )
        return {
            "Absent": names.get(self.absent, "?"),
            "Stands in": names.get(self.stand_in, "?"),
            "From": f"{self.starts_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "Until": f"{self.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        }


Draft = RuleDraft | GroupDraft | StandInDraft
