"""The one door through which anything reaches open pages.

A push is a hint: it is lost when Redis is away, and pages read their state again when it returns.
Publishing therefore never fails and never holds up the caller.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from redis.exceptions import RedisError

from cqops.platform.access.scopes import Parts, Subject, parts_of, written
from cqops.platform.background import pushes
from cqops.platform.live.redis import PREFIX, SEQUENCES, ask

log = logging.getLogger(__name__)
# One step, so that numbers and order of delivery can never disagree.
NUMBER_AND_PUBLISH = """
local number = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('PUBLISH', KEYS[2], number .. '|' .. (ARGV[3] or '') .. '|' .. ARGV[2])
return number
"""


def publish(channel: str, data: Any, *, parts: Parts | None = None) -> bool:
    """Push to everyone who looks at this channel and may see it; tell whether Redis took it."""
    payload = msgspec.json.encode(data)
    belongs = written(parts or {})
    try:
        ask(
            lambda redis: redis.eval(
                NUMBER_AND_PUBLISH, 2, SEQUENCES, PREFIX + channel, channel, payload, belongs
            )
        )
    except RedisError as error:
        log.warning("live update not published: %s", error)
        return False
    return True


def publish_on_commit(channel: str, data: Any, *, about: Subject | None = None) -> None:
    """Push once the change behind it is really there, to those who may see what it is about."""
    parts = None if about is None else parts_of(about)
    transaction.on_commit(partial(pushes.give, partial(publish, channel, data, parts=parts)))
