"""What a venue says about an account: its fills, balances and orders, each read to the end.

A listing that was not read to its end proves nothing, so whatever goes wrong is a `VenueError`, never
a shorter list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

from venues.interface.client import ListsFills, VenueClient
from venues.interface.errors import Cause, NotSent, Rejected, Unsupported
from venues.interface.types import (
    OPEN_STATUSES,
    Balance,
    Fill,
    Order,
    OrderQuery,
    OrderRef,
    Page,
)
from venues.models import Account
from venues.services.clients import call
from venues.services.instruments import symbols_to_list

T = TypeVar("T")
PAGE = 250
MOST_PAGES = 400
QUIET_TRIES = 20
# Venues list a fill a little after it happened.
LOOK_BACK = timedelta(minutes=2)


def read_fills(account: Account, *, since: datetime) -> dict[str, Fill]:
    """List every execution since a moment, by the venue's id for it."""
    symbols = symbols_to_list(account)

    async def fetch(client: VenueClient, cursor: str) -> Page[Fill]:
        if not isinstance(client, ListsFills):
            message = f"{account.venue} lists no fills, so nothing can be proved there."
            raise Unsupported(message)
        query = OrderQuery(symbols=symbols, since=since, limit=PAGE, cursor=cursor)
        return await client.get_fills(query)

    found = _every_page(account, fetch)
    return {fill.venue_execution_id: fill for fill in found if fill.executed_at >= since}


def read_quiet_moment(
    account: Account, *, since: datetime
) -> tuple[dict[str, Fill], dict[str, Decimal]]:
    """Read fills, balances, and fills again until none came between: then they belong together."""
    fills = read_fills(account, since=since)
    for _ in range(QUIET_TRIES):
        held = call(account, _balances)
        last = max((fill.executed_at for fill in fills.values()), default=since)
        newer = read_fills(account, since=max(since, last - LOOK_BACK))
        if newer.keys() <= fills.keys():
            return fills, {one.currency: one.total for one in held}
        fills |= newer
    message = (
        f"{account} traded through {QUIET_TRIES} readings, so its balances belong to no moment. "
        "Run it again at a quieter time."
    )
    raise NotSent(message, cause=Cause.TEMPORARY)


def read_open_orders(account: Account) -> list[Order]:
    async def fetch(client: VenueClient, cursor: str) -> Page[Order]:
        return await client.get_orders(
            OrderQuery(statuses=OPEN_STATUSES, limit=PAGE, cursor=cursor)
        )

    return _every_page(account, fetch)


def read_order(account: Account, reference: OrderRef) -> Order | None:
    """Read one order, or nothing when the venue proves that it does not know it."""

    async def fetch(client: VenueClient) -> Order:
        return await client.get_order(reference)

    try:
        return call(account, fetch)
    except Rejected as error:
        if error.cause is Cause.NOT_FOUND:
            return None
        raise


async def _balances(client: VenueClient) -> tuple[Balance, ...]:
    return await client.get_balance()


def _every_page(
    account: Account, fetch: Callable[[VenueClient, str], Awaitable[Page[T]]]
) -> list[T]:
    """Read page after page, each in a call of its own so that none runs out of time."""
    found: list[T] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        page = call(account, partial(fetch, cursor=cursor))  # type: ignore[call-arg]
        found += page.items
        cursor = page.cursor
        if not cursor:
            return found
    message = f"{account} lists more than {MOST_PAGES} pages, which was not read to the end."
    raise NotSent(message, cause=Cause.PERMANENT)
