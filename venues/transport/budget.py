"""How many calls a venue allows, and who may still make one.

A venue's limits are declared as token buckets: each fills at a pace up to its burst, each operation
takes its weight. Part of every bucket is kept back: reads leave the shares of orders and of rescues
alone, orders leave the share of rescues alone. That alone makes new orders go before reads and
cancels before both, whoever asked first, without a queue that all processes would have to share.

The state stands behind `BudgetStore`, because a limit counts what all our processes send with one
key. `MemoryBudget` is the store of one process: of a desk that has only one, of tests, and what each
process falls back to, on a share of its own, when the shared store is away. Nothing here ever
answers "unlimited".

Doors stand before the buckets: one for the key, one for calls without a key, one for both. A door
has no tokens; it is closed while the venue told us to be quiet, so that a ban holds for every
process and every operation, rescues too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from venues.transport.operation import Operation, Priority

KEY_DOOR: Final = "key:door"
PUBLIC_DOOR: Final = "address:public"
BAN_DOOR: Final = "address:ban"


class StoreAway(Exception):
    """The shared store does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One limit of a venue, counted for the key or for the address all our keys share."""

    name: str
    per_second: float
    burst: float
    is_per_key: bool = True
    for_rescues: float = 0.2
    for_orders: float = 0.2

    @classmethod
    def window(
        cls,
        name: str,
        *,
        most: float,
        seconds: float,
        burst: float,
        is_per_key: bool = True,
        for_orders: float = 0.2,
    ) -> Bucket:
        """Keep a limit counted in fixed windows: no window can hold more than `most`."""
        pace = (most - burst) / seconds
        return cls(
            name=name,
            per_second=pace,
            burst=burst,
            is_per_key=is_per_key,
            for_orders=for_orders,
        )

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst <= 0 or self.kept_from(Priority.READ) >= self.burst:
            message = f"bucket {self.name} lets nothing through"
            raise ValueError(message)

    @property
    def key(self) -> str:
        return f"{'key' if self.is_per_key else 'address'}:{self.name}"

    def kept_from(self, priority: Priority) -> float:
        """Count the tokens that a call of this priority must leave in the bucket."""
        shares = {
            Priority.RESCUE: 0.0,
            Priority.ORDER: self.for_rescues,
            Priority.READ: self.for_rescues + self.for_orders,
        }
        return self.burst * shares[priority]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What one call takes from one bucket; a door is drawn on with nothing."""

    key: str
    per_second: float = 1.0
    burst: float = 1.0
    kept: float = 0.0
    weight: float = 0.0
    after_a_ban: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one venue, and what each operation costs of which bucket."""

    buckets: tuple[Bucket, ...] = ()
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    otherwise: Mapping[str, float] = field(default_factory=dict)
    unsigned: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {bucket.name: bucket for bucket in self.buckets}
        for costs in (self.otherwise, self.unsigned, *self.weights.values()):
            for name, weight in costs.items():
                bucket = known.get(name)
                if bucket is None or weight > bucket.burst - bucket.kept_from(Priority.READ):
                    message = f"a weight of {weight:g} never fits into bucket {name}"
                    raise ValueError(message)

    def draws(self, operation: Operation, *, is_signed: bool) -> tuple[Draw, ...]:
        """Say what this call takes: its two doors first, then every bucket it weighs on."""
        default = self.otherwise if is_signed else self.unsigned
        costs = self.weights.get(operation.name, default)
        taken = [
            Draw(
                key=bucket.key,
                per_second=bucket.per_second,
                burst=bucket.burst,
                kept=bucket.kept_from(operation.priority),
                weight=costs[bucket.name],
                after_a_ban=bucket.burst * bucket.for_rescues,
            )
            for bucket in self.buckets
            if bucket.name in costs
        ]
        door = KEY_DOOR if is_signed else PUBLIC_DOOR
        return (Draw(key=BAN_DOOR), Draw(key=door), *taken)


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a call may leave: `wait` is 0 when it was paid for, or when to ask again."""

    wait: float
    is_closed: bool = False
    left: Mapping[str, float] = field(default_factory=dict)


class BudgetStore(Protocol):
    """Where the levels of the buckets are kept; every call is one atomic step."""

    async def take(self, draws: Sequence[Draw]) -> Taken:
        """Pay every draw, or none and say how long until all could be paid."""
        ...

    async def close(self, draws: Sequence[Draw], seconds: float) -> None:
        """Let nothing through for so long; a shorter ban never ends a longer one."""
        ...

    async def lower(self, draw: Draw, left: float) -> None:
        """Believe a venue that counts less than we do; never one that counts more."""
        ...


@dataclass(slots=True)
class _Level:
    left: float
    at: float
    closed_until: float = 0.0


