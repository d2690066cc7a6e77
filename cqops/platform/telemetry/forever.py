"""Runs an async process until it is told to stop."""

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
    while not task.done():
        # A library may swallow one cancellation on its way; it is asked again.
        task.cancel()
        await asyncio.wait({task}, timeout=ASK_AGAIN_SECONDS)
    error = None if task.cancelled() else task.exception()
    await asyncio.to_thread(ops.stopped, because=str(error) if error else "")
    if error is not None:
        raise error
    log.info("%s stopped", name)
