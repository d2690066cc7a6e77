"""One thing that happened to the desk itself, before it is written down."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_NUMBER = re.compile(r"\d+")


class Severity(StrEnum):
    URGENT = "urgent"
    ATTENTION = "attention"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that happened, or several of the same from `since` to `at`."""

    at: datetime
    since: datetime
    process: str
    severity: str
    kind: str
    words: str
    labels: tuple[tuple[str, str], ...] = ()
    request_id: str = ""
    trace_id: str = ""
    count: int = 1

    @property
    def sameness(self) -> Hashable:
        """What repeats have in common: all but the numbers in their words."""
        words = _NUMBER.sub("#", self.words)
        return self.process, self.severity, self.kind, words, self.labels
