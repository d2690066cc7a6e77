"""The execution-report process: one private stream an account, and the sweep that proves it complete.

A stream message is a hint to look at one order. Fills are read from the venue's list, from a mark up
to which they are known to be complete, so a missed message costs a moment and never a fill.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from cqops.platform.telemetry.heartbeats import beat
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from cqops.platform.telemetry.spans import span
from cqops.platform.telemetry.trace import begin, following
from trading.models import Order, SweepMark
from trading.services.executions import hear, record, traceparent_of
from trading.services.submission import reference
from trading.states import AT_THE_VENUE, State
from venues.interface.client import ListsFills, StreamsExecutions, VenueClient
from venues.interface.errors import Cause, Rejected, VenueError
from venues.interface.types import OPEN_STATUSES, Fill, OrderQuery, OrderRef, OrderUpdate, Page
from venues.interface.types import Order as VenueOrder
from venues.models import Account, Credential
from venues.services.clients import open_client
from venues.services.instruments import symbols_to_list, traded_symbols
from venues.services.streams import tell_reset

log = logging.getLogger(__name__)
SWEEP_SECONDS = 10.0
BEAT_SECONDS = 3.0
# Whoever takes a key away waits no longer than this until its stream is closed.
REPLAN_SECONDS = 1.0
RETRY_SECONDS = 2.0
# Venues list a fill a little after it happened; looking back costs nothing, as each is booked once.
LOOK_BACK = timedelta(minutes=2)
FIRST_LOOK_BACK = timedelta(days=2)
PAGE = 250
# The process has one thread for the database; its heartbeat and its streams want it in between.
AT_ONCE = 50


class Link(NamedTuple):
    """What a client was opened with. Where any of it changes, another client has to be opened."""

    account: UUID
    credential: UUID
    adapter: str
    addresses: tuple[str, str, str]


class Reports:
    """Follows every account that has a key."""

    def __init__(self) -> None:
        self.planned: set[UUID] = set()
        self.sweeps: dict[UUID, asyncio.Event] = {}
        self.swept_at: dict[UUID, datetime] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat_forever())
            group.create_task(self._follow_the_plan(group))

    async def _follow_the_plan(self, group: asyncio.TaskGroup) -> None:
        running: dict[Link, asyncio.Task[None]] = {}
        while True:
            try:
                plan = await database_sync_to_async(read_plan)()
            except DatabaseError as error:
                log.warning("the accounts cannot be read: %s", error)
            else:
                for gone in running.keys() - plan.keys():
                    running.pop(gone).cancel()
                    self.sweeps.pop(gone.account, None)
                    self.swept_at.pop(gone.account, None)
                for new in plan.keys() - running.keys():
                    running[new] = group.create_task(self._follow(plan[new]))
                self.planned = {link.account for link in plan}
            await asyncio.sleep(REPLAN_SECONDS)

    async def _follow(self, account: Account) -> None:
        """Keep one account's reports coming; whatever ends them, they start again, and no others end."""
        while True:
            pause = RETRY_SECONDS
            try:
                await self._connect(account)
            except* (VenueError, DatabaseError, OSError) as errors:
                error = errors.exceptions[0]
                log.warning("reports of %s interrupted: %s", account, error)
                _tell("stream.interrupted", account, f"Reports of {account} interrupted: {error}")
                if errors.subgroup(_is_about_the_key):
                    pause = SWEEP_SECONDS  # a venue locks out who knocks too often
            except* Exception:
                log.exception("reports of %s ended in a way nobody foresaw", account)
                _tell("stream.failed", account, f"Reports of {account} ended by an error of ours.")
            await asyncio.sleep(pause)

    async def _connect(self, account: Account) -> None:
        """Open the account's stream and sweep with the key of this moment."""
        client = await database_sync_to_async(open_client)(account)
        try:
            self.sweeps[account.pk] = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sweep_forever(account, client))
                group.create_task(self._listen(account, client))
        finally:
            await client.aclose()

    async def _listen(self, account: Account, client: VenueClient) -> None:
        if not isinstance(client, StreamsExecutions):
            return
        symbols = await database_sync_to_async(traded_symbols)(account)
        async with aclosing(client.subscribe_executions(symbols)) as updates:  # type: ignore[type-var]
            async for update in updates:
                begin()
                if isinstance(update, OrderUpdate):
                    await self._take(account, client, update)
                elif isinstance(update, Fill):
                    await self._book(account, [update], by="stream")
                else:
                    log.info("%s: %s, reading everything again", account, update.reason)
                    tell_reset(f"Reports of {account}", update, labels=_labels(account))
                    self.sweeps[account.pk].set()

    async def _take(self, account: Account, client: VenueClient, update: OrderUpdate) -> None:
        misses = await database_sync_to_async(hear)(
            account=account, heard_order=update.order, by="stream"
        )
        if not misses:
            return
        placed = await database_sync_to_async(traceparent_of)(account, update.order)
        with following(placed), span("reports.read_fills"):
            query = OrderQuery(venue_order_id=update.order.venue_order_id, limit=PAGE)
            try:
                fills = await _all_fills(client, query)
            except VenueError as error:
                if _is_about_the_key(error):
                    raise
                # The stream goes on; what could not be read now is found by the sweep.
                log.warning("%s: fills cannot be read yet: %s", account, error)
                self.sweeps[account.pk].set()
                return
            await self._book(account, fills, by="stream")
        await database_sync_to_async(hear)(account=account, heard_order=update.order, by="stream")

    async def _book(self, account: Account, fills: list[Fill], *, by: str) -> None:
        booked = 0
        for start in range(0, len(fills), AT_ONCE):
            booked += await database_sync_to_async(record)(
                account=account, fills=fills[start : start + AT_ONCE], by=by
            )
        if booked and by == "sweep":
            log.info("%s: the sweep booked %d executions", account, booked)

    async def _sweep_forever(self, account: Account, client: VenueClient) -> None:
        asked = self.sweeps[account.pk]
        while True:
            asked.clear()
            begin()
            try:
                with span("reports.sweep", account=str(account)):
                    await self._sweep(account, client)
                self.swept_at[account.pk] = timezone.now()
            except (VenueError, DatabaseError) as error:
                if _is_about_the_key(error):
                    raise  # perhaps it was replaced
                log.warning("%s could not be swept: %s", account, error)
                _tell("sweep.failed", account, f"{account} could not be swept: {error}")
                await asyncio.sleep(RETRY_SECONDS)
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await asked.wait()
            except TimeoutError:
                continue

    async def _sweep(self, account: Account, client: VenueClient) -> None:
        """Read every fill since the mark, then every order that we believe is still working.

        What the venue lists as open is read by the page; only what it does not list is asked for
        by itself, or a desk with many orders would spend its whole budget on looking them up.
        """
        started = timezone.now()
        since = await database_sync_to_async(read_mark)(account, started)
        symbols = await database_sync_to_async(symbols_to_list)(account)
        fills = await _all_fills(
            client, OrderQuery(symbols=symbols, since=since - LOOK_BACK, limit=PAGE)
        )
        await self._book(account, fills, by="sweep")
        await database_sync_to_async(write_mark)(account, started)
        believed = await database_sync_to_async(working)(account)
        if not believed:
            return
        listed = await _open_orders(client, symbols)
        for order in listed:
            await self._take_found(account, client, order)
        names = {order.venue_order_id for order in listed}
        for wanted in believed:
            if wanted.venue_order_id in names:
                continue
            try:
                found = await client.get_order(wanted)
            except Rejected as error:
                if error.cause is not Cause.NOT_FOUND:
                    raise
                log.warning("%s no longer knows order %s", account, wanted.client_order_id)
                continue
            await self._take_found(account, client, found)

    async def _take_found(self, account: Account, client: VenueClient, found: VenueOrder) -> None:
        update = OrderUpdate(order=found, is_snapshot=True, received_at=found.received_at)
        await self._take(account, client, update)

    def _up_to_date(self) -> int:
        late = timezone.now() - timedelta(seconds=3 * SWEEP_SECONDS)
        return sum(key in self.swept_at and self.swept_at[key] > late for key in self.planned)

    async def _beat_forever(self) -> None:
        while True:
            well = self._up_to_date()
            words = f"{well} of {len(self.planned)} accounts up to date"
            try:
                await database_sync_to_async(beat)(
                    "reports", words, is_well=well == len(self.planned)
                )
            except DatabaseError as error:
                log.warning("the database is away: %s", error)
            await asyncio.sleep(BEAT_SECONDS)


