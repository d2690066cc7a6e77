"""The market-data process: one public client a venue, one assembler a symbol, one publisher.

Books are published as states, at most ten times a second each, latest wins. When Redis is away the
books go on being assembled and are published when it is back; when a stream breaks, its books say
so at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import NamedTuple, cast
from uuid import UUID

import msgspec
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from cqops.platform.live.publish import NUMBER_AND_PUBLISH
from cqops.platform.live.redis import PREFIX, SEQUENCES, async_client
from cqops.platform.telemetry.heartbeats import beat
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from cqops.platform.telemetry.trace import begin
from venues.interface.client import VenueClient
from venues.interface.errors import VenueError
from venues.interface.types import StreamReset, Trade
from venues.live import TRADES_KEPT, tickers_key, trades_key
from venues.marketdata.assembler import Assembler
from venues.models import Venue, VenueSymbol
from venues.services.books import DEPTH, KEEP_SECONDS, BookState, PublishedBook, book_key
from venues.services.clients import open_public_client
from venues.services.reach import look
from venues.services.streams import tell_reset
from venues.services.windows import Rings

log = logging.getLogger(__name__)
PUBLISH_SECONDS = 0.1
PUBLISH_PATIENCE = 3.0
BEAT_SECONDS = 3.0
REPLAN_SECONDS = 10.0
RETRY_SECONDS = 2.0
LOOK_SECONDS = 5.0
WINDOW_SECONDS = 2.0


class Link(NamedTuple):
    """What a stream was opened with. Where any of it changes, it is opened anew."""

    venue: UUID
    slug: str
    adapter: str
    addresses: tuple[str, str]
    symbols: tuple[str, ...]


class Feeds:
    """All streams of this process and what they have brought."""

    def __init__(self) -> None:
        self.books: dict[str, Assembler] = {}
        self.changed: set[str] = set()
        self.trades: dict[str, list[bytes]] = defaultdict(list)
        self.redis = async_client()
        self.is_redis_away = False
        self.told: dict[str, BookState] = {}
        self.rings = Rings()

    async def run(self) -> None:
        """Follow every symbol in force until cancelled; a changed list is followed anew."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish_forever())
            group.create_task(self._beat_forever())
            group.create_task(self._look_forever())
            group.create_task(self._keep_windows_forever())
            group.create_task(self._follow_the_plan(group))

    async def _follow_the_plan(self, group: asyncio.TaskGroup) -> None:
        running: dict[Link, list[asyncio.Task[None]]] = {}
        while True:
            try:
                plan = {_link(*one): one for one in await database_sync_to_async(read_plan)()}
            except DatabaseError as error:
                log.warning("the list of symbols cannot be read: %s", error)
            else:
                for gone in running.keys() - plan.keys():
                    for task in running.pop(gone):
                        task.cancel()
                for new in plan.keys() - running.keys():
                    running[new] = [
                        group.create_task(self._books_of(*plan[new])),
                        group.create_task(self._trades_of(*plan[new])),
                    ]
                await self._forget_all_but(
                    {f"{link.slug}:{symbol}" for link in plan for symbol in link.symbols}
                )
            await asyncio.sleep(REPLAN_SECONDS)

    async def _forget_all_but(self, planned: set[str]) -> None:
        """Take back what is shown of symbols that nobody follows any more, also from before a restart."""
        for name in self.books.keys() - planned:
            del self.books[name]
            self.trades.pop(name, None)
            self.told.pop(name, None)
        try:
            async with asyncio.timeout(PUBLISH_PATIENCE):
                shown = cast(list[bytes], await self.redis.hkeys(tickers_key()))
                if old := {name.decode() for name in shown} - planned:
                    await self.redis.hdel(tickers_key(), *old)
                    await self.redis.delete(*map(book_key, old), *map(trades_key, old))
        except (RedisError, OSError) as error:
            log.warning("symbols that are gone stay shown for now: %s", error)

    async def _books_of(self, venue: Venue, symbols: tuple[str, ...]) -> None:
        names = {symbol: f"{venue.slug}:{symbol}" for symbol in symbols}
        for symbol, name in names.items():
            self.books[name] = Assembler(symbol)
        async for event in self._events(venue, symbols, "books"):
            if isinstance(event, StreamReset):
                tell_reset(f"Books of {venue.name}", event, labels={"venue": venue.slug})
                lost = [names[symbol] for symbol in event.symbols or symbols if symbol in names]
                for name in lost:
                    self.books[name].reset(event.reason)
                    self.changed.add(name)
            elif event.symbol in names:
                self.books[names[event.symbol]].apply(event)
                self.changed.add(names[event.symbol])

    async def _trades_of(self, venue: Venue, symbols: tuple[str, ...]) -> None:
        async for event in self._events(venue, symbols, "trades"):
            if isinstance(event, Trade):
                waiting = self.trades[f"{venue.slug}:{event.symbol}"]
                waiting.append(_trade_json(event))
                # While Redis is away only the newest are worth keeping.
                del waiting[:-TRADES_KEPT]
            elif isinstance(event, StreamReset):
                tell_reset(f"Trades of {venue.name}", event, labels={"venue": venue.slug})

    async def _events(self, venue: Venue, symbols: tuple[str, ...], what: str) -> AsyncIterator:  # type: ignore[type-arg]
        """Yield a stream's events for ever; a client that gives up is opened again."""
        while True:
            client: VenueClient | None = None
            reason = "the stream ended"
            try:
                client = open_public_client(venue, ring=self.rings.of(venue.slug))
                stream = (
                    client.subscribe_order_book(symbols)
                    if what == "books"
                    else client.subscribe_trades(symbols)
                )
                async with aclosing(stream) as events:  # type: ignore[type-var]
                    async for event in events:
                        begin()
                        yield event
            except (VenueError, OSError) as error:
                log.warning("%s of %s interrupted: %s", what, venue, error)
                reason = f"{reason}: {error}"
            except Exception:
                log.exception("%s of %s ended in a way nobody foresaw", what, venue)
                reason = f"{reason} by an error of ours"
            finally:
                if client is not None:
                    await client.aclose()
            yield StreamReset(reason=reason, received_at=datetime.now(UTC))
            await asyncio.sleep(RETRY_SECONDS)

    async def _publish_forever(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_SECONDS)
            begin()
            self._notice_silence()
            if not self.changed and not any(self.trades.values()):
                continue
            try:
                await self._publish()
                if self.is_redis_away:
                    tell("redis.back", "Redis is back: books are published again.")
                self.is_redis_away = False
            except (RedisError, OSError) as error:
                if not self.is_redis_away:
                    log.warning("books are not published for now: %s", error)
                    words = "Redis is away: books are not published for now."
                    tell("redis.away", words, severity=Severity.URGENT)
                self.is_redis_away = True
                await asyncio.sleep(1)

    def _notice_silence(self) -> None:
        now = datetime.now(UTC)
        for name, assembler in self.books.items():
            if assembler.mark_stale(now, after_seconds=settings.BOOK_STALE_SECONDS):
                self.changed.add(name)
            self._tell_state(name, BookState(assembler.state.value), assembler.reason)

    def _tell_state(self, name: str, state: BookState, reason: str) -> None:
        """Tell when a book stops being trusted, and when it is trusted again; not while it syncs."""
        was = self.told.get(name)
        if state is was or state is BookState.SYNCING:
            return
        self.told[name] = state
        if state is BookState.STALE:
            why = "crossed" if reason == "crossed" else "silent"
            words = f"The book of {name} is {why} and prices nothing."
            tell("book.stale", words, severity=Severity.ATTENTION, labels={"book": name})
        elif was is BookState.STALE:
            tell("book.live", f"The book of {name} is live again.", labels={"book": name})

    async def _look_forever(self) -> None:
        while True:
            try:
                await look()
            except DatabaseError as error:
                log.warning("what the venues answer cannot be written down: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_windows_forever(self) -> None:
        """Keep the market around each order, in a thread of its own: it is no reason to beat late."""
        keep = database_sync_to_async(self.rings.round, thread_sensitive=False)
        while True:
            try:
                await keep(now=datetime.now(UTC))
            except (DatabaseError, OSError) as error:
                log.warning("windows of the market wait: %s", error)
            await asyncio.sleep(WINDOW_SECONDS)

    async def _publish(self) -> None:
        names = self.changed & self.books.keys()
        tapes = {name: rows for name, rows in self.trades.items() if name in self.books}
        self.changed, self.trades = set(), defaultdict(list)
        pipe = self.redis.pipeline(transaction=False)
        tickers: dict[str, bytes] = {}
        for name in names:
            book = self._published(name)
            payload = msgspec.json.encode(book)
            pipe.set(book_key(name), payload, ex=KEEP_SECONDS)
            pipe.eval(
                NUMBER_AND_PUBLISH, 2, SEQUENCES, f"{PREFIX}book:{name}", f"book:{name}", payload
            )
            tickers[name] = _ticker_json(name, book)
        if tickers:
            pipe.hset(tickers_key(), items=_flat(tickers))
            payload = b'{"tickers":[' + b",".join(tickers.values()) + b"]}"
            pipe.eval(NUMBER_AND_PUBLISH, 2, SEQUENCES, f"{PREFIX}tickers", "tickers", payload)
        for name, rows in tapes.items():
            pipe.lpush(trades_key(name), *rows)
            pipe.ltrim(trades_key(name), 0, TRADES_KEPT - 1)
            payload = b'{"trades":[' + b",".join(reversed(rows)) + b"]}"
            pipe.eval(
                NUMBER_AND_PUBLISH,
                2,
                SEQUENCES,
                f"{PREFIX}trades:{name}",
                f"trades:{name}",
                payload,
            )
        try:
            async with asyncio.timeout(PUBLISH_PATIENCE):
                await pipe.execute()
        except BaseException:
            self.changed |= names
            for name, rows in tapes.items():
                self.trades[name] = [*rows, *self.trades[name]][-TRADES_KEPT:]
            raise

    def _published(self, name: str) -> PublishedBook:
        assembler = self.books[name]
        top = assembler.book.top(DEPTH)
        return PublishedBook(
            state=BookState(assembler.state.value),
            bids=[(level.price, level.quantity) for level in top.bids],
            asks=[(level.price, level.quantity) for level in top.asks],
            received_at=assembler.received_at or datetime.now(UTC),
            venue_time=assembler.venue_time,
            updates=assembler.updates,
            resyncs=assembler.resyncs,
        )

    def effect(self) -> tuple[str, bool]:
        """Say how many books are live; none, where there should be some, is not well."""
        live = sum(book.state.value == BookState.LIVE for book in self.books.values())
        return f"{live} of {len(self.books)} books live", live > 0 or not self.books

    async def _beat_forever(self) -> None:
        while True:
            words, is_well = self.effect()
            try:
                await database_sync_to_async(beat)("feeds", words, is_well=is_well)
            except DatabaseError as error:
                log.warning("the database is away: %s", error)
            await asyncio.sleep(BEAT_SECONDS)


def read_plan() -> list[tuple[Venue, tuple[str, ...]]]:
    """Which symbols to follow at which venue, in one order every time."""
    by_venue: dict[Venue, list[str]] = defaultdict(list)
    for row in VenueSymbol.objects.current().select_related("venue").order_by("symbol"):
        by_venue[row.venue].append(row.symbol)
    return [(venue, tuple(symbols)) for venue, symbols in by_venue.items()]


def _link(venue: Venue, symbols: tuple[str, ...]) -> Link:
    return Link(venue.pk, venue.slug, venue.adapter, (venue.rest_url, venue.ws_url), symbols)


def _flat(mapping: dict[str, bytes]) -> list[str | bytes]:
    return [part for pair in mapping.items() for part in pair]


def _trade_json(trade: Trade) -> bytes:
    return msgspec.json.encode(
        {
            "id": trade.venue_trade_id,
            "price": str(trade.price),
            "quantity": str(trade.quantity),
            "side": trade.side,
            "time": trade.venue_time,
        }
    )


def _ticker_json(name: str, book: PublishedBook) -> bytes:
    venue, _, symbol = name.partition(":")
    return msgspec.json.encode(
        {
            "venue": venue,
            "symbol": symbol,
            "state": book.state,
            "bid": book.bids[0][0] if book.bids else None,
            "ask": book.asks[0][0] if book.asks else None,
            "received_at": book.received_at,
        }
    )
