"""What a change of the registry would touch of what the desk holds, for whoever agrees to it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from assets.services.guarding import Impact
from portfolio.models import Position
from venues.interface.numbers import plain

SHOWN = 20


def positions_in(assets: Collection[UUID]) -> list[Impact]:
    """Name what is held of these assets, or against them."""
    there = Position.objects.with_names().exclude(quantity=0)
    there = there.filter(Q(asset__in=assets) | Q(quote__in=assets))
    count = there.count()
    held = [
        f"{plain(one.quantity)} {one.asset} against {one.quote} of {one.portfolio} at {one.account}"
        for one in there[:SHOWN]
    ]
    more = [f"and {count - SHOWN} more"] if count > SHOWN else []
    return [Impact("Positions", "; ".join([*held, *more]) or "none", is_grave=count > 0)]