def _tell(kind: str, account: Account, words: str) -> None:
    tell(kind, words, severity=Severity.ATTENTION, labels=_labels(account))


def _labels(account: Account) -> dict[str, str]:
    return {"account": account.name, "venue": account.venue.slug}


def _is_about_the_key(error: BaseException) -> bool:
    return isinstance(error, VenueError) and error.cause is Cause.AUTH


async def _all_fills(client: VenueClient, query: OrderQuery) -> list[Fill]:
    """Read all pages; an incomplete list is an error and never a shorter list."""
    if not isinstance(client, ListsFills):
        return []
    fills: list[Fill] = []
    cursor = ""
    while True:
        page: Page[Fill] = await client.get_fills(replace(query, cursor=cursor))
        fills.extend(page.items)
        cursor = page.cursor
        if not cursor or not page.items:
            return fills


async def _open_orders(client: VenueClient, symbols: tuple[str, ...]) -> list[VenueOrder]:
    query = OrderQuery(symbols=symbols, statuses=OPEN_STATUSES, limit=PAGE)
    found: list[VenueOrder] = []
    while True:
        page = await client.get_orders(query)
        found.extend(page.items)
        if not page.cursor:
            return found
        query = replace(query, cursor=page.cursor)


def read_plan() -> dict[Link, Account]:
    """Name the accounts that have a key in use, and what leads to them.

    One that is switched off may still have open orders.
    """
    keys = Credential.objects.in_use().select_related("account__venue")
    return {_link(key): key.account for key in keys}


def _link(key: Credential) -> Link:
    venue = key.account.venue
    addresses = (venue.rest_url, venue.ws_url, venue.ws_user_url)
    return Link(key.account.pk, key.pk, venue.adapter, addresses)


def read_mark(account: Account, now: datetime) -> datetime:
    mark = SweepMark.objects.filter(account=account).first()
    return mark.fills_until if mark else now - FIRST_LOOK_BACK


def write_mark(account: Account, until: datetime) -> None:
    SweepMark.objects.update_or_create(
        account=account, defaults={"fills_until": until, "swept_at": timezone.now()}
    )


def working(account: Account) -> list[OrderRef]:
    """List what the venue must still know: everything not over, and cancels that may hide a fill."""
    states = AT_THE_VENUE | {State.IN_DOUBT, State.SENDING}
    return [
        reference(order)
        for order in Order.objects.filter(account=account, state__in=states)
        .exclude(venue_order_id="")
        .select_related("symbol")
    ]
