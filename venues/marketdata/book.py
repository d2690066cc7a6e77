"""A book that is cheap to change and exact to read.

Each side keeps its levels in the wire's own text under a float key, beside the keys in order with
the best last, where insertions near the touch move a few slots. `top` hands out that text, which
pages show as it is; `levels` makes `Decimal`s of it for whoever reckons. Both are kept until
something at or above their worst level changes, and what a reader was given never changes. A price with more digits than a float can tell
apart is ordered by `Decimal` instead.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from venues.interface.numbers import BadNumber, exact
from venues.interface.types import BookSide, Level, LevelChange

# A float tells any two decimals of up to fifteen digits apart; one more place is the point.
_FLOAT_TEXT: Final = 16
_TOO_LARGE: Final = 1e60

Key = float | Decimal


def _read(change: LevelChange) -> tuple[Key, bool]:
    """Return where a level stands and whether it goes, however the venue writes zero.

    One function for both, because it runs for every level of every message.
    """
    try:
        key: Key = float(change.price)
        size = float(change.quantity)
    except ValueError as error:
        message = f"not a level: {change!r:.120}"
        raise BadNumber(message) from error
    if not (0 < key < _TOO_LARGE and 0 <= size < _TOO_LARGE):
        message = f"not a level: {change!r:.120}"
        raise BadNumber(message)
    if len(change.price) > _FLOAT_TEXT:
        key = _long_key(change.price)
    return key, size == 0 and not exact(change.quantity)


def _long_key(text: str) -> Key:
    number = exact(text)
    has_few_digits = len(number.normalize().as_tuple().digits) < _FLOAT_TEXT
    return float(number) if has_few_digits else number


class BookTop(NamedTuple):
    """The best levels as the wire wrote them, best first."""

    bids: tuple[LevelChange, ...]
    asks: tuple[LevelChange, ...]


class BookLevels(NamedTuple):
    """The best levels as exact numbers, best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class _Side:
    """One side; `sign` turns asks round so that the best key is the last on both."""

    __slots__ = ("_exact", "_exact_of", "_floor", "_keys", "_levels", "_sign", "_top", "_top_size")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[Key, LevelChange] = {}
        self._keys: list[Key] = []
        self._top: tuple[LevelChange, ...] | None = None
        self._top_size = 0
        self._floor: Key | None = None
        self._exact: tuple[Level, ...] = ()
        self._exact_of: tuple[LevelChange, ...] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def set(self, change: LevelChange) -> None:
        key, is_gone = _read(change)
        key *= self._sign
        if is_gone:
            if self._levels.pop(key, None) is None:
                return
            del self._keys[bisect_left(self._keys, key)]
        else:
            if key not in self._levels:
                insort(self._keys, key)
            self._levels[key] = change
        if self._top is not None and (self._floor is None or key >= self._floor):
            self._top = None

    def fill(self, changes: Iterable[LevelChange]) -> None:
        """Take a whole side at once: sorting once beats inserting thousands of times."""
        for change in changes:
            key, is_gone = _read(change)
            key *= self._sign
            if is_gone:
                self._levels.pop(key, None)
            else:
                self._levels[key] = change
        self._keys = sorted(self._levels)
        self._top = None

    def top(self, size: int) -> tuple[LevelChange, ...]:
        if self._top is None or self._top_size != size:
            keys = self._keys[-size:] if size > 0 else []
            self._top = tuple([self._levels[key] for key in reversed(keys)])
            self._top_size = size
            # Fewer levels than asked for: any new level belongs to the top.
            self._floor = keys[0] if len(keys) == size and keys else None
        return self._top

    def levels(self, size: int) -> tuple[Level, ...]:
        top = self.top(size)
        if top is not self._exact_of:
            self._exact, self._exact_of = tuple([_level(change) for change in top]), top
        return self._exact

    def best(self) -> LevelChange | None:
        return self._levels[self._keys[-1]] if self._keys else None

    def best_key(self) -> Key | None:
        return self._keys[-1] if self._keys else None


def _level(change: LevelChange) -> Level:
    return Level(exact(change.price), exact(change.quantity))


class OrderBook:
    """Both sides of one symbol."""

    __slots__ = ("_asks", "_bids")

    def __init__(self) -> None:
        self.clear()

    def __len__(self) -> int:
        return len(self._bids) + len(self._asks)

    def clear(self) -> None:
        self._bids = _Side(1)
        self._asks = _Side(-1)

    def replace(self, changes: Iterable[LevelChange]) -> None:
        """Take a snapshot: it replaces what was there, it never merges."""
        sides: dict[BookSide, list[LevelChange]] = {BookSide.BID: [], BookSide.ASK: []}
        for change in changes:
            sides[change.side].append(change)
        self.clear()
        self._bids.fill(sides[BookSide.BID])
        self._asks.fill(sides[BookSide.ASK])

    def update(self, changes: Iterable[LevelChange]) -> None:
        bids, asks = self._bids, self._asks
        for change in changes:
            (bids if change.side is BookSide.BID else asks).set(change)

    def top(self, size: int) -> BookTop:
        return BookTop(self._bids.top(size), self._asks.top(size))

    def levels(self, size: int) -> BookLevels:
        return BookLevels(self._bids.levels(size), self._asks.levels(size))

    @property
    def best_bid(self) -> Level | None:
        change = self._bids.best()
        return _level(change) if change else None

    @property
    def best_ask(self) -> Level | None:
        change = self._asks.best()
        return _level(change) if change else None

    @property
    def is_crossed(self) -> bool:
        """Tell a book that cannot be: the best bid at or above the best ask."""
        bid, ask = self._bids.best_key(), self._asks.best_key()
        return bid is not None and ask is not None and bid >= -ask
