"""More symbols than a socket takes are followed over several sockets, as one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from venues.adapters.kit.spread import spread
from venues.interface.types import StreamReset

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SYMBOLS = [f"S{number}" for number in range(7)]


class Sockets:
    """Streams that say what they were asked for and then wait for more to be told."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, ...]] = []
        self.closed: list[tuple[str, ...]] = []
        self.ends = False
        self.broken: str = ""

    async def follow(self, symbols: Sequence[str]) -> AsyncGenerator[str | StreamReset, None]:
        part = tuple(symbols)
        self.opened.append(part)
        try:
            yield StreamReset(reason="connected", received_at=NOW)
            for symbol in part:
                yield symbol
            if self.broken in part:
                message = "the key was refused"
                raise RuntimeError(message)
            if not self.ends:
                await asyncio.Event().wait()
        finally:
            self.closed.append(part)


async def first(count: int, sockets: Sockets, most: int) -> list[str | StreamReset]:
    found: list[str | StreamReset] = []
    async with aclosing(spread(SYMBOLS, most, sockets.follow)) as items:
        async for item in items:
            found.append(item)
            if len(found) == count:
                break
    return found


async def test_each_part_has_its_socket_and_resets_its_own_symbols():
    sockets = Sockets()
    found = await first(10, sockets, most=3)
    parts = [("S0", "S1", "S2"), ("S3", "S4", "S5"), ("S6",)]
    assert sockets.opened == parts
    resets = [item.symbols for item in found if isinstance(item, StreamReset)]
    assert sorted(resets) == parts
    assert sorted(item for item in found if isinstance(item, str)) == SYMBOLS
    assert sorted(sockets.closed) == parts


async def test_what_fits_on_one_socket_is_followed_as_it_is():
    sockets = Sockets()
    found = await first(1, sockets, most=7)
    assert found == [StreamReset(reason="connected", received_at=NOW)]
    assert sockets.opened == sockets.closed == [tuple(SYMBOLS)]


async def test_no_symbols_at_all_is_one_socket_for_all_of_them():
    sockets = Sockets()
    sockets.ends = True
    assert len([item async for item in spread((), 3, sockets.follow)]) == 1
    assert sockets.opened == [()]


async def test_a_part_that_fails_ends_the_stream_and_the_other_sockets():
    sockets = Sockets()
    sockets.broken = "S4"
    with pytest.raises(RuntimeError, match="refused"):
        await first(99, sockets, most=3)
    assert len(sockets.closed) == 3


async def test_ends_once_every_part_has_ended():
    sockets = Sockets()
    sockets.ends = True
    assert len(await first(99, sockets, most=2)) == 7 + 4
