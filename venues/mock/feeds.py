"""A stream the test feeds: what is pushed reaches everybody who listens, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from venues.interface.types import OrderUpdate, StreamReset

T = TypeVar("T")

CONNECTED: Final = "connected"


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None


class Feed(Generic[T]):
    """One stream of one venue, however many listen to it.

    As at a real venue every listener hears a `StreamReset` first. What is pushed before anybody
    listens waits for the first one who does.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._early: list[T | StreamReset | _End] = []
        self._listeners: list[tuple[frozenset[str], asyncio.Queue[T | StreamReset | _End]]] = []

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def push(self, *items: T | StreamReset) -> None:
        for item in items:
            self._tell(item)

    def reset(self, reason: str = "connection lost") -> None:
        """Say that something may have been lost, so that whoever listens reads again."""
        self._tell(StreamReset(reason=reason, received_at=self._now()))

    def fail(self, error: Exception) -> None:
        """End the stream with an error."""
        self._tell(_End(error))

    def end(self) -> None:
        """End the stream, which a real one never does by itself."""
        self._tell(_End(None))

    def listen(self, symbols: Sequence[str]) -> AsyncGenerator[T | StreamReset, None]:
        """Begin to hear the symbols, all of them when none is named, from this moment on."""
        queue: asyncio.Queue[T | StreamReset | _End] = asyncio.Queue()
        queue.put_nowait(StreamReset(reason=CONNECTED, received_at=self._now()))
        listener = (frozenset(symbols), queue)
        self._listeners.append(listener)
        early, self._early = self._early, []
        for item in early:
            self._tell(item)
        return self._items(listener)

    async def _items(
        self, listener: tuple[frozenset[str], asyncio.Queue[T | StreamReset | _End]]
    ) -> AsyncGenerator[T | StreamReset, None]:
        try:
            while not isinstance(item := await listener[1].get(), _End):
                yield item
            if item.error is not None:
                raise item.error
        finally:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _tell(self, item: T | StreamReset | _End) -> None:
        if not self._listeners:
            self._early.append(item)
        symbol = _symbol_of(item)
        for wanted, queue in self._listeners:
            if not wanted or symbol is None or symbol in wanted:
                queue.put_nowait(item)


def _symbol_of(item: object) -> str | None:
    told = item.order if isinstance(item, OrderUpdate) else item
    return getattr(told, "symbol", None)
