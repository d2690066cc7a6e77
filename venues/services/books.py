"""The latest book of each symbol, as the feeds process left it in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from django.conf import settings
from redis.exceptions import RedisError

from cqops.platform.live.redis import ask
from venues.interface.numbers import exact
from venues.interface.types import Side
from venues.models import VenueSymbol

DEPTH = 15
KEEP_SECONDS = 3600


class BookState(StrEnum):
    SYNCING = "syncing"
    LIVE = "live"
    STALE = "stale"
    AWAY = "away"


class PublishedBook(msgspec.Struct, frozen=True):
    """What pages and checks see of a book; prices and quantities are the venue's own text."""

    state: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    received_at: datetime
    venue_time: datetime | None = None
    updates: int = 0
    resyncs: int = 0


@dataclass(frozen=True, slots=True)
class Touch:
    """The best prices and how far they can be trusted now."""

    state: BookState
    bid: Decimal | None
    ask: Decimal | None
    age_seconds: float | None

    @property
    def mid(self) -> Decimal | None:
        return (self.bid + self.ask) / 2 if self.bid and self.ask else None

    @property
    def is_trusted(self) -> bool:
        return self.state is BookState.LIVE and self.bid is not None and self.ask is not None

    def facing(self, side: Side) -> Decimal | None:
        """Return the price a taker of this side meets."""
        return self.ask if side is Side.BUY else self.bid


NO_TOUCH = Touch(state=BookState.AWAY, bid=None, ask=None, age_seconds=None)


def book_key(name: str) -> str:
    return f"book:{name}"


def read_book(symbol: VenueSymbol) -> PublishedBook | None:
    """Read the latest book, or nothing when there is none or Redis is away."""
    try:
        data = ask(lambda redis: redis.get(book_key(symbol.key)))
    except RedisError:
        return None
    return msgspec.json.decode(data, type=PublishedBook) if data else None


def read_touch(symbol: VenueSymbol, *, now: datetime) -> Touch:
    return touch_of(read_book(symbol), now=now)


def read_touches(symbols: list[VenueSymbol], *, now: datetime) -> dict[str, Touch]:
    """Read many touches in one round trip."""
    if not symbols:
        return {}
    try:
        rows = ask(lambda redis: redis.mget([book_key(symbol.key) for symbol in symbols]))
    except RedisError:
        rows = [None] * len(symbols)
    return {
        symbol.key: touch_of(
            msgspec.json.decode(data, type=PublishedBook) if data else None, now=now
        )
        for symbol, data in zip(symbols, rows, strict=True)
    }


def touch_of(book: PublishedBook | None, *, now: datetime) -> Touch:
    """Judge a book by what it says of itself and by its age; an old one is never trusted."""
    if book is None:
        return NO_TOUCH
    age = (now - book.received_at).total_seconds()
    state = BookState(book.state)
    if state is BookState.LIVE and age > settings.BOOK_STALE_SECONDS:
        state = BookState.STALE
    return Touch(
        state=state,
        bid=exact(book.bids[0][0]) if book.bids else None,
        ask=exact(book.asks[0][0]) if book.asks else None,
        age_seconds=max(age, 0.0),
    )
