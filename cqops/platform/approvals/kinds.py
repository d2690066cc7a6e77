"""What can be asked for. Each app names its kinds in settings.APPROVAL_KINDS, by dotted path.

The engine knows no app: a kind says who may ask and who may decide, and gives the functions that carry
out a decision and that read the subject as it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

from cqops.platform.access.policy import Action
from cqops.platform.approvals.exhibits import Clock, Forecast, Step
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.rules import EVERY_FACT

if TYPE_CHECKING:
    from cqops.platform.approvals.models import Request


class UnknownKind(LookupError):
    """No app offers this kind of request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request.

    `settle` is called by a worker once a request is approved, refused, void, expired or withdrawn,
    and again by the sweep until it returns: it must do its work once. `instruction` reads what is
    asked for as it stands now (a difference voids the request); `now` reads what was only seen
    beside it; `page` is where the subject is shown. The rest is what the page of a request shows
    beside these: what it would do, context to judge it by, the deadline that runs after the
    approval, and what became of it.

    `tells` names the facts it can have: a rule with a bound on the value never fits a kind that has
    none.
    """

    label: str
    asks: Action
    decides: Action
    settle: Callable[[Request], None]
    instruction: Callable[[str], Content] | None = None
    now: Callable[[str], Content] | None = None
    page: Callable[[str], str] | None = None
    forecast: Callable[[str], Forecast] | None = None
    context: Callable[[str], Content] | None = None
    clock: Callable[[str], Clock | None] | None = None
    timeline: Callable[[str], Sequence[Step]] | None = None
    tells: frozenset[str] = EVERY_FACT


def kind_of(name: str) -> Kind:
    """Find the kind behind a name."""
    path = settings.APPROVAL_KINDS.get(name)
    if path is None:
        message = f"There is no kind of request called {name!r}."
        raise UnknownKind(message)
    found: Kind = import_string(path)
    return found


def label_of(name: str) -> str:
    """Name a kind for the eye, also one that is not offered any more."""
    try:
        return kind_of(name).label
    except UnknownKind:
        return name


def all_kinds() -> dict[str, Kind]:
    return {name: kind_of(name) for name in settings.APPROVAL_KINDS}
