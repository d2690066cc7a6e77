"""How many calls a venue takes: token buckets a key and an address, in the venue's own numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from venues.simulator.web import Request, Response

# Beyond this all buckets begin anew: whoever invents key ids fills no memory.
_MOST_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second, and so many at once after a rest."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a bucket said to one call."""

    is_granted: bool
    limit: float
    left: int
    full_in: float
    next_in: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """Which bucket a call takes from; a venue may name several for one call."""

    name: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class RateLimits:
    """One venue's rules: the buckets of a call, what it says of them, and how it refuses."""

    buckets: Callable[[Request], tuple[Bucket, ...]]
    refuse: Callable[[Bucket, Allowance], Response]
    headers: Callable[[Allowance], dict[str, str]] = lambda _: {}

    def refusal(self, request: Request) -> Response:
        """Refuse a call in the venue's words, whatever its buckets hold."""
        bucket = self.buckets(request)[0]
        nothing = Allowance(
            is_granted=False, limit=bucket.rate.burst, left=0, full_in=math.inf, next_in=math.inf
        )
        return self.refuse(bucket, nothing)


class Throttle:
    """The buckets of one venue."""

    def __init__(self, limits: RateLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def judge(self, request: Request) -> tuple[Response | None, dict[str, str]]:
        """Return a refusal or none, and the headers any answer to this call has."""
        headers: dict[str, str] = {}
        for bucket in self._limits.buckets(request):
            allowance = self._spend(bucket)
            headers = self._limits.headers(allowance)
            if not allowance.is_granted:
                return self._limits.refuse(bucket, allowance), headers
        return None, headers

    def _spend(self, bucket: Bucket) -> Allowance:
        now, rate = self._clock(), bucket.rate
        level, at = self._levels.get(bucket.name, (rate.burst, now))
        level = min(rate.burst, level + max(now - at, 0) * rate.per_second)
        is_granted = level >= 1
        if is_granted:
            level -= 1
        if len(self._levels) >= _MOST_BUCKETS:
            self._levels.clear()
        self._levels[bucket.name] = (level, now)
        return Allowance(
            is_granted=is_granted,
            limit=rate.burst,
            left=math.floor(level),
            full_in=(rate.burst - level) / rate.per_second,
            next_in=max(0.0, 1 - level) / rate.per_second,
        )
