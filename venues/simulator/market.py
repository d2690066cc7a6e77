"""A street that never sleeps: the synthetic liquidity of one market, deterministic under its seed.

Prices and quantities are whole numbers of ticks and steps. Each step moves the middle by a small
random amount pulled gently back to where it began, keeps a ladder of levels on both sides, changes
some of their sizes, and says which orders the street itself sends. It knows no account and no
client order; the exchange puts the two together.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from venues.interface.types import BookSide, Side

LEVELS: Final = 40
_PULL: Final = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """How one market looks: where it starts and how it moves. Sizes are in base units."""

    symbol: str
    price_tick: Decimal
    quantity_step: Decimal
    start_price: Decimal
    move_per_step: float
    half_spread: float
    gap: float
    typical_size: float


class SyntheticMarket:
    """The street's book of one market."""

    def __init__(self, street: Street, seed: int, *, price: Decimal | None = None) -> None:
        self.street = street
        self._random = random.Random(f"{street.symbol}:{seed}")  # noqa: S311 - a market, no secret
        self._anchor = int(street.start_price / street.price_tick)
        self._middle = float(int(price / street.price_tick) if price else self._anchor)
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.changed: set[tuple[BookSide, int]] = set()
        self.last = int(self._middle)
        self.pace = 1.0
        self._refill()

    def price(self, ticks: int) -> Decimal:
        return self.street.price_tick * ticks

    def ticks(self, price: Decimal) -> int:
        return int(price / self.street.price_tick)

    def quantity(self, steps: int) -> Decimal:
        return self.street.quantity_step * steps

    @property
    def last_price(self) -> Decimal:
        return self.price(self.last)

    def side(self, side: BookSide) -> dict[int, int]:
        return self.bids if side is BookSide.BID else self.asks

    def take(self, side: BookSide, ticks: int, quantity: Decimal) -> None:
        """Remove what somebody traded against the street."""
        levels = self.side(side)
        left = levels[ticks] - int(quantity / self.street.quantity_step)
        if left > 0:
            levels[ticks] = left
        else:
            del levels[ticks]
        self.changed.add((side, ticks))

    def withdraw(self, side: BookSide, ticks: int) -> None:
        """Leave a price and all nearer ones, and stand behind it."""
        outward = 1 if side is BookSide.ASK else -1
        self._ladder(side, ticks + outward, outward)

    def move_to(self, price: Decimal) -> None:
        """Put the middle elsewhere at once: a game day's jump."""
        self._middle = float(self.ticks(price))
        self._anchor = self.ticks(price)
        for side in BookSide:
            self.changed.update((side, ticks) for ticks in self.side(side))
            self.side(side).clear()
        self._refill()

    def step(self) -> list[tuple[Side, Decimal]]:
        """Let a moment pass; return the street's own market orders."""
        noise = self._random.gauss(0, self.street.move_per_step * self.pace) * self._middle
        self._middle += noise + (self._anchor - self._middle) * _PULL
        self._middle = max(self._middle, 100.0)
        self._resize()
        self._refill()
        if self._random.random() > 0.4:  # noqa: PLR2004
            return []
        side = Side.BUY if self._random.random() < 0.5 else Side.SELL  # noqa: PLR2004
        return [(side, self.quantity(self._size(0.3)))]

    def _size(self, scale: float = 1.0) -> int:
        size = self._random.lognormvariate(0, 1.0) * self.street.typical_size * scale
        return max(1, int(size / float(self.street.quantity_step)))

    def _resize(self) -> None:
        for side in BookSide:
            levels = self.side(side)
            ordered = sorted(levels, reverse=side is BookSide.BID)
            for _ in range(min(3, len(ordered))):
                # The square pulls the choice towards the touch, where real books move.
                at = int(len(ordered) * self._random.random() ** 2)
                levels[ordered[at]] = self._size(1 + at / 10)
                self.changed.add((side, ordered[at]))

    def _refill(self) -> None:
        """Clear what the middle has run through and complete both ladders."""
        half = max(1.0, self._middle * self.street.half_spread)
        top_bid = math.floor(self._middle - half)
        top_ask = max(math.ceil(self._middle + half), top_bid + 1)
        self._ladder(BookSide.BID, top_bid, -1)
        self._ladder(BookSide.ASK, top_ask, 1)

    def _ladder(self, side: BookSide, top: int, outward: int) -> None:
        levels = self.side(side)
        gap = max(1.0, self._middle * self.street.gap)
        for ticks in [ticks for ticks in levels if (ticks - top) * outward < 0]:
            del levels[ticks]
            self.changed.add((side, ticks))
        nearest = min(levels, key=lambda ticks: (ticks - top) * outward, default=None)
        if nearest is None or abs(nearest - top) > 3 * gap:
            self._add(side, top)
        ordered = sorted(levels, key=lambda ticks: (ticks - top) * outward)
        for ticks in ordered[LEVELS:]:
            del levels[ticks]
            self.changed.add((side, ticks))
        last = ordered[: LEVELS + 1][-1]
        while len(levels) < LEVELS:
            last += outward * max(1, int(self._random.expovariate(1 / gap)))
            if last <= 0:
                return
            self._add(side, last)

    def _add(self, side: BookSide, ticks: int) -> None:
        levels = self.side(side)
        distance = abs(ticks - self._middle) / max(1.0, self._middle * self.street.gap)
        levels[ticks] = self._size(1 + distance / 10)
        self.changed.add((side, ticks))
