"""How the calls to each venue went lately, put together from all processes: what the venue page shows.

Each process counts in memory, and a thread adds that to counters of the minute in Redis, which forgets them
by itself. They are for looking at a venue now: history is in the collectors' hands (`cqops_venue_*`), and
while Redis is away the page says that it does not know, and no call is the slower for it.

Times are counted in bins that grow by a quarter each, so a percentile is told within that.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, cast

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from cqops.platform.live.redis import ask
from cqops.platform.telemetry import ops

MINUTES: Final = 15
KEEP_SECONDS: Final = 3_600
# A process says everything again at least this often; what it stopped saying is not shown for long.
SAID_EVERY: Final = 2.0
BELIEVED_SECONDS: Final = 60.0
BOUNDS: Final = tuple(0.001 * 1.25**power for power in range(52))
BAD: Final = frozenset({"failed", "no answer", "rate limited"})


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a process knows of a venue now, such as what is left of a bucket."""

    what: str
    name: str
    process: str
    at: float
    value: float = 0.0
    words: str = ""
    account: str = ""


@dataclass(slots=True)
class Calls:
    """The calls of one operation in the last minutes."""

    operation: str
    outcomes: Counter[str] = field(default_factory=Counter)
    bins: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return sum(self.outcomes.values())

    @property
    def bad(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome in BAD)

    @property
    def ended(self) -> list[tuple[str, int]]:
        """Tell how they ended, the most frequent first."""
        return self.outcomes.most_common()

    @property
    def error_percent(self) -> float:
        return 100 * self.bad / self.count if self.count else 0.0

    @property
    def p50_ms(self) -> float | None:
        return self.percentile_ms(50)

    @property
    def p99_ms(self) -> float | None:
        return self.percentile_ms(99)

    def percentile_ms(self, percent: float) -> float | None:
        """Return the upper bound of the bin that this many of a hundred calls stayed within."""
        total = sum(self.bins.values())
        wanted, seen = total * percent / 100, 0
        for number in sorted(self.bins):
            seen += self.bins[number]
            if seen >= wanted:
                return 1000 * BOUNDS[min(number, len(BOUNDS) - 1)]
        return None


class Readings:
    """What this process has counted and not handed over yet, and what it knows now."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._now: dict[str, dict[str, Said]] = defaultdict(dict)
        self._said_at = 0.0

    def called(self, venue: str, operation: str, outcome: str, seconds: float) -> None:
        key = _minute_key(venue, int(self._wall() // 60))
        number = bisect.bisect_left(BOUNDS, seconds)
        with self._lock:
            self._counts[key][f"{operation}|o|{outcome}"] += 1
            self._counts[key][f"{operation}|b|{number}"] += 1

    def say(  # noqa: PLR0913 -- each is one member of what is said
        self,
        venue: str,
        what: str,
        name: str,
        *,
        value: float = 0.0,
        words: str = "",
        account: str = "",
        at: float | None = None,
    ) -> None:
        said = Said(
            what=what,
            name=name,
            process=ops.me(),
            at=self._wall() if at is None else at,
            value=value,
            words=words,
            account=account,
        )
        with self._lock:
            self._now[venue][f"{what}|{account}|{name}"] = said

    def write_out(self) -> int:
        """Hand over what was counted; while Redis is away the minutes that are over are dropped."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(Counter)
            is_due = self._wall() - self._said_at >= SAID_EVERY
            now = {venue: dict(said) for venue, said in self._now.items()} if is_due else {}
        if not counts and not now:
            return 0
        try:
            ask(lambda redis: _handed_over(redis, counts, now, self._wall()))
        except (RedisError, OSError):
            self._take_back(counts)
            return 0
        self._said_at = self._wall() if is_due else self._said_at
        return len(counts)

    def end(self) -> None:
        self.write_out()

    def _take_back(self, counts: dict[str, Counter[str]]) -> None:
        oldest = int(self._wall() // 60) - MINUTES
        with self._lock:
            for key, fields in counts.items():
                if int(key.rpartition(":")[2]) >= oldest:
                    self._counts[key].update(fields)


def calls_of(venue: str, *, now: float) -> list[Calls] | None:
    """Return the recent calls by operation, the most frequent first; nothing when Redis is away."""
    last = int(now // 60)
    keys = [_minute_key(venue, minute) for minute in range(last - MINUTES + 1, last + 1)]
    try:
        rows = ask(lambda redis: _all_of(redis, keys))
    except (RedisError, OSError):
        return None
    found: dict[str, Calls] = {}
    for row in cast(list[dict[bytes, bytes]], rows):
        for name, text in row.items():
            operation, kind, what = name.decode().rsplit("|", 2)
            one = found.setdefault(operation, Calls(operation))
            if kind == "o":
                one.outcomes[what] += int(text)
            else:
                one.bins[int(what)] += int(text)
    return sorted(found.values(), key=lambda one: (-one.count, one.operation))


def said_of(venue: str, *, now: float) -> list[Said] | None:
    """Return what processes say of a venue now; nothing when Redis is away."""
    try:
        row = cast(dict[bytes, bytes], ask(lambda redis: redis.hgetall(_now_key(venue))))
    except (RedisError, OSError):
        return None
    found = []
    for value in row.values():
        written, said = msgspec.json.decode(value, type=tuple[float, Said])
        if now - written < BELIEVED_SECONDS:
            found.append(said)
    return sorted(found, key=lambda one: (one.what, one.account, one.name, one.process))


def whole(calls: Iterable[Calls]) -> Calls:
    """Add up all operations."""
    total = Calls("")
    for one in calls:
        total.outcomes.update(one.outcomes)
        total.bins.update(one.bins)
    return total


def _all_of(redis: Redis, keys: Sequence[str]) -> list[object]:
    pipe = redis.pipeline(transaction=False)
    for key in keys:
        pipe.hgetall(key)
    return pipe.execute()


def _handed_over(
    redis: Redis,
    counts: dict[str, Counter[str]],
    now: dict[str, dict[str, Said]],
    written: float,
) -> None:
    pipe = redis.pipeline(transaction=False)
    for key, fields in counts.items():
        for name, count in fields.items():
            pipe.hincrby(key, name, count)
        pipe.expire(key, KEEP_SECONDS)
    for venue, said in now.items():
        for name, one in said.items():
            told = msgspec.json.encode((written, one))
            pipe.hset(_now_key(venue), f"{name}|{one.process}", told)
        pipe.expire(_now_key(venue), KEEP_SECONDS)
    pipe.execute()


def _minute_key(venue: str, minute: int) -> str:
    return f"venue-calls:{venue}:{minute}"


def _now_key(venue: str) -> str:
    return f"venue-now:{venue}"


@cache
def readings() -> Readings:
    """Return the readings of this process."""
    return Readings()
