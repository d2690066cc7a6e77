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
from venues.interface.types import Fill, OrderQuery, OrderRef, OrderUpdate, Page
from venues.models import Account
from venues.services.clients import open_client
from venues.services.instruments import symbols_to_list, traded_symbols
from venues.services.streams import tell_reset

log = logging.getLogger(__name__)
SWEEP_SECONDS = 10.0
BEAT_SECONDS = 3.0
REPLAN_SECONDS = 10.0
RETRY_SECONDS = 2.0
# Venues list a fill a little after it happened; looking back costs nothing, as each is booked once.
LOOK_BACK = timedelta(minutes=2)
FIRST_LOOK_BACK = timedelta(days=2)
PAGE = 250


class Reports:
    """Follows every account that has a key."""

    def __init__(self) -> None:
        self.sweeps: dict[UUID, asyncio.Event] = {}
        self.swept_at: dict[UUID, datetime] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat_forever())
            group.create_task(self._follow_the_plan(group))

    async def _follow_the_plan(self, group: asyncio.TaskGroup) -> None:
        running: dict[UUID, asyncio.Task[None]] = {}
        while True:
            try:
                plan = {
                    account.pk: account for account in await database_sync_to_async(read_plan)()
                }
            except DatabaseError as error:
                log.warning("the accounts cannot be read: %s", error)
            else:
                for gone in running.keys() - plan.keys():
                    running.pop(gone).cancel()
                    self.swept_at.pop(gone, None)
                for new in plan.keys() - running.keys():
                    running[new] = group.create_task(self._follow(plan[new]))
            await asyncio.sleep(REPLAN_SECONDS)

    async def _follow(self, account: Account) -> None:
        """Keep one account's stream and sweep alive; whatever ends them, they start again."""
        while True:
            client: VenueClient | None = None
            try:
                client = await database_sync_to_async(open_client)(account)
                self.sweeps[account.pk] = asyncio.Event()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._sweep_forever(account, client))
                    group.create_task(self._listen(account, client))
            except* (VenueError, DatabaseError, OSError) as errors:
                error = errors.exceptions[0]
                log.warning("reports of %s interrupted: %s", account, error)
                _tell("stream.interrupted", account, f"Reports of {account} interrupted: {error}")
            finally:
                if client is not None:
                    await client.aclose()
            await asyncio.sleep(RETRY_SECONDS)

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
            await self._book(account, await _all_fills(client, query), by="stream")
        await database_sync_to_async(hear)(account=account, heard_order=update.order, by="stream")

    async def _book(self, account: Account, fills: list[Fill], *, by: str) -> None:
        booked = await database_sync_to_async(record)(account=account, fills=fills, by=by)
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
                log.warning("%s could not be swept: %s", account, error)
                _tell("sweep.failed", account, f"{account} could not be swept: {error}")
            try:
                await asyncio.wait_for(asked.wait(), timeout=SWEEP_SECONDS)
            except TimeoutError:
                continue

    async def _sweep(self, account: Account, client: VenueClient) -> None:
        """Read every fill since the mark, then every order that we believe is still working."""
        started = timezone.now()
        since = await database_sync_to_async(read_mark)(account, started)
        symbols = await database_sync_to_async(symbols_to_list)(account)
        fills = await _all_fills(
            client, OrderQuery(symbols=symbols, since=since - LOOK_BACK, limit=PAGE)
        )
        await self._book(account, fills, by="sweep")
        await database_sync_to_async(write_mark)(account, started)
        for wanted in await database_sync_to_async(working)(account):
            try:
                found = await client.get_order(wanted)
            except Rejected as error:
                if error.cause is not Cause.NOT_FOUND:
                    raise
                log.warning("%s no longer knows order %s", account, wanted.client_order_id)
                continue
            await self._take(
                account,
                client,
                OrderUpdate(order=found, is_snapshot=True, received_at=found.received_at),
            )

    async def _beat_forever(self) -> None:
        while True:
            now = timezone.now()
            late = [
                key
                for key, at in self.swept_at.items()
                if now - at > timedelta(seconds=3 * SWEEP_SECONDS)
            ]
            words = f"{len(self.swept_at) - len(late)} of {len(self.sweeps)} accounts up to date"
            try:
                await database_sync_to_async(beat)("reports", words)
            except DatabaseError as error:
                log.warning("the database is away: %s", error)
            await asyncio.sleep(BEAT_SECONDS)


def _tell(kind: str, account: Account, words: str) -> None:
    tell(kind, words, severity=Severity.ATTENTION, labels=_labels(account))


def _labels(account: Account) -> dict[str, str]:
    return {"account": account.name, "venue": account.venue.slug}


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


def read_plan() -> list[Account]:
    """Name the accounts that have a key in use; one that is switched off may still have open orders."""
    return list(
        Account.objects.filter(credentials__retired_at=None)
        .filter(credentials__isnull=False)
        .select_related("venue")
        .distinct()
    )


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
