"""More symbols than one socket takes: each part of them has a socket of its own, all are one stream.

A part that breaks resets its own symbols and leaves the others' books as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from venues.interface.types import StreamReset

T = TypeVar("T")
Stream = AsyncGenerator[T | StreamReset, None]


async def spread(
    symbols: Sequence[str], most: int, follow: Callable[[Sequence[str]], Stream[T]]
) -> Stream[T]:
    """Follow all of the symbols, at most so many on a socket."""
    every = tuple(dict.fromkeys(symbols))
    parts = [every[at : at + most] for at in range(0, len(every), most)]
    joined = _joined(parts, follow) if len(parts) > 1 else follow(every)
    async with aclosing(joined) as items:
        async for item in items:
            yield item


async def _joined(
    parts: Sequence[tuple[str, ...]], follow: Callable[[Sequence[str]], Stream[T]]
) -> Stream[T]:
    streams = {part: follow(part) for part in parts}
    waited = {asyncio.create_task(_next(streams[part])): part for part in parts}
    try:
        while waited:
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                part = waited.pop(task)
                item = task.result()
                if item is None:
                    continue
                # The next is not taken before this one was: a slow reader holds the sockets back.
                yield replace(item, symbols=part) if isinstance(item, StreamReset) else item
                waited[asyncio.create_task(_next(streams[part]))] = part
    finally:
        for task in waited:
            task.cancel()
        await asyncio.gather(*waited, return_exceptions=True)
        for stream in streams.values():
            await stream.aclose()


async def _next(stream: Stream[T]) -> T | StreamReset | None:
    return await anext(stream, None)
