"""How far a worker has come with a batch: a note that may be lost, beside the row that is the truth.

What is applied is one transaction, so nothing of it shows before its end; the note does.
"""

from __future__ import annotations

import logging
from uuid import UUID

import msgspec
from redis.exceptions import RedisError

from cqops.platform.live.redis import ask

log = logging.getLogger(__name__)
KEPT_SECONDS = 300


class Note(msgspec.Struct, frozen=True):
    """What is being done, and how many hundredths of all of it are done."""

    words: str
    percent: int


def note(batch_id: UUID, words: str, percent: int) -> None:
    written = msgspec.json.encode(Note(words, percent))
    try:
        ask(lambda redis: redis.set(_key(batch_id), written, ex=KEPT_SECONDS))
    except RedisError as error:
        log.info("progress of an import is not shown: %s", error)


def noted(batch_id: UUID) -> Note | None:
    try:
        written = ask(lambda redis: redis.get(_key(batch_id)))
        return msgspec.json.decode(written, type=Note) if written else None
    except (RedisError, msgspec.DecodeError):
        return None


def _key(batch_id: UUID) -> str:
    return f"import:{batch_id}"
