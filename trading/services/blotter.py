"""Lists of orders: filtered by what stands in the URL, paged by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.access.rows import allowed_rows
from trading.models import Order
from trading.states import DONE, State
from venues.interface.types import Side

PAGE = 50
GROUPS: dict[str, frozenset[State]] = {
    "open": frozenset(State) - DONE,
    "done": DONE,
    "failed": frozenset({State.REJECTED, State.REFUSED, State.UNSENT, State.DENIED, State.VOIDED}),
}


class BadCursor(ValueError):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. `before` is the cursor of the next page."""

    state: str = ""
    side: str = ""
    symbol: str = ""
    venue: str = ""
    portfolio: str = ""
    text: str = ""
    mine: UUID | None = None
    before: str = ""
    limit: int = field(default=PAGE)


def visible(by: User) -> QuerySet[Order]:
    """Return the orders this person may see; nobody reads the table past this."""
    return allowed_rows(by, Action.ORDER_VIEW, Order.objects.with_names())


def rows(wanted: Filter, *, by: User) -> QuerySet[Order]:
    """Return every order that fits and that this person may see, newest first."""
    found = visible(by).order_by("-placed_at", "-id")
    if wanted.state in GROUPS:
        found = found.filter(state__in=GROUPS[wanted.state])
    elif wanted.state in set(State):
        found = found.filter(state=wanted.state)
    named = {
        "side": wanted.side if wanted.side in set(Side) else "",
        "symbol__symbol": wanted.symbol,
        "symbol__venue__slug": wanted.venue,
        "portfolio__name": wanted.portfolio,
    }
    found = found.filter(**{field: value for field, value in named.items() if value})
    if wanted.text:
        found = found.filter(
            Q(client_order_id__istartswith=wanted.text)
            | Q(venue_order_id__istartswith=wanted.text)
            | Q(symbol__symbol__icontains=wanted.text)
        )
    if wanted.mine:
        found = found.filter(placed_by=wanted.mine)
    return found


def page(wanted: Filter, *, by: User) -> tuple[list[Order], str]:
    """Return one page and the cursor of the next, empty at the end."""
    found = rows(wanted, by=by)
    if wanted.before:
        placed_at, key = _read_cursor(wanted.before)
        found = found.filter(Q(placed_at__lt=placed_at) | Q(placed_at=placed_at, pk__lt=key))
    taken = list(found[: wanted.limit + 1])
    shown = taken[: wanted.limit]
    return shown, _cursor(shown[-1]) if len(taken) > wanted.limit else ""


def _cursor(order: Order) -> str:
    return f"{order.placed_at.isoformat()}_{order.pk}"


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    moment, _, key = text.partition("_")
    try:
        placed_at, order_id = datetime.fromisoformat(moment), UUID(key)
    except ValueError as error:
        message = "This page link is broken. Start again from the first page."
        raise BadCursor(message) from error
    if placed_at.tzinfo is None:
        message = "This page link is broken. Start again from the first page."
        raise BadCursor(message)
    return placed_at, order_id
