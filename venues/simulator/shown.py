"""The book everybody sees: the street's levels with the clients' resting orders before them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from venues.interface.types import BookSide
from venues.simulator.market import SyntheticMarket
from venues.simulator.terms import ZERO, LevelNow, SimOrder


class ShownBook:
    """One market's book. At one price clients come first, in the order they came."""

    def __init__(self, street: SyntheticMarket) -> None:
        self._street = street
        self._resting: dict[BookSide, dict[int, list[SimOrder]]] = {side: {} for side in BookSide}

    def show(self, order: SimOrder) -> None:
        side, ticks = self._place_of(order)
        self._resting[side].setdefault(ticks, []).append(order)
        self._street.changed.add((side, ticks))

    def hide(self, order: SimOrder) -> None:
        if not self.is_resting(order):
            return
        side, ticks = self._place_of(order)
        queue = self._resting[side][ticks]
        queue.remove(order)
        if not queue:
            del self._resting[side][ticks]
        self._street.changed.add((side, ticks))

    def is_resting(self, order: SimOrder) -> bool:
        if order.instruction.limit_price is None:
            return False
        side, ticks = self._place_of(order)
        return order in self._resting[side].get(ticks, ())

    def queues(self, side: BookSide) -> dict[int, list[SimOrder]]:
        """Return the resting orders of one side by price."""
        return self._resting[side]

    def prices(self, side: BookSide) -> list[int]:
        """Return every price there is, best first."""
        ticks = set(self._street.side(side)) | set(self._resting[side])
        return sorted(ticks, reverse=side is BookSide.BID)

    def at(
        self, side: BookSide, ticks: int, *, without: str = ""
    ) -> Iterator[tuple[SimOrder | None, Decimal]]:
        """Yield what stands at one price, first come first, the street last."""
        for resting in self._resting[side].get(ticks, ()):
            if resting.account != without:
                yield resting, resting.remaining
        steps = self._street.side(side).get(ticks, 0)
        if steps:
            yield None, self._street.quantity(steps)

    def level(self, side: BookSide, ticks: int) -> LevelNow:
        quantity = sum((size for _, size in self.at(side, ticks)), ZERO)
        return LevelNow(side, self._street.price(ticks), quantity)

    def _place_of(self, order: SimOrder) -> tuple[BookSide, int]:
        side = BookSide.BID if order.is_buy else BookSide.ASK
        return side, self._street.ticks(order.limit_price)
