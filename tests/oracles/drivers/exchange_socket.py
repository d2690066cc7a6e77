"""ccxt.pro watches a book, trades and its own orders until each has moved."""

import asyncio
import json
import sys

from ccxt.pro import coinbaseexchange

asked = json.load(sys.stdin)


async def main():
    venue = coinbaseexchange({**asked["key"], "cafile": asked["bundle"], "enableRateLimit": False})
    venue.urls["api"].update(public=asked["base"], private=asked["base"], ws=asked["socket"])
    try:
        await venue.load_markets()
        async with asyncio.timeout(asked["patience"]):
            book, trades, orders = await asyncio.gather(books(venue), prints(venue), own(venue))
        return {"books": book, "trades": trades, "orders": orders}
    finally:
        await venue.close()


async def books(venue):
    """Take the book as it is first told, and again once it has changed."""
    seen = []
    for _ in range(3):
        book = await venue.watch_order_book("BTC/USD")
        seen.append({"bids": book["bids"][:20], "asks": book["asks"][:20]})
    return seen


async def prints(venue):
    seen = []
    while len(seen) < 2:
        seen += await venue.watch_trades("BTC/USD")
    return seen


async def own(venue):
    """Watch from before there is an order until it is cancelled.

    ccxt does not say when it is subscribed: an order that nobody saw is followed by another.
    """
    seen, is_asked_for = [], False
    watching = asyncio.ensure_future(venue.watch_orders("BTC/USD"))
    while not seen or seen[-1]["status"] != "canceled":
        done, _ = await asyncio.wait({watching}, timeout=1)
        if done:
            seen += [dict(order) for order in watching.result()]
            watching = asyncio.ensure_future(venue.watch_orders("BTC/USD"))
        if not seen:
            await venue.create_order("BTC/USD", "limit", "buy", 0.01, 100)
        elif not is_asked_for:
            is_asked_for = True
            await venue.cancel_order(seen[0]["id"])
    watching.cancel()
    return seen


json.dump(asyncio.run(main()), sys.stdout)
