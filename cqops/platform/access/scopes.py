"""Which part of the desk something belongs to, and whether a grant for a part covers it.

One table in the settings, `ACCESS_SCOPES`, names for each model the paths to its venue, account and
portfolio. The same paths are walked on one row and put into a query, so what a list shows and what
may be touched cannot come apart. The platform itself knows no app.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from django.conf import settings
from django.db.models import Model

Parts = Mapping[str, UUID]


class Scope(StrEnum):
    """How far a grant reaches."""

    DESK = "desk"
    VENUE = "venue"
    ACCOUNT = "account"
    PORTFOLIO = "portfolio"


class Grant(NamedTuple):
    """One role of one person, for the whole desk or a part of it."""

    role: str
    scope: str
    scope_id: UUID | None

    def covers(self, parts: Parts) -> bool:
        if self.scope == Scope.DESK:
            return True
        return self.scope_id is not None and parts.get(self.scope) == self.scope_id


@runtime_checkable
class HasParts(Protocol):
    """Something that is no row but names its venue, account and portfolio, such as a ticket."""

    def access_parts(self) -> Parts: ...


Subject = Model | HasParts | Parts


def paths_of(model: type[Model]) -> Mapping[str, str]:
    """Return the paths from a model to its parts; a model that is not named belongs to none."""
    found: Mapping[str, str] = settings.ACCESS_SCOPES.get(model._meta.label, {})
    return found


def parts_of(subject: Subject) -> Parts:
    """Name the parts of the desk a subject belongs to; only a grant for the desk covers none."""
    if isinstance(subject, Mapping):
        return subject
    if isinstance(subject, Model):
        found = {kind: _walk(subject, path) for kind, path in paths_of(type(subject)).items()}
        return {kind: key for kind, key in found.items() if key is not None}
    return subject.access_parts()


def written(parts: Parts) -> str:
    """Write parts as a text that travels beside a message."""
    return ",".join(f"{kind}={key}" for kind, key in sorted(parts.items()))


def read_back(text: str) -> Parts:
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {kind: UUID(key) for kind, _, key in pairs}


def _walk(row: Model, path: str) -> UUID | None:
    """Follow `order__portfolio_id` from a row, as a query would."""
    here: object = row
    for name in path.split("__"):
        here = getattr(here, name, None)
    return here if isinstance(here, UUID) else None
