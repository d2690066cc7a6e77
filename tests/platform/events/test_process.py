import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection

from cqops.platform.events import process, services
from cqops.platform.events.process import RelayProcess
from cqops.platform.telemetry.forever import end
from cqops.platform.telemetry.logs import trace_id
from cqops.platform.telemetry.models import Heartbeat
from tests.platform.events.test_services import emit_moved

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "tests.platform.events.test_process"
runs: list[float] = []
traces: list[str] = []


def remember() -> int:
    runs.append(time.monotonic())
    return 0


def note_trace() -> int:
    traces.append(trace_id.get())
    return 0


def fail() -> int:
    message = "the database is away"
    raise DatabaseError(message)


@pytest.fixture(autouse=True)
def _empty():
    runs.clear()
    traces.clear()


async def until(condition, seconds=3.0):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


def emit_and_commit():
    emit_moved()
    services.doorbells.wait()
    connection.close()


@pytest.fixture
async def running(settings):
    """Start the process with the jobs a test names, and end it."""
    tasks = []

    def start(*jobs):
        settings.RELAY_JOBS = [f"{JOBS}.{job}" for job in jobs]
        made = RelayProcess()
        tasks.append((made, asyncio.ensure_future(made.run())))
        return made

    yield start
    for made, task in tasks:
        await end(task)
        made.threads.shutdown()


async def test_a_commit_wakes_the_jobs_long_before_they_would_look_by_themselves(
    running, monkeypatch
):
    monkeypatch.setattr(process, "POLL_SECONDS", 60)
    running("remember")

    async def is_woken():
        await sync_to_async(emit_and_commit)()
        return len(runs) > 1

    await until(is_woken)


async def test_jobs_look_by_themselves_when_nobody_rings(running, monkeypatch):
    monkeypatch.setattr(process, "POLL_SECONDS", 0.02)
    running("remember")

    async def has_looked():
        return len(runs) > 3

    await until(has_looked)


async def test_each_run_of_a_job_is_a_trace_of_its_own(running, monkeypatch):
    monkeypatch.setattr(process, "POLL_SECONDS", 0.02)
    running("note_trace")

    async def has_looked():
        return len(traces) > 3

    await until(has_looked)
    assert len(set(traces)) == len(traces)
    assert all(len(one) == 32 for one in traces)


async def test_a_job_that_fails_stops_no_other_and_the_heartbeat_falls_silent(running, monkeypatch):
    monkeypatch.setattr(process, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(process, "BEAT_SECONDS", 0.02)
    running("remember", "fail")

    async def has_looked():
        return len(runs) > 5

    await until(has_looked)
    assert not await Heartbeat.objects.filter(process="relay").aexists()


async def test_a_heartbeat_says_that_every_job_is_at_work(running, monkeypatch):
    monkeypatch.setattr(process, "BEAT_SECONDS", 0.02)
    running("remember")

    async def has_beaten():
        return await Heartbeat.objects.filter(
            process="relay", detail="1 of 1 jobs at work"
        ).aexists()

    await until(has_beaten)
