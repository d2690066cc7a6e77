"""One symbol's events into one book that knows whether it can be trusted.

  SYNCING   no snapshot yet, or continuity was lost: updates are left out
  LIVE      snapshot and every update since
  STALE     complete but silent for too long, or crossed: the next good event makes it live again

Only a snapshot leads out of SYNCING, and it replaces whatever was there. The venue's sequence is
the adapter's business: what it could not prove it reports as a `StreamReset`, which is `reset`
here. An update without changes is a sign of life.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from venues.interface.numbers import BadNumber
from venues.interface.types import BookEvent, BookEventKind, BookSnapshot
from venues.marketdata.book import OrderBook

STALE_AFTER_SECONDS: Final = 3.0


class BookState(StrEnum):
    SYNCING = "syncing"
    LIVE = "live"
    STALE = "stale"


class Assembler:
    """The state machine of one symbol."""

    def __init__(self, symbol: str, *, allows_crossed: bool = False) -> None:
        self.symbol = symbol
        self.state = BookState.SYNCING
        self.reason = "no snapshot yet"
        self.received_at: datetime | None = None
        self.venue_time: datetime | None = None
        self.updates = 0
        self.resyncs = 0
        self._book = OrderBook()
        self._allows_crossed = allows_crossed

    @property
    def is_live(self) -> bool:
        return self.state is BookState.LIVE

    @property
    def book(self) -> OrderBook:
        return self._book

    def apply(self, event: BookEvent) -> bool:
        """Take one event; say whether the book is live after it."""
        if event.kind is BookEventKind.SNAPSHOT:
            return self._take(event, is_snapshot=True)
        if self.state is BookState.SYNCING:
            return False
        return self._take(event, is_snapshot=False)

    def _take(self, event: BookEvent, *, is_snapshot: bool) -> bool:
        try:
            if is_snapshot:
                self._book.replace(event.changes)
            else:
                self._book.update(event.changes)
        except BadNumber as error:
            self.reset(f"unreadable level: {error}")
            return False
        self.received_at = event.received_at
        self.venue_time = event.venue_time or self.venue_time
        self.updates += 1
        if self._book.is_crossed and not self._allows_crossed:
            self.state, self.reason = BookState.STALE, "crossed"
            return False
        self.state, self.reason = BookState.LIVE, ""
        return True

    def reset(self, reason: str = "continuity lost") -> None:
        """Forget the book: continuity is gone, and only a new snapshot brings it back."""
        self._book.clear()
        self.state, self.reason = BookState.SYNCING, reason
        self.resyncs += 1

    def mark_stale(self, now: datetime, *, after_seconds: float = STALE_AFTER_SECONDS) -> bool:
        """Stop trusting a book that has been silent too long; say whether that changed it."""
        age = self.age(now)
        if age is None or age <= timedelta(seconds=after_seconds) or not self.is_live:
            return False
        self.state, self.reason = BookState.STALE, f"silent for {age.total_seconds():.1f} s"
        return True

    def age(self, now: datetime) -> timedelta | None:
        return now - self.received_at if self.received_at else None

    def snapshot(self, depth: int) -> BookSnapshot | None:
        """Return the top of a live book; nothing of one that may not price anything."""
        if not self.is_live or self.received_at is None:
            return None
        bids, asks = self._book.levels(depth)
        return BookSnapshot(
            symbol=self.symbol,
            bids=bids,
            asks=asks,
            venue_time=self.venue_time,
            received_at=self.received_at,
        )