@dataclass(slots=True)
class Shelf:
    """Where the levels of one process stand, for all its keys at one venue."""

    levels: dict[str, _Level] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemoryBudget:
    """The buckets of one process, on a share of the venue's limits, safe from any thread."""

    def __init__(
        self,
        stopwatch: Callable[[], float],
        *,
        share: float = 1.0,
        starts_full: bool = True,
        owner: str = "",
        shelf: Shelf | None = None,
    ) -> None:
        self._stopwatch = stopwatch
        self._share = share
        self._starts_full = starts_full
        self._owner = owner
        self._shelf = shelf or Shelf()

    def of(self, owner: str) -> MemoryBudget:
        """Return the same budget as another key sees it: what is the address's stays shared."""
        return MemoryBudget(
            self._stopwatch,
            share=self._share,
            starts_full=self._starts_full,
            owner=owner,
            shelf=self._shelf,
        )

    def empty(self) -> None:
        """Start over without tokens, keeping bans."""
        with self._shelf.lock:
            for level in self._shelf.levels.values():
                level.left = 0.0
                level.at = self._stopwatch()

    async def take(self, draws: Sequence[Draw]) -> Taken:
        with self._shelf.lock:
            now = self._stopwatch()
            levels = [self._filled(draw, now) for draw in draws]
            closed = max((level.closed_until - now for level in levels), default=0.0)
            short = max(map(self._seconds_short, draws, levels), default=0.0)
            wait = max(closed, short, 0.0)
            for draw, level in zip(draws, levels, strict=True):
                level.left -= draw.weight if wait <= 0 else 0.0
            left = {draw.key: level.left for draw, level in zip(draws, levels, strict=True)}
            return Taken(wait, is_closed=closed > 0, left=left)

    async def close(self, draws: Sequence[Draw], seconds: float) -> None:
        with self._shelf.lock:
            now = self._stopwatch()
            for draw in draws:
                level = self._filled(draw, now)
                level.closed_until = max(level.closed_until, now + seconds)
                level.left = min(level.left, draw.after_a_ban)

    async def lower(self, draw: Draw, left: float) -> None:
        with self._shelf.lock:
            level = self._filled(draw, self._stopwatch())
            level.left = min(level.left, left)

    def closed_for(self, draws: Sequence[Draw]) -> float:
        """Say how long the longest ban known here still runs."""
        with self._shelf.lock:
            now = self._stopwatch()
            known = [self._shelf.levels.get(self._name(draw)) for draw in draws]
            return max((one.closed_until - now for one in known if one), default=0.0)

    def _seconds_short(self, draw: Draw, level: _Level) -> float:
        if not draw.weight:
            return 0.0
        needed = draw.kept * self._share + draw.weight
        return (needed - level.left) / (draw.per_second * self._share)

    def _filled(self, draw: Draw, now: float) -> _Level:
        # The burst shrinks with the share, but one call of this weight must fit.
        burst = max(draw.burst * self._share, draw.kept * self._share + draw.weight)
        name = self._name(draw)
        if name not in self._shelf.levels:
            self._shelf.levels[name] = _Level(burst if self._starts_full else 0.0, now)
        level = self._shelf.levels[name]
        passed = max(now - level.at, 0.0)
        level.left = min(burst, level.left + passed * draw.per_second * self._share)
        level.at = max(level.at, now)
        return level

    def _name(self, draw: Draw) -> str:
        return f"{self._owner}:{draw.key}" if draw.key.startswith("key:") else draw.key


class WithFallback:
    """The shared store, and this process's own small share while that is away.

    The own share starts empty at every change-over, so a store that comes and goes cannot be used to
    spend twice. A ban is remembered on both sides: losing the store ends none.
    """

    def __init__(self, shared: BudgetStore, own: MemoryBudget) -> None:
        self._shared = shared
        self._own = own
        self._is_away = False

    @property
    def is_away(self) -> bool:
        return self._is_away

    async def take(self, draws: Sequence[Draw]) -> Taken:
        banned_for = self._own.closed_for(draws)
        if banned_for > 0:
            return Taken(banned_for, is_closed=True)
        try:
            taken = await self._shared.take(draws)
        except StoreAway:
            self._lose()
            return await self._own.take(draws)
        self._is_away = False
        return taken

    async def close(self, draws: Sequence[Draw], seconds: float) -> None:
        await self._own.close(draws, seconds)
        try:
            await self._shared.close(draws, seconds)
        except StoreAway:
            self._lose()

    async def lower(self, draw: Draw, left: float) -> None:
        await self._own.lower(draw, left)
        try:
            await self._shared.lower(draw, left)
        except StoreAway:
            self._lose()

    def _lose(self) -> None:
        if not self._is_away:
            self._is_away = True
            self._own.empty()
