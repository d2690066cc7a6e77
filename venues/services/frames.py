"""Reads the raw archive: what was on the wire about one order, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from venues.models import ArchiveDay, MarketWindow, RawFrame

PAGE = 100
# Our clock may be set, and a first frame is noted a moment before the row that it is about is written.
MARGIN = timedelta(minutes=5)


def of_order(
    *,
    venue: str,
    account: UUID,
    names: Iterable[str],
    since: datetime,
    until: datetime,
    with_market: bool = False,
) -> QuerySet[RawFrame]:
    """Return every frame that names an order, by our id or the venue's, of its own account alone.

    The span keeps the search within the days the order lived in. Of the public market there is what was
    kept around the send.
    """
    wanted = [name.lower() for name in names if name]
    of_account = Q(account=account)
    if with_market:
        of_account |= Q(is_public=True)
    return RawFrame.objects.filter(
        of_account,
        venue=venue,
        names__overlap=wanted,
        at__gte=since - MARGIN,
        at__lte=until + MARGIN,
    ).order_by("at", "number")


def page(
    frames: QuerySet[RawFrame], *, after: int, size: int = PAGE
) -> tuple[list[RawFrame], int | None]:
    """Return one page and where the next begins; an order has few enough frames to count through."""
    taken = list(frames[after : after + size + 1])
    return taken[:size], after + size if len(taken) > size else None


def window_of(reference: str) -> MarketWindow | None:
    return MarketWindow.objects.filter(reference=reference).order_by("-around").first()


def days_of(venue: str, *, until: date, days: int = 7) -> list[ArchiveDay]:
    """Return what a venue brought on each of the last days."""
    since = until - timedelta(days=days - 1)
    return list(ArchiveDay.objects.filter(venue=venue, day__gte=since, day__lte=until))
