"""A clock that moves only when everybody waits: hours of waiting in a moment, the same every time."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Coroutine
from typing import Any

# Passes of the loop in which everything that can go on without time has gone on.
SETTLED_AFTER = 6


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- the same throws in every run


class DrivenClock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def stopwatch(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, len(self.slept), wake))
        await wake

    async def run(self, *work: Coroutine[Any, Any, Any], until: float = 1e9) -> list[Any]:
        """Drive all of it to its end, or to a time; return results and exceptions in order."""
        tasks = [asyncio.ensure_future(one) for one in work]
        while True:
            for _ in range(SETTLED_AFTER):
                await asyncio.sleep(0)
            if all(task.done() for task in tasks):
                break
            if not self._sleepers or self._sleepers[0][0] > until:
                for task in tasks:
                    task.cancel()
                break
            self._advance()
        return await asyncio.gather(*tasks, return_exceptions=True)

    def _advance(self) -> None:
        self.now = max(self.now, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self.now:
            wake = heapq.heappop(self._sleepers)[2]
            if not wake.done():
                wake.set_result(None)
