"""ccxt makes, reads, lists and cancels orders, and reads what became of the money."""

import asyncio
import json
import sys

from ccxt.async_support import coinbaseexchange

asked = json.load(sys.stdin)
CLIENT_ID = "11111111-2222-4333-8444-555555555555"


async def main():
    venue = coinbaseexchange({**asked["key"], "cafile": asked["bundle"], "enableRateLimit": False})
    venue.urls["api"]["public"] = venue.urls["api"]["private"] = asked["base"]
    try:
        return await trade(venue)
    finally:
        await venue.close()


async def trade(venue):
    seen = {"markets": await venue.load_markets(), "time": await venue.fetch_time()}
    seen["book"] = await venue.fetch_order_book("BTC/USD")
    seen["before"] = await venue.fetch_balance()
    resting = await venue.create_order(
        "BTC/USD", "limit", "buy", 0.01, 100, {"clientOrderId": CLIENT_ID, "postOnly": True}
    )
    seen["resting"] = resting
    seen["found"] = await venue.fetch_order(resting["id"])
    seen["by_client_id"] = await venue.fetch_order(None, None, {"clientOrderId": CLIENT_ID})
    seen["open"] = await venue.fetch_open_orders("BTC/USD")
    seen["held"] = await venue.fetch_balance()
    await venue.cancel_order(resting["id"])
    seen["still_open"] = await venue.fetch_open_orders("BTC/USD")
    taken = await venue.create_order("BTC/USD", "market", "buy", 0.02)
    seen["taken"] = await venue.fetch_order(taken["id"])
    seen["fills"] = await venue.fetch_my_trades("BTC/USD")
    seen["after"] = await venue.fetch_balance()
    seen["refused"] = {}
    for name, call in {
        "too_dear": lambda: venue.create_order("BTC/USD", "limit", "buy", 9000, 20000),
        "gone": lambda: venue.fetch_order(resting["id"]),
        "done": lambda: venue.cancel_order(taken["id"]),
        "stranger": venue.fetch_balance,
    }.items():
        if name == "stranger":
            venue.password = "not this one"
        try:
            await call()
        except Exception as error:  # noqa: BLE001 -- which kind it is, is the answer
            seen["refused"][name] = type(error).__name__
    return seen


json.dump(asyncio.run(main()), sys.stdout)
