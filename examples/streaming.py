"""Follow a book, the trades and one's own orders for some seconds.

    python -m examples.streaming coinbase_advanced --seconds 10

Streams reconnect by themselves and say so by a `StreamReset`: what was known before it is no longer
certain. An `Assembler` keeps a book by that rule. An order is placed meanwhile, so that there is
something to see of one's own.
"""

from __future__ import annotations

import argparse
import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal

from examples.own_simulator import SIMULATED, simulated_account
from venues.interface.client import StreamsExecutions, VenueClient
from venues.interface.types import (
    Fill,
    OrderRequest,
    OrderType,
    OrderUpdate,
    Side,
    StreamReset,
    Trade,
)
from venues.marketdata.assembler import Assembler

SYMBOL = "BTC-USD"


async def follow_book(client: VenueClient, seen: Counter[str]) -> None:
    book = Assembler(SYMBOL)
    async for event in client.subscribe_order_book([SYMBOL]):
        if isinstance(event, StreamReset):
            book.reset(event.reason)
        elif book.apply(event):
            seen["book"] += 1
            if seen["book"] == 1 and (top := book.snapshot(1)):
                print(f"book: {top.bids[0].price} bid, {top.asks[0].price} asked")


async def follow_trades(client: VenueClient, seen: Counter[str]) -> None:
    async for event in client.subscribe_trades([SYMBOL]):
        if isinstance(event, Trade):
            seen["trades"] += 1
            print(f"trade: {event.side} {event.quantity} at {event.price}")


async def follow_own_orders(
    client: StreamsExecutions, seen: Counter[str], is_following: asyncio.Event
) -> None:
    reports: AsyncIterator[OrderUpdate | Fill | StreamReset] = client.subscribe_executions([SYMBOL])
    async for report in reports:
        if isinstance(report, StreamReset):
            # "subscribed" is the moment from which nothing is missed.
            print(f"own orders: {report.reason}; whoever keeps orders reads them again now")
            if report.reason == "subscribed":
                is_following.set()
            continue
        seen["executions"] += 1
        if isinstance(report, OrderUpdate):
            print(f"own order: {report.order.status}, {report.order.filled_quantity} filled")


async def buy_a_little(client: VenueClient, is_following: asyncio.Event) -> None:
    await is_following.wait()
    request = OrderRequest(
        client_order_id=str(uuid.uuid4()),
        symbol=SYMBOL,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.01"),
    )
    await client.place_order(request)


async def main(slug: str, seconds: float) -> Counter[str]:
    seen: Counter[str] = Counter()
    is_following = asyncio.Event()
    async with simulated_account(slug) as client:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(follow_book(client, seen))
                tasks.create_task(follow_trades(client, seen))
                if isinstance(client, StreamsExecutions):
                    tasks.create_task(follow_own_orders(client, seen, is_following))
                    tasks.create_task(buy_a_little(client, is_following))
    print(f"seen in {seconds:g} s: {dict(seen)}")
    return seen


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Streams of a simulated venue.")
    parser.add_argument("venue", nargs="?", default="coinbase_exchange", choices=sorted(SIMULATED))
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    asyncio.run(main(given.venue, given.seconds))
