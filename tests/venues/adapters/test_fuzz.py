"""Mutated messages: refused in one way, never a crash, and the stream goes on."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from venues.adapters.coinbase_advanced import orders, wire
from venues.adapters.coinbase_advanced.feed import Books, Executions, Trades
from venues.adapters.coinbase_advanced.normalizer import (
    read_balances,
    read_book,
    read_fill,
    read_instrument,
    read_order,
)
from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import Unreadable, decode, unix_time
from venues.adapters.kit.stream import Follower
from venues.interface.types import BookEvent, StreamReset

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AROUND = Surroundings(now=lambda: NOW)
LISTENERS = {"BTC-USD": ["BTC-USD"]}
ROUNDS = 3000
LEVEL = {"side": "bid", "price_level": "21921.73", "new_quantity": "0.5", "event_time": "x"}
TRADE = {
    "trade_id": "1",
    "product_id": "BTC-USD",
    "price": "2375.56",
    "size": "0.5",
    "side": "BUY",
    "time": "2024-10-04T07:13:31.088388Z",
}
USER = {
    "order_id": "Y",
    "client_order_id": "X",
    "product_id": "BTC-USD",
    "order_side": "BUY",
    "order_type": "Limit",
    "status": "OPEN",
    "cumulative_quantity": "0",
    "leaves_quantity": "0.01",
    "avg_price": "0",
    "creation_time": "2024-06-21T18:29:13.909347Z",
}
ORDER = {
    "order_id": "1",
    "product_id": "BTC-USD",
    "order_configuration": {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "1"}},
    "side": "BUY",
    "status": "OPEN",
    "created_time": "2024-06-21T18:29:13.909347Z",
    "filled_size": "0.0005",
}
FILL = {
    "entry_id": "1",
    "order_id": "1",
    "product_id": "BTC-USD",
    "side": "BUY",
    "price": "1.5",
    "size": "2",
    "trade_time": "2021-05-31T09:59:59Z",
    "commission": "1.25",
}
PRODUCT = {
    "product_id": "BTC-USD",
    "base_increment": "0.1",
    "quote_increment": "0.1",
    "base_min_size": "1",
}


def message(channel: str, event: object) -> dict[str, Any]:
    at = "2023-02-09T20:32:50.714964855Z"
    return {"channel": channel, "timestamp": at, "sequence_num": 7, "events": [event]}


def read_message(frame: bytes) -> None:
    envelope = decode(frame, wire.Envelope)
    for kind in (Books, Trades, Executions):
        list(kind(LISTENERS, signer=None, around=AROUND).events(envelope))


def read_orders(body: bytes) -> None:
    for one in decode(body, wire.Orders).orders:
        read_order(one, NOW)


def read_fills(body: bytes) -> None:
    for one in decode(body, wire.Fills).fills:
        read_fill(one, NOW)


def read_products(body: bytes) -> None:
    for one in decode(body, wire.Products).products:
        read_instrument(one)


CASES = {
    "level2": (
        message("l2_data", {"type": "update", "product_id": "BTC-USD", "updates": [LEVEL, LEVEL]}),
        read_message,
    ),
    "trades": (message("market_trades", {"type": "update", "trades": [TRADE]}), read_message),
    "user": (message("user", {"type": "update", "orders": [USER]}), read_message),
    "heartbeats": (message("heartbeats", {"heartbeat_counter": 1}), read_message),
    "orders": ({"orders": [ORDER], "has_next": False, "cursor": ""}, read_orders),
    "fills": ({"fills": [FILL], "cursor": ""}, read_fills),
    "accounts": (
        {"accounts": [{"currency": "BTC", "available_balance": {"value": "1"}, "hold": None}]},
        lambda body: read_balances(decode(body, wire.Accounts).accounts, NOW),
    ),
    "book": (
        {"pricebook": {"bids": [{"price": "1", "size": "1"}], "asks": [], "time": "x"}},
        lambda body: read_book("X", decode(body, wire.OneBook).pricebook, NOW),
    ),
    "products": ({"products": [PRODUCT]}, read_products),
    "time": (
        {"epochMillis": "1709005034333"},
        lambda body: unix_time(decode(body, wire.ServerTime).epochMillis),
    ),
    "created": (
        {"success": True, "success_response": {"order_id": "1"}},
        lambda body: decode(body, wire.Created),
    ),
}
POISON = (
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "NaN",
    "-Infinity",
    "1e400",
    "-0",
    "9" * 5000,
    "\ud800",
    "\uff10\uff11\uff12",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999-23:59",
    [],
    {},
    [[[[]]]],
)


def mutate_value(dice: random.Random, value: Any) -> Any:
    """Replace one thing somewhere inside by poison."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        if dice.random() < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: mutate_value(dice, value[key])}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], mutate_value(dice, value[at]), *value[at + 1 :]]
    return dice.choice(POISON)


def mutate_bytes(dice: random.Random, body: bytes) -> bytes:
    broken = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(broken))
        kind = dice.randrange(4)
        if kind == 0:
            broken[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del broken[at:]
        elif kind == 2:
            broken[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 5)))
        else:
            broken[at:at] = b"[" * dice.choice([1, 2000])
        if not broken:
            return b""
    return bytes(broken)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_mutated_message_is_read_or_refused_and_nothing_else(name):
    value, read = CASES[name]
    dice = random.Random(name)  # noqa: S311
    refused = 0
    for number in range(ROUNDS):
        if number % 2:
            body = json.dumps(mutate_value(dice, value)).encode()
        else:
            body = mutate_bytes(dice, json.dumps(value).encode())
        try:
            read(body)
        except Unreadable:
            refused += 1
    assert 0 < refused < ROUNDS


def test_a_mutated_error_body_is_always_read():
    dice = random.Random(1)  # noqa: S311
    value = {"error": "X", "message": "m", "errors": [{"id": "a", "message": "b"}]}
    for number in range(ROUNDS):
        body = (
            json.dumps(mutate_value(dice, value)).encode()
            if number % 2
            else mutate_bytes(dice, json.dumps(value).encode())
        )
        orders.read_refusal(400, body)


async def test_a_feed_turns_every_broken_frame_into_a_reset():
    dice = random.Random(2)  # noqa: S311
    dialect = Books(LISTENERS, signer=None, around=AROUND)
    dialect.begin()
    follower = Follower("ws://127.0.0.1:1", dialect)
    value, _ = CASES["level2"]
    for number in range(ROUNDS):
        frame = mutate_bytes(dice, msgspec.json.encode({**value, "sequence_num": number}))
        for item in await follower.take(frame):
            assert isinstance(item, BookEvent | StreamReset)
