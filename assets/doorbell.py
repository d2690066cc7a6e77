"""Wakes a worker after commit, by task name. A ring is a hint: the row still stands, and the sweep finds it."""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cqops.platform.background import doorbells

log = logging.getLogger(__name__)
EXPIRES_SECONDS = 60


def ring(task: str, *keys: UUID) -> None:
    """Ask a worker to look at this row as soon as the change behind it is committed."""
    transaction.on_commit(partial(doorbells.give, partial(_send, task, *map(str, keys))))


def _send(task: str, *keys: str) -> None:
    try:
        current_app.send_task(task, args=keys, retry=False, expires=EXPIRES_SECONDS)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("%s not rung for %s, the sweep will find it: %s", task, keys, error)
