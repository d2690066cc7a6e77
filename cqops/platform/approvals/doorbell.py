"""Wakes a worker when a request was decided or ended. A ring is a hint, the sweep is the guarantee."""

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
SETTLE = "approvals.settle"
EXPIRES_SECONDS = 60


def ring(request_id: UUID) -> None:
    """Ask a worker to carry out what was decided, as soon as the decision is committed."""
    transaction.on_commit(partial(doorbells.give, partial(_send, str(request_id))))


def _send(key: str) -> None:
    try:
        current_app.send_task(SETTLE, args=[key], retry=False, expires=EXPIRES_SECONDS)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("request %s: not rung, the sweep will find it: %s", key, error)
