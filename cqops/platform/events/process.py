"""The relay process: jobs that watch the database, woken by it, with polling as the net.

Which jobs is a setting, so that this knows none of them. Each runs in a thread of its own: one that
has much to do holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string
from psycopg.conninfo import make_conninfo
from redis.exceptions import RedisError

from cqops.platform.events.services import CHANNEL
from cqops.platform.telemetry.heartbeats import beat
from cqops.platform.telemetry.trace import begin

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25
BEAT_SECONDS = 3.0
RETRY_SECONDS = 2.0
DEAF_AFTER_SECONDS = 30.0
Job = Callable[[], int]


class RelayProcess:
    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {path: import_string(path) for path in settings.RELAY_JOBS}
        self.bells: dict[str, asyncio.Event] = {}
        self.worked_at: dict[str, float] = {}
        self.threads = ThreadPoolExecutor(len(self.jobs) + 1, thread_name_prefix="relay")

    async def run(self) -> None:
        self.bells = {name: asyncio.Event() for name in self.jobs}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen_forever())
            group.create_task(self._beat_forever())
            for name in self.jobs:
                group.create_task(self._work_forever(name))

    async def _work_forever(self, name: str) -> None:
        while True:
            self.bells[name].clear()
            if await self._in_a_thread(self.jobs[name], name):
                self.worked_at[name] = time.monotonic()
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self.bells[name].wait()
            except TimeoutError:
                continue

    async def _in_a_thread(self, job: Callable[[], object], name: str) -> bool:
        """Do one thing and give its connection back; tell whether it went through."""

        def work() -> bool:
            begin()
            try:
                job()
            except (DatabaseError, RedisError) as error:
                log.warning("%s is interrupted: %s", name, error)
                return False
            finally:
                connection.close()
            return True

        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    async def _listen_forever(self) -> None:
        """Hear the database ring, on a connection that does nothing else."""
        while True:
            try:
                async with await _own_connection() as listening:
                    await listening.execute(f"LISTEN {CHANNEL}")
                    async for _ in listening.notifies():
                        for bell in self.bells.values():
                            bell.set()
            except (psycopg.Error, OSError) as error:
                log.warning("not listening, the jobs look by themselves: %s", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _beat_forever(self) -> None:
        while True:
            now = time.monotonic()
            well = [name for name, at in self.worked_at.items() if now - at < DEAF_AFTER_SECONDS]
            words = f"{len(well)} of {len(self.jobs)} jobs at work"
            if len(well) == len(self.jobs):
                await self._in_a_thread(partial(beat, "relay", words), "heartbeat")
            await asyncio.sleep(BEAT_SECONDS)


async def _own_connection() -> psycopg.AsyncConnection:
    names = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    database = connection.settings_dict
    where = {name: str(database[ours]) for name, ours in names.items() if database[ours]}
    return await psycopg.AsyncConnection.connect(
        make_conninfo(**where, connect_timeout=3, keepalives_idle=10), autocommit=True
    )
