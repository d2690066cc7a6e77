"""Runs an async process until it is told to stop.

Before Python 3.12 `asyncio.wait_for` loses a cancellation that arrives together with what it waits for.
We use `asyncio.timeout` instead, but redis sends that way, and a task group that is ending passes no
second cancellation on. So whoever ends a process asks all of its tasks until they are over.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from typing import Any

from cqops.platform.telemetry import ops
from cqops.platform.telemetry.metrics import serve
from cqops.platform.telemetry.spans import name_process

log = logging.getLogger(__name__)
ASK_AGAIN_SECONDS = 2.0


def run_until_told(name: str, work: Coroutine[Any, Any, None]) -> None:
    """Run the work; SIGTERM and SIGINT end it cleanly, anything else ends it with its traceback."""
    asyncio.run(_until_told(name, work))


async def _until_told(name: str, work: Coroutine[Any, Any, None]) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    serve(name)
    name_process(name)
    ops.started(name)
    log.info("%s started", name)
    task = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(told.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await end(task)
    error = None if task.cancelled() else task.exception()
    await asyncio.to_thread(ops.stopped, because=str(error) if error else "")
    if error is not None:
        raise error
    log.info("%s stopped", name)


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a process's task and wait until it is over, with every task it started."""
    task.cancel()
    while not task.done():
        _, still = await asyncio.wait({task}, timeout=ASK_AGAIN_SECONDS)
        for other in asyncio.all_tasks() - {asyncio.current_task()} if still else ():
            other.cancel()
