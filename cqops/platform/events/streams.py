"""Redis Streams as the relay writes them: one a kind of thing, and only the relay writes.

Each write says which entry it expects to be the last. A Redis that was killed may come back without
its newest entries; then the write is refused, and the relay publishes what is missing once more,
before anything newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from cqops.platform.events.models import Event

PREFIX = "events:"
START = "0-0"
FIELDS = 8
# Compared as numbers: an id is milliseconds and a count.
APPEND = """
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local function parts(id)
  local at, count = string.match(id, '(%d+)-(%d+)')
  return tonumber(at), tonumber(count)
end
local at, count = parts(last)
local expected_at, expected_count = parts(ARGV[1])
if at < expected_at or (at == expected_at and count < expected_count) then
  return {'lost'}
end
local width = tonumber(ARGV[3])
local ids = {'ok'}
for i = 4, #ARGV, width do
  local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, i, i + width - 1))
  ids[#ids + 1] = id
end
return ids
"""
_AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    MasterDownError,
    OutOfMemoryError,
    AuthenticationError,
)


class Away(Exception):
    """Redis cannot take anything now. That is no event's fault."""


class Lost(Exception):
    """The stream ends before the entry that was last written to it."""


class CannotPublish(Exception):
    """Redis refused these very events."""


@dataclass(slots=True)
class Streams:
    """Writes to the streams over one connection of its own, and never retries by itself."""

    client: redis.Redis

    @classmethod
    def open(cls) -> Streams:
        return cls(
            redis.Redis.from_url(
                settings.REDIS_URL,
                socket_connect_timeout=2,
                socket_timeout=5,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
        )

    def append(self, aggregate: str, events: Sequence[Event], *, expected: str) -> list[str]:
        """Append in one step, in order, and return the ids that Redis gave."""
        words: list[str] = []
        for event in events:
            words += fields(event)
        answer = self._ask(PREFIX + aggregate, expected, words)
        if answer[0] == "lost":
            raise Lost(aggregate)
        return answer[1:]

    def survivors(self, aggregate: str, ids: Sequence[str]) -> set[str]:
        """Tell which of these entries are still there."""
        try:
            with self.client.pipeline(transaction=False) as pipe:
                for one in ids:
                    pipe.xrange(PREFIX + aggregate, one, one)
                return {found[0][0] for found in pipe.execute() if found}
        except RedisError as error:
            raise Away(str(error)) from error

    def close(self) -> None:
        self.client.close()

    def _ask(self, key: str, expected: str, words: list[str]) -> list[str]:
        length = str(settings.EVENTS_STREAM_LENGTH)
        try:
            answer: list[str] = self.client.eval(
                APPEND, 1, key, expected, length, str(2 * FIELDS), *words
            )
        except _AWAY as error:
            raise Away(str(error)) from error
        except ResponseError as error:
            raise CannotPublish(str(error)) from error
        return answer


def fields(event: Event) -> list[str]:
    """Write an event as a stream entry."""
    return [
        *("id", str(event.pk), "kind", event.kind, "version", str(event.version)),
        *("aggregate_id", event.aggregate_id, "at", event.at.isoformat()),
        *("request_id", event.request_id, "trace_id", event.trace_id),
        *("payload", event.payload),
    ]
