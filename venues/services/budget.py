"""The rate budgets and bans of a venue's keys, shared by all processes through Redis.

One script a step, so that two processes never pay with the same token; the clock is Redis's own, so
that they never argue about the time. A bucket is a hash that is forgotten once it would be full.

While Redis is away each process goes on with `OWN_SHARE` of every limit, starting from nothing: ten
processes together then stay within what the venue allows. A ban is remembered in each process too.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, cast

from redis.exceptions import RedisError

from cqops.platform.live.redis import ask
from venues.transport.budget import Draw, MemoryBudget, StoreAway, Taken, WithFallback

OWN_SHARE: Final = 0.1
PREFIX: Final = "venue-budget"

# ARGV: now ("" for Redis's clock), then four numbers a key. Numbers travel as text, because Redis
# cuts a script's fractions off.
_LEVELS: Final = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local function level_of(key, pace, burst)
  local held = redis.call('HMGET', key, 'left', 'at', 'closed')
  local left = tonumber(held[1]) or burst
  local at = tonumber(held[2]) or now
  return math.min(burst, left + math.max(now - at, 0) * pace), tonumber(held[3]) or 0
end
local function keep(key, left, closed, pace, burst)
  local text = string.format
  redis.call('HSET', key, 'left', text('%.9f', left), 'at', text('%.6f', now),
    'closed', text('%.6f', closed))
  local full_in = math.max((burst - left) / pace, closed - now, 0)
  redis.call('PEXPIRE', key, math.ceil(full_in * 1000) + 1000)
end
"""
_TAKE: Final = (
    _LEVELS
    + """
local wait, closed_for, lefts, closeds = 0, 0, {}, {}
for i, key in ipairs(KEYS) do
  local a = (i - 1) * 4 + 1
  local pace, burst = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local kept, weight = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  lefts[i], closeds[i] = level_of(key, pace, burst)
  closed_for = math.max(closed_for, closeds[i] - now)
  if weight > 0 then wait = math.max(wait, (kept + weight - lefts[i]) / pace) end
end
wait = math.max(wait, closed_for)
local answer = {}
for i, key in ipairs(KEYS) do
  local a = (i - 1) * 4 + 1
  local weight = tonumber(ARGV[a + 4])
  if wait <= 0 and weight > 0 then
    lefts[i] = lefts[i] - weight
    keep(key, lefts[i], closeds[i], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]))
  end
  answer[i + 2] = string.format('%.9f', lefts[i])
end
answer[1] = string.format('%.9f', wait)
answer[2] = string.format('%.9f', closed_for)
return answer
"""
)
_CLOSE: Final = (
    _LEVELS
    + """
for i, key in ipairs(KEYS) do
  local a = (i - 1) * 4 + 1
  local pace, burst = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local left, closed = level_of(key, pace, burst)
  keep(key, math.min(left, tonumber(ARGV[a + 3])),
    math.max(closed, now + tonumber(ARGV[a + 4])), pace, burst)
end
"""
)
_LOWER: Final = (
    _LEVELS
    + """
local pace, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local left, closed = level_of(KEYS[1], pace, burst)
keep(KEYS[1], math.min(left, tonumber(ARGV[4])), closed, pace, burst)
"""
)


class RedisBudget:
    """The buckets of one key at one venue, and those its address shares with our other keys."""

    def __init__(
        self, venue: str, credential: str, *, clock: Callable[[], float] | None = None
    ) -> None:
        self._venue = venue
        self._credential = credential
        self._clock = clock

    async def take(self, draws: Sequence[Draw]) -> Taken:
        said = await self._run(
            _TAKE, draws, [(one.per_second, one.burst, one.kept, one.weight) for one in draws]
        )
        wait, closed_for, *lefts = (float(text) for text in said)
        left = {draw.key: value for draw, value in zip(draws, lefts, strict=True)}
        return Taken(max(wait, 0.0), is_closed=closed_for > 0, left=left)

    async def close(self, draws: Sequence[Draw], seconds: float) -> None:
        numbers = [(one.per_second, one.burst, one.after_a_ban, seconds) for one in draws]
        await self._run(_CLOSE, draws, numbers)

    async def lower(self, draw: Draw, left: float) -> None:
        await self._run(_LOWER, [draw], [(draw.per_second, draw.burst, left, 0.0)])

    async def _run(
        self, script: str, draws: Sequence[Draw], numbers: Sequence[tuple[float, ...]]
    ) -> list[bytes]:
        keys = [self._name(draw) for draw in draws]
        words = [repr(number) for row in numbers for number in row]
        now = "" if self._clock is None else repr(self._clock())

        def run() -> list[bytes]:
            return cast(
                list[bytes], ask(lambda redis: redis.eval(script, len(keys), *keys, now, *words))
            )

        try:
            # The process's one Redis client waits; a thread does that for the event loop.
            return await asyncio.to_thread(run)
        except (RedisError, OSError) as error:
            raise StoreAway(str(error)) from error

    def _name(self, draw: Draw) -> str:
        scope, _, bucket = draw.key.partition(":")
        owner = self._credential if scope == "key" else "address"
        # The braces keep one venue's buckets together, should Redis ever be a cluster.
        return f"{PREFIX}:{{{self._venue}}}:{owner}:{bucket}"


_own_lock = threading.Lock()


@cache
def _own(venue: str) -> MemoryBudget:
    del venue  # it names the cache entry
    return MemoryBudget(time.monotonic, share=OWN_SHARE, starts_full=False)


def shared_budget(venue: str, credential: str) -> WithFallback:
    """Return the budget of one key; its fallback is one a venue and process."""
    with _own_lock:
        own = _own(venue)
    return WithFallback(RedisBudget(venue, credential), own.of(credential))
