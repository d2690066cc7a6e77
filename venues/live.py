"""The live channels of the market-data side."""

from __future__ import annotations

from typing import cast

from cqops.platform.access.policy import Action
from cqops.platform.live.channels import Channel, Keep
from cqops.platform.live.redis import async_client
from venues.services.books import book_key

TRADES_KEPT = 30


def tickers_key() -> str:
    return "tickers"


def trades_key(name: str) -> str:
    return f"trades:{name}"


async def _book(channel: str) -> bytes | None:
    return await _stored(book_key(channel.partition(":")[2]))


async def _stored(key: str) -> bytes | None:
    redis = async_client()
    try:
        return cast(bytes | None, await redis.get(key))
    finally:
        await redis.aclose()


async def _trades(channel: str) -> bytes | None:
    redis = async_client()
    try:
        rows = cast(
            list[bytes],
            await redis.lrange(trades_key(channel.partition(":")[2]), 0, TRADES_KEPT - 1),
        )
    finally:
        await redis.aclose()
    return b'{"trades":[' + b",".join(rows) + b"]}" if rows else None


async def _tickers(_channel: str) -> bytes | None:
    redis = async_client()
    try:
        rows = cast(list[bytes], await redis.hvals(tickers_key()))
    finally:
        await redis.aclose()
    return b'{"tickers":[' + b",".join(rows) + b"]}" if rows else None


book_channel = Channel(action=Action.MARKET_VIEW, keep=Keep.LATEST, snapshot=_book)
trades_channel = Channel(action=Action.MARKET_VIEW, keep=Keep.ALL, snapshot=_trades)
tickers_channel = Channel(action=Action.MARKET_VIEW, keep=Keep.LATEST, snapshot=_tickers)
