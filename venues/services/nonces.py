"""Who of all processes may send with a key now, and the last nonce it used: a lease in Redis.

The nonce is given out in the step that takes the lease, so it rises with every holder even when one
died or slept past its lease. It is compared as text and counted by Redis: a script's own numbers
cannot hold nanoseconds.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Final, cast

from redis import Redis
from redis.exceptions import RedisError

from cqops.platform.live.redis import ask
from venues.transport.gate import OWN_DIGITS, LeaseAway, Nonces, SendGate, Unit

PREFIX: Final = "venue-nonce"
# Longer than connecting and writing may take; whoever dies holds the others up for this long.
LEASE_MILLISECONDS: Final = 8_000
KEPT_SECONDS: Final = 30 * 24 * 3600

_TAKE: Final = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local last, floor = redis.call('GET', KEYS[2]) or '0', ARGV[3]
if #last < #floor or (#last == #floor and last < floor) then redis.call('SET', KEYS[2], floor) end
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return redis.call('GET', KEYS[2])
"""
_GIVE_BACK: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisLease:
    def __init__(self, venue: str, credential: str) -> None:
        self._held = f"{PREFIX}:{{{venue}:{credential}}}:held"
        self._last = f"{PREFIX}:{{{venue}:{credential}}}:last"
        self._token = ""

    async def take(self, floor: int) -> int | None:
        token = secrets.token_hex(8)
        words = (token, LEASE_MILLISECONDS, floor, KEPT_SECONDS)
        said = await self._ask(
            lambda client: client.eval(_TAKE, 2, self._held, self._last, *map(str, words))
        )
        if said is None:
            return None
        self._token = token
        return int(cast(bytes, said))

    async def give_back(self) -> None:
        await self._ask(lambda client: client.eval(_GIVE_BACK, 1, self._held, self._token))

    async def _ask(self, operation: Callable[[Redis], object]) -> object:
        try:
            return await asyncio.to_thread(ask, operation)
        except (RedisError, OSError) as error:
            raise LeaseAway(str(error)) from error


@cache
def _slot(process: int) -> int:
    """Draw this process's own digits; by process, because a fork must not inherit them."""
    del process
    return secrets.randbelow(OWN_DIGITS)


@cache
def _nonces(venue: str, credential: str, unit: Unit, process: int) -> Nonces:
    """One source a key and process, however many clients and event loops use it."""
    del venue, credential
    return Nonces(unit.clock(time.time_ns), slot=_slot(process), digits=OWN_DIGITS)


def send_gate(venue: str, credential: str, unit: Unit) -> SendGate:
    nonces = _nonces(venue, credential, unit, os.getpid())
    return SendGate(nonces, lease=RedisLease(venue, credential))
