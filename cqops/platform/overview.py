"""What needs somebody now: the shape of one row, and how the rows are gathered.

Each app names a provider in `settings.OVERVIEW_PROVIDERS`: a callable that takes the person who
looks and returns rows. One that fails is shown as a row, because an overview that silently leaves
something out is worse than none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.module_loading import import_string

from cqops.platform.access.models import User

logger = logging.getLogger(__name__)


class Severity(StrEnum):
    URGENT = "urgent"
    ATTENTION = "attention"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewRow:
    """One thing somebody should look at, and where."""

    title: str
    detail: str = ""
    url: str = ""
    severity: Severity = Severity.ATTENTION
    count: int | None = None
    checked_at: datetime = field(default_factory=timezone.now)


Provider = Callable[[User], Iterable[OverviewRow]]
MOST_PRESSING_FIRST = list(Severity)


def gather(user: User, providers: Sequence[str]) -> list[OverviewRow]:
    """Ask every provider and put the most pressing rows first."""
    found: list[OverviewRow] = []
    for path in providers:
        found.extend(_ask(path, user))
    return sorted(found, key=lambda row: MOST_PRESSING_FIRST.index(row.severity))


def _ask(path: str, user: User) -> list[OverviewRow]:
    try:
        provider: Provider = import_string(path)
        return list(provider(user))
    except Exception:  # one area that cannot be checked must not hide the others
        logger.exception("Overview provider %s failed", path)
        area = path.partition(".")[0]
        return [
            OverviewRow(
                title=f"Could not check {area}",
                detail="This area may hold something urgent. Open it, or look at the log.",
                severity=Severity.URGENT,
            )
        ]
