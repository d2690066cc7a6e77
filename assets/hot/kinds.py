"""Kinds of look-ups and the tiers they go through: this process, Redis, the database.

Each answer is kept under the stamp of the areas it rests on, here and in Redis, where the stamp is part
of the key: nothing is ever deleted, a change simply asks under another stamp. The stamp is taken before
the database is read, so that what is kept is as new as its stamp, or newer. Where time alone will change
an answer, it is kept until then.

Look-ups answer with what was committed. Within a transaction, which may have changed something itself,
nothing is kept, and what is not here already is read from the database.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from django.db import connection
from django.utils import timezone
from prometheus_client import Counter
from redis.exceptions import RedisError

from assets.hot.freshness import UNKNOWN, Freshness
from cqops.platform.live import redis as live_redis

V = TypeVar("V")
Ask = Callable[[Callable[[Any], Any]], Any]
# The form of what stands in Redis: another form, another number.
FORM = 1
HERE, REDIS, DATABASE = "process", "redis", "database"
LOOKUPS = Counter(
    "cqops_registry_lookups", "Hot look-ups, by the tier that answered.", ["kind", "tier"]
)


@dataclass(frozen=True, slots=True)
class Found(Generic[V]):
    """What the database says, and the next moment at which time alone changes that."""

    value: V | None
    until: datetime | None = None


class Cache:
    """The kinds of one process. Another app adds its own with one call of `kind`."""

    def __init__(
        self,
        *,
        size: int,
        redis: Ask | None = live_redis.ask,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self.size = size
        self.redis = redis
        self.clock = clock
        self.now = now
        self.freshness = Freshness()
        self.kinds: list[Kind[Any]] = []

    def kind(
        self,
        name: str,
        *,
        areas: Collection[str],
        ttl: timedelta,
        read: Callable[[Any, datetime], Found[V]],
        shape: Any,
    ) -> Kind[V]:
        """Register a look-up: what it rests on, how long it is kept, and how it is read and written."""
        made = Kind(self, name, frozenset(areas), ttl.total_seconds(), read, shape)
        self.kinds.append(made)
        self.freshness.follow(made.restamp)
        return made

    def is_believed(self) -> bool:
        return self.clock() < self.freshness.believed_until

    def tell_metrics(self) -> None:
        """Add what was counted since the last time: a counter in each look-up would double its cost."""
        for kind in self.kinds:
            for tier, count in kind.take_counts().items():
                LOOKUPS.labels(kind.name, tier).inc(count)


class Kind(Generic[V]):
    """One kind of look-up."""

    def __init__(
        self,
        cache: Cache,
        name: str,
        areas: frozenset[str],
        ttl: float,
        read: Callable[[Any, datetime], Found[V]],
        shape: Any,
    ) -> None:
        self.name = name
        self.stamp = UNKNOWN
        self.counts = dict.fromkeys((HERE, REDIS, DATABASE), 0)
        self._cache = cache
        self._areas = areas
        self._ttl = ttl
        self._read = read
        self._decoder = msgspec.msgpack.Decoder(tuple[float, shape])
        # What is here: the stamp, until when by the monotonic clock, and the answer; oldest first.
        self._here: OrderedDict[Hashable, tuple[int, float, V]] = OrderedDict()
        self._freshness = cache.freshness
        self._clock = cache.clock
        self._hits = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._here)

    def restamp(self) -> None:
        self.stamp = self._freshness.stamp_of(self._areas)

    def held(self, key: Hashable) -> V | None:
        """Answer from this process alone, if what it holds is fresh."""
        kept = self._here.get(key)
        if (
            kept is not None
            and kept[0] == self.stamp
            and kept[1] > self._clock() < self._freshness.believed_until
        ):
            self._hits += 1
            return kept[2]
        return None

    def get(self, key: Hashable) -> V | None:
        """Answer from the nearest tier that is fresh."""
        held = self.held(key)
        return self._further(key) if held is None else held

    def take_counts(self) -> dict[str, int]:
        """Return how often each tier answered since this was asked last."""
        with self._lock:
            taken = {**self.counts, HERE: self._hits}
            self.counts = dict.fromkeys(taken, 0)
            self._hits = 0
        return taken

    def _further(self, key: Hashable) -> V | None:
        stamp = self.stamp
        now = self._cache.now()
        if stamp == UNKNOWN or not self._cache.is_believed() or connection.in_atomic_block:
            self._count(DATABASE)
            return self._read(key, now).value
        away = self._from_redis(key, stamp)
        if away is not None and away[0] > now.timestamp():
            self._count(REDIS)
            self._keep(key, stamp, away[0] - now.timestamp(), away[1])
            return away[1]
        self._count(DATABASE)
        found = self._read(key, now)
        if found.value is not None:
            left = self._ttl
            if found.until is not None:
                left = min(left, (found.until - now).total_seconds())
            self._keep(key, stamp, left, found.value)
            self._to_redis(key, stamp, now.timestamp() + left, found.value)
        return found.value

    def _keep(self, key: Hashable, stamp: int, left: float, value: V) -> None:
        if not self._cache.size:
            return
        with self._lock:
            self._here.pop(key, None)
            while len(self._here) >= self._cache.size:
                self._here.popitem(last=False)
            self._here[key] = (stamp, self._clock() + left, value)

    def _from_redis(self, key: Hashable, stamp: int) -> tuple[float, V] | None:
        if self._cache.redis is None:
            return None
        try:
            raw = self._cache.redis(lambda redis: redis.get(self._name(key, stamp)))
            return self._decoder.decode(raw) if raw else None
        except (RedisError, msgspec.DecodeError):
            return None

    def _to_redis(self, key: Hashable, stamp: int, until: float, value: V) -> None:
        left = int((until - self._cache.now().timestamp()) * 1000)
        if self._cache.redis is None or left <= 0:
            return
        raw = msgspec.msgpack.encode((until, value))
        try:
            self._cache.redis(lambda redis: redis.set(self._name(key, stamp), raw, px=left))
        except RedisError:
            return

    def _name(self, key: Hashable, stamp: int) -> str:
        words = "\x1f".join(key) if isinstance(key, tuple) else str(key)
        return f"registry:{FORM}:{self.name}:{stamp}:{words}"

    def _count(self, tier: str) -> None:
        with self._lock:
            self.counts[tier] += 1
