"""This venue's socket: what is said first, what proves a subscription, how a hole shows itself.

`venues/adapters/kit/stream.py` does the rest. Choose for each stream: a number that counts up
(`Counter`), a checksum, or nothing but a new snapshot on every connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from venues.adapters._template import wire
from venues.adapters._template.missing import missing
from venues.adapters._template.signer import TemplateAuth
from venues.adapters.contract import Surroundings
from venues.adapters.kit.stream import Dialect, Gap, Say
from venues.interface.types import BookEvent, OrderUpdate, Trade

T = TypeVar("T")


class Feed(Dialect[T]):
    """One subscription. Set `is_ready` when the venue has proven it, never on being connected."""

    def __init__(
        self, symbols: Sequence[str], around: Surroundings, signer: TemplateAuth | None = None
    ) -> None:
        super().__init__(around, wire.KNOWN)
        self.symbols = list(dict.fromkeys(symbols))
        self._signer = signer
        missing(f"feed.{type(self).__name__}", "hello, read, and what a hole means")

    def hello(self) -> list[str]:
        missing("feed.Feed.hello", "the subscribe message, freshly signed")

    def read(self, _frame: bytes) -> Iterator[T | Gap | Say]:
        missing("feed.Feed.read", "what each type means; `look` at each, an unknown one is drift")


class Books(Feed[BookEvent]):
    what = "book"


class Trades(Feed[Trade]):
    what = "trade"


class Executions(Feed[OrderUpdate]):
    """Say `Gap("subscribed")` once proven: what ended before that moment must be read."""

    what = "order"
