"""Why the registry refuses, each in words for whoever asked.

Refused (of the approvals, so that a request that cannot be carried out any more ends in words)
├── Conflict       something else stands in its place; it is named
│   └── Stale      somebody changed it meanwhile; the present version is named
├── GoesRound      it would go round in a circle
├── Retired        it was retired, and nothing new is said about it
├── Merged         it answers as another asset; say it about that one
├── Unfounded      nothing is said without a reason or evidence
└── NeedsSecond    one person alone may not; ask for it
"""

from __future__ import annotations

from django.db.models import Model

from cqops.platform.approvals.errors import Refused


class Conflict(Refused):
    """Something else stands in its place already; `existing` is that, where it could be read."""

    def __init__(self, words: str, existing: Model | None = None) -> None:
        super().__init__(words)
        self.existing = existing


class Stale(Conflict):
    """Somebody changed it meanwhile; `existing` is how it stands now."""


class GoesRound(Refused):
    """It would go round in a circle."""


class Retired(Refused):
    """It was retired, and nothing new is said about it."""


class Merged(Refused):
    """It answers as another asset, and what is new is said about that one."""


class Unfounded(Refused):
    """Nothing is said, changed or cleared without a reason."""


class NeedsSecond(Refused):
    """One person alone may not do this. Ask for it."""
