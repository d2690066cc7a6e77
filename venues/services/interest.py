"""Which symbols the desk has something at stake in: told by whoever holds or trades, so they come first.

Those are needs that point upwards, so the tellers are named in settings.SYMBOL_INTEREST. One that fails is
missing on the page and named in the log.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from venues.models import Listing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """That the desk holds, has open or trades something: a symbol of a venue, or a code at one or at any."""

    words: str
    symbol: str = ""
    code: str = ""
    venue_id: UUID | None = None


Teller = Callable[[], Iterable[Interest]]


@dataclass(frozen=True, slots=True)
class Stakes:
    """All that the desk has at stake, to ask and to say of each symbol why it comes first."""

    every: tuple[Interest, ...] = ()

    @property
    def condition(self) -> Q:
        """Choose the symbols that come first."""
        symbols: dict[UUID | None, set[str]] = defaultdict(set)
        codes: dict[UUID | None, set[str]] = defaultdict(set)
        for one in self.every:
            (symbols if one.symbol else codes)[one.venue_id].add(one.symbol or one.code)
        found = Q(pk__in=[])
        for name, by_venue in (("symbol", symbols), ("said_base", codes)):
            for venue_id, texts in by_venue.items():
                there = {"venue": venue_id} if venue_id else {}
                found |= Q(**{f"{name}__in": texts}, **there)
        return found

    def words(self, listing: Listing) -> tuple[str, ...]:
        told = (one.words for one in self.every if _is_about(one, listing))
        return tuple(dict.fromkeys(told))


def stakes() -> Stakes:
    """Ask everybody who holds or trades."""
    found: list[Interest] = []
    for path in settings.SYMBOL_INTEREST:
        teller: Teller = import_string(path)
        try:
            with transaction.atomic():
                found.extend(teller())
        except Exception:  # an order that is less good is better than no page
            log.exception("%s does not say what the desk has at stake", path)
    return Stakes(tuple(found))


def _is_about(one: Interest, listing: Listing) -> bool:
    if one.venue_id not in {None, listing.venue_id}:
        return False
    return listing.symbol == one.symbol if one.symbol else listing.said_base == one.code
