"""What a kind lays beside its requests: findings, what it would do, what became of it, the running time.

Values only: a kind makes them, the engine keeps the findings, and the page draws all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding should trouble whoever decides; the order is the order shown."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found out when it was asked, kept with the request.

    What is severe, and what the kind marks so, is confirmed by itself before anybody approves.
    """

    severity: Severity
    title: str
    words: str
    is_confirmed_apart: bool = False

    @property
    def needs_confirmation(self) -> bool:
        return self.severity is Severity.HIGH or self.is_confirmed_apart

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def findings_from(stored: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Read findings back, the most severe first."""
    found = (
        Finding(Severity(one["severity"]), one["title"], one["words"], one["is_confirmed_apart"])
        for one in stored
    )
    order = list(Severity)
    return tuple(sorted(found, key=lambda one: order.index(one.severity)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one asset would gain or lose; an amount that nobody knows is said in words."""

    what: str
    amount: Decimal | None
    words: str = ""
    before: Decimal | None = None
    after: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The changes expected, and in words who reckoned them from what."""

    effects: tuple[Effect, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the subject after the decision; `state` is shown as a badge."""

    at: datetime
    state: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The deadline that is running now: which one it is, and what happens when it is over."""

    label: str
    since: datetime
    until: datetime
    at_zero: str
