"""Redis for what may be lost: connections with short patience, and one memory of a failure.

After a failure nobody in this process asks again for a moment, so a Redis that hangs costs a request
half a second once and not at every step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

T = TypeVar("T")
PREFIX = "live:"
SEQUENCES = "live-sequences"
PATIENCE = 0.5
PAUSE_AFTER_FAILURE = 2.0


@cache
def client() -> redis.Redis:
    """One pooled client a process, for callers that wait."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=PATIENCE,
        socket_timeout=PATIENCE,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1),
    )


class _Patience:
    """Remembers for a moment that Redis was away."""

    def __init__(self) -> None:
        self._again_at = 0.0

    def ask(self, operation: Callable[[redis.Redis], T]) -> T:
        if time.monotonic() < self._again_at:
            message = "Redis was away a moment ago"
            raise RedisConnectionError(message)
        try:
            return operation(client())
        except RedisError:
            self._again_at = time.monotonic() + PAUSE_AFTER_FAILURE
            raise

    def forget(self) -> None:
        self._again_at = 0.0


_patience = _Patience()
ask = _patience.ask
forget_failures = _patience.forget


def async_client() -> redis.asyncio.Redis:
    """Make a client that belongs to the running event loop."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=1,
        health_check_interval=15,
        retry=AsyncRetry(NoBackoff(), 1),
    )
