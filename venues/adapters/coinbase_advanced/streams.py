"""What a feed's envelopes say, as the events of the interface.

Book heartbeats become empty updates: proof that the connection lives and nothing changed, so a
quiet book does not look like a stale one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.feed import HEARTBEATS, USER, Feed
from venues.adapters.coinbase_advanced.market import read_level2, read_trade
from venues.adapters.coinbase_advanced.normalizer import (
    STATUSES,
    Unreadable,
    decode,
    list_of,
    moment,
    read_user_order,
)
from venues.adapters.contract import Surroundings
from venues.interface.types import BookEvent, BookEventKind, OrderUpdate, StreamReset, Trade

# Which of the symbols a listener asked for one product id on the wire stands for.
Listeners = Mapping[str, Sequence[str]]

_LEVEL2_EVENTS = list_of(wire.Level2Event)
_TRADES_EVENTS = list_of(wire.TradesEvent)
_USER_EVENTS = list_of(wire.UserEvent)


async def books(
    feed: Feed, listeners: Listeners, around: Surroundings
) -> AsyncGenerator[BookEvent | StreamReset, None]:
    async with aclosing(feed.envelopes()) as envelopes:
        async for item in envelopes:
            if isinstance(item, StreamReset):
                yield item
                continue
            try:
                events = read_books(item, listeners, around)
            except Unreadable as error:
                around.on_drift("unreadable book", str(error))
                yield feed.restart(f"unreadable book: {error}")
                continue
            for event in events:
                yield event


def read_books(
    envelope: wire.Envelope, listeners: Listeners, around: Surroundings
) -> list[BookEvent]:
    received_at = around.now()
    if envelope.channel == HEARTBEATS:
        return [
            BookEvent(
                symbol=symbol,
                kind=BookEventKind.UPDATE,
                changes=(),
                sequence=envelope.sequence_num,
                venue_time=moment(envelope.timestamp),
                received_at=received_at,
            )
            for symbols in listeners.values()
            for symbol in symbols
        ]
    if envelope.channel != "l2_data":
        return []
    said: list[wire.Level2Event] = decode(envelope.events, _LEVEL2_EVENTS)
    return [
        read_level2(event, symbol, envelope, received_at)
        for event in said
        for symbol in listeners.get(event.product_id, ())
    ]


async def trades(
    feed: Feed, listeners: Listeners, around: Surroundings
) -> AsyncGenerator[Trade | StreamReset, None]:
    async with aclosing(feed.envelopes()) as envelopes:
        async for item in envelopes:
            if isinstance(item, StreamReset):
                yield item
                continue
            try:
                events = read_trades(item, listeners, around)
            except Unreadable as error:
                around.on_drift("unreadable trade", str(error))
                yield feed.restart(f"unreadable trade: {error}")
                continue
            for event in events:
                yield event


def read_trades(envelope: wire.Envelope, listeners: Listeners, around: Surroundings) -> list[Trade]:
    """Read one batch, oldest first, whichever way the venue sorted it."""
    if envelope.channel != "market_trades":
        return []
    received_at = around.now()
    said: list[wire.TradesEvent] = decode(envelope.events, _TRADES_EVENTS)
    found = [
        read_trade(trade, symbol, received_at)
        for event in said
        for trade in event.trades
        for symbol in listeners.get(trade.product_id, ())
    ]
    return sorted(found, key=lambda trade: trade.venue_time)


async def executions(
    feed: Feed, around: Surroundings
) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
    async with aclosing(feed.envelopes()) as envelopes:
        async for item in envelopes:
            if isinstance(item, StreamReset):
                yield item
                continue
            try:
                updates = read_executions(item, around)
            except Unreadable as error:
                around.on_drift("unreadable order update", str(error))
                yield feed.restart(f"unreadable order update: {error}")
                continue
            for update in updates:
                yield update


def read_executions(envelope: wire.Envelope, around: Surroundings) -> list[OrderUpdate]:
    if envelope.channel != USER:
        return []
    received_at = around.now()
    said: list[wire.UserEvent] = decode(envelope.events, _USER_EVENTS)
    updates = [
        OrderUpdate(
            order=read_user_order(order, received_at),
            is_snapshot=event.type == "snapshot",
            received_at=received_at,
        )
        for event in said
        for order in event.orders or ()
    ]
    for update in updates:
        status = str(update.order.raw.get("status"))
        if status not in STATUSES:
            around.on_drift("unknown order status", status[:80])
    return updates
