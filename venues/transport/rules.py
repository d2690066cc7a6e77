"""What a venue's documents say about how often and in which order it may be called.

An adapter declares one of these beside its URLs; what is shared between processes comes from
outside, in `venues.transport.seams.Guards`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from venues.transport.answers import Refusal
from venues.transport.budget import Limits
from venues.transport.gate import Hold, Unit

PAUSE_SECONDS: Final = 1.0


def _only_429() -> dict[int, float]:
    return {429: PAUSE_SECONDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRules:
    """Limits, and how this venue says that we are over them.

    `pauses` names the statuses that mean "slow down" and how long to be quiet when no Retry-After
    comes with one; `bans` those of them that shut out the whole address. `read_left` reads what the
    venue says is left of a bucket. `refusal_within` finds a refusal in an answer that looks like a
    success. `hold` makes signed calls pass the send gate, whose nonces count in the unit of `nonces`.
    """

    limits: Limits = field(default_factory=Limits)
    pauses: Mapping[int, float] = field(default_factory=_only_429)
    bans: frozenset[int] = frozenset()
    read_left: Callable[[httpx.Headers], Mapping[str, float]] | None = None
    refusal_within: Callable[[bytes], Refusal | None] | None = None
    hold: Hold | None = None
    nonces: Unit = Unit.NANOSECONDS


def left_in(header: str, bucket: str) -> Callable[[httpx.Headers], Mapping[str, float]]:
    """Read one bucket's rest from one header, as `x-ratelimit-remaining: 12`."""

    def read(headers: httpx.Headers) -> Mapping[str, float]:
        try:
            left = float(headers.get(header, ""))
        except ValueError:
            return {}
        return {bucket: left} if 0 <= left < float("inf") else {}

    return read
