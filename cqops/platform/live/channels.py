"""What a live channel is. Apps declare theirs in settings.LIVE_CHANNELS, by kind and dotted path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from cqops.platform.access.policy import Action


class Keep(Enum):
    """What a slow page gets: the latest state only, or every event in order."""

    LATEST = "latest"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Who may follow it, what a slow page gets, and how its present state is read.

    `snapshot` returns JSON bytes, `None` when there is no state yet, and raises `LookupError` with
    a reason for a name that does not exist.
    """

    action: Action
    keep: Keep
    snapshot: Callable[[str], Awaitable[bytes | None]]


@cache
def kinds() -> dict[str, Channel]:
    return {kind: import_string(path) for kind, path in settings.LIVE_CHANNELS.items()}


def channel_of(name: str) -> Channel | None:
    """Find the channel behind `kind` or `kind:rest`."""
    return kinds().get(name.partition(":")[0])


async def no_snapshot(_name: str) -> None:
    """For channels whose page reads its own first state."""
