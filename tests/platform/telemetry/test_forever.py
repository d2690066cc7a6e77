import asyncio
import os
import signal

import pytest

from cqops.platform.telemetry import forever
from cqops.platform.telemetry.forever import _until_told


async def told_after(seconds):
    await asyncio.sleep(seconds)
    os.kill(os.getpid(), signal.SIGTERM)


async def test_a_signal_ends_the_work_cleanly():
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    telling = asyncio.create_task(told_after(0.05))
    await _until_told("test", work())
    await telling
    assert ended == [True]


async def test_work_that_swallows_a_cancellation_is_asked_again(monkeypatch):
    monkeypatch.setattr(forever, "ASK_AGAIN_SECONDS", 0.05)
    swallowed = []

    async def work():
        while len(swallowed) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(True)
        await asyncio.Event().wait()

    telling = asyncio.create_task(told_after(0.05))
    await _until_told("test", work())
    await telling
    assert len(swallowed) == 2


async def test_a_task_in_a_group_that_swallows_a_cancellation_is_asked_again_too(monkeypatch):
    """A group that is ending passes no second cancellation on to what it started."""
    monkeypatch.setattr(forever, "ASK_AGAIN_SECONDS", 0.05)
    swallowed = []

    async def deaf():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append(True)
        await asyncio.Event().wait()

    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(deaf())
            group.create_task(asyncio.Event().wait())

    telling = asyncio.create_task(told_after(0.05))
    await _until_told("test", work())
    await telling
    assert swallowed == [True]


async def test_a_failure_of_the_work_is_not_hidden():
    async def work():
        message = "broken"
        raise ValueError(message)

    with pytest.raises(ValueError, match="broken"):
        await _until_told("test", work())
