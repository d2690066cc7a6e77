"""Health, instruments, balances; then an order is placed, looked up and cancelled.

    python -m examples.simple coinbase_exchange

It starts a simulated venue of its own, and needs neither Django nor a database nor Redis: the venue
library is plain Python. What it does is the same at every venue.
"""

from __future__ import annotations

import argparse
import asyncio
import uuid
from decimal import Decimal

from examples.own_simulator import SIMULATED, simulated_account
from venues.interface.client import ListsInstruments, VenueClient
from venues.interface.types import OrderRef, OrderRequest, OrderType, Side, TimeInForce

SYMBOL = "BTC-USD"


async def look_around(client: VenueClient) -> None:
    health = await client.health()
    print(f"health: {'up' if health.is_up else health.message}")
    # What only some venues can do is a small protocol of its own.
    if isinstance(client, ListsInstruments):
        instruments = await client.get_instruments()
        print(f"instruments: {', '.join(one.symbol for one in instruments)}")
    for balance in await client.get_balance():
        print(f"balance: {balance.currency} {balance.available:f} free, {balance.held:f} held")


async def trade(client: VenueClient) -> None:
    """Place an order far below the market, so that it rests, and take it back."""
    book = await client.get_order_book(SYMBOL, 1)
    request = OrderRequest(
        client_order_id=str(uuid.uuid4()),
        symbol=SYMBOL,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal("0.01"),
        limit_price=(book.bids[0].price * Decimal("0.8")).quantize(Decimal(1)),
        time_in_force=TimeInForce.GTC,
        post_only=True,
    )
    placed = await client.place_order(request)
    print(f"placed: {placed.side} {placed.quantity} {placed.symbol} at {placed.limit_price}")
    # Our own id is known before the order is sent, so it finds the order even after a lost answer.
    found = await client.get_order(OrderRef(symbol=SYMBOL, client_order_id=request.client_order_id))
    print(f"looked up: {found.status}, {found.filled_quantity:f} filled")
    ref = OrderRef(
        symbol=SYMBOL,
        client_order_id=request.client_order_id,
        venue_order_id=placed.venue_order_id,
        side=request.side,
    )
    answer = await client.cancel_order(ref)
    ended = await client.get_order(ref)
    print(f"cancel {'taken' if answer.is_accepted else 'refused'}: now {ended.status}")


async def main(slug: str) -> None:
    async with simulated_account(slug) as client:
        await look_around(client)
        await trade(client)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A first order at a simulated venue.")
    parser.add_argument("venue", nargs="?", default="coinbase_exchange", choices=sorted(SIMULATED))
    asyncio.run(main(parser.parse_args().venue))
