"""How many tasks wait for a worker, and how long the oldest has."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import cast

from celery import current_app

from cqops.platform.live.redis import ask
from cqops.platform.telemetry.signals import SENT_AT

LATE_AFTER = timedelta(seconds=30)


def queue() -> tuple[bool, str]:
    """Tell for /statusz about the queue; tasks are put in on its left and taken from its right."""
    name = current_app.conf.task_default_queue
    with_oldest = ask(lambda redis: (redis.llen(name), redis.lindex(name, -1)))
    count, oldest = cast(tuple[int, bytes | None], with_oldest)
    if not count or oldest is None:
        return True, "none waits for a worker"
    waits = "1 waits" if count == 1 else f"{count} wait"
    sent_at = _sent_at(oldest)
    if sent_at is None:
        return True, f"{waits} for a worker"
    age = timedelta(seconds=max(time.time() - sent_at, 0.0))
    words = f"{waits} for a worker, the oldest {age.total_seconds():.1f} s"
    return age < LATE_AFTER, words


def _sent_at(message: bytes) -> float | None:
    """Read when a task was sent; a message of somebody else may not say."""
    try:
        return float(json.loads(message)["headers"][SENT_AT])
    except (ValueError, KeyError, TypeError):
        return None
