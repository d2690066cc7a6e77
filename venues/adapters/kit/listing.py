"""Asking for a page of a listing: one query, written in each venue's own words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from venues.adapters.kit.reading import Wire
from venues.interface.times import to_rfc3339
from venues.interface.types import Order, OrderQuery, Side


class _HasSide(Protocol):
    @property
    def side(self) -> Side: ...


T = TypeVar("T", bound=_HasSide)
Item = TypeVar("Item")


class Listing(Wire, Generic[Item]):
    """A page whose body says how to go on; a venue's own kind names the list."""

    items: list[Item]
    has_next: bool | None = None
    cursor: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """What a venue calls the things a listing is narrowed by, and the largest page it gives."""

    largest: int
    symbol: str
    order: str
    cursor: str
    since: str
    until: str

    def params(self, query: OrderQuery) -> list[tuple[str, str]]:
        found = [("limit", str(min(query.limit, self.largest)))]
        found += [(self.symbol, symbol) for symbol in query.symbols]
        named = (
            (self.order, query.venue_order_id),
            (self.cursor, query.cursor),
            (self.since, to_rfc3339(query.since) if query.since else ""),
            (self.until, to_rfc3339(query.until) if query.until else ""),
        )
        return found + [(name, value) for name, value in named if value]


def of_side(found: Iterable[T], query: OrderQuery) -> tuple[T, ...]:
    """Keep what the query asks for, where the venue does not narrow by side itself."""
    return tuple([one for one in found if query.side is None or query.side is one.side])


def of_status(found: Iterable[Order], query: OrderQuery) -> tuple[Order, ...]:
    """Keep the statuses the query asks for; no venue narrows by all of ours."""
    return tuple([one for one in found if not query.statuses or one.status in query.statuses])
