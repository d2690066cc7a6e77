"""The one crossing from sync to async: a background event loop a process, made at first use.

It is created after any fork, and keeps venue connections pooled for as long as the process lives.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run(work: Coroutine[Any, Any, T], *, timeout: float) -> T:
    """Run venue work from sync code and wait for it; a `TimeoutError` leaves its outcome open."""
    future = asyncio.run_coroutine_threadsafe(work, _running_loop())
    try:
        return future.result(timeout)
    except TimeoutError:
        future.cancel()
        raise


def later(work: Coroutine[Any, Any, None]) -> None:
    """Start venue work that nobody waits for."""
    asyncio.run_coroutine_threadsafe(work, _running_loop())


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop  # noqa: PLW0603 -- one loop a process is the point
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="venues", daemon=True).start()
        return _loop
