"""Is everything there? One part a line, each with words an operator can act on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

from cqops.platform.live.redis import ask
from cqops.platform.telemetry.heartbeats import STARTED
from cqops.platform.telemetry.models import Heartbeat

log = logging.getLogger(__name__)
LATE_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Part:
    ok: bool
    detail: str


def readiness() -> dict[str, Part]:
    """Check what this process needs to serve: the database, with every migration applied."""
    return {"database": _told(_database)}


def everything() -> dict[str, Part]:
    parts = {**readiness(), "redis": _told(_redis)}
    for process in settings.STATUS_PROCESSES:
        parts[process] = _told(lambda name=process: _process(name))  # type: ignore[misc]
    for name, path in settings.STATUS_PROVIDERS.items():
        parts[name] = _told(lambda dotted=path: Part(*import_string(dotted)()))  # type: ignore[misc]
    return parts


def as_answer(parts: dict[str, Part]) -> dict[str, object]:
    good = all(part.ok for part in parts.values())
    return {
        "status": "ok" if good else "degraded",
        "parts": {name: asdict(part) for name, part in parts.items()},
    }


def _told(check: Callable[[], Part]) -> Part:
    """Turn the failures a check may meet into words; the details go to the log."""
    try:
        return check()
    except (DatabaseError, RedisError, OSError) as error:
        log.warning("status check failed: %s", error)
        return Part(ok=False, detail="cannot be reached")


def _database() -> Part:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return Part(ok=False, detail=f"{len(missing)} migrations missing: run manage.py migrate")
    return Part(ok=True, detail="all migrations applied")


def _redis() -> Part:
    ask(lambda redis: redis.ping())
    return Part(ok=True, detail="answers")


def _process(name: str) -> Part:
    last = Heartbeat.objects.filter(process=name).first()
    if last is None:
        return Part(ok=False, detail="has not started yet")
    if last.at < STARTED:
        # Left over from before a restart: it says nothing about the process of now.
        return Part(ok=False, detail="not heard since this start")
    age = timezone.now() - last.at
    words = f"last heard {age.total_seconds():.0f} s ago"
    if last.detail:
        words = f"{last.detail}; {words}"
    return Part(ok=last.is_well and age < LATE_AFTER, detail=words)
