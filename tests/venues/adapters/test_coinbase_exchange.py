"""What only Coinbase Exchange does: labels for ids, forgotten orders, ends by the hour."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from tests.venues.adapters.conformance.stage import OTHER, SYMBOL, Desk, Tape, ref, staged
from venues.adapters.coinbase_exchange.feed import Trades
from venues.adapters.coinbase_exchange.orders import order_body, read_refusal
from venues.adapters.coinbase_exchange.signer import ExchangeAuth
from venues.adapters.contract import ApiKey, Surroundings
from venues.adapters.kit.stream import Follower
from venues.interface.errors import Cause, NotSent, Rejected, Unsupported
from venues.interface.types import (
    OrderQuery,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StreamReset,
    TimeInForce,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = base64.b64encode(hashlib.sha512(b"dummy exchange secret - not a secret").digest()).decode()
KEY = ApiKey("0123456789abcdef0123456789abcdef", SECRET, {"passphrase": "dummy-passphrase"})
LIMIT = OrderRequest(
    client_order_id="11111111-2222-4333-8444-555555555555",
    symbol="BTC-USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal("0.01"),
    limit_price=Decimal(50000),
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with staged("coinbase_exchange", tmp_path) as desk:
        yield desk


# The sheet's vectors


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        (
            "GET",
            "/orders?status=open&limit=100",
            b"",
            "CXLKt/ZIosGtZPrVrYMO4wlJdLzDaqht03bDjGI2EGk=",
        ),
        (
            "POST",
            "/orders",
            b'{"type":"limit","side":"buy","product_id":"BTC-USD","price":"50000.00","size":"0.01",'
            b'"time_in_force":"GTC","post_only":true,'
            b'"client_oid":"11111111-2222-4333-8444-555555555555"}',
            "bRJsNSzwzcDtXc3Tx6k6kBUAzWoqfuTRn0kLHY8aECQ=",
        ),
        (
            "DELETE",
            "/orders/a9625b04-fc66-4999-a876-543c3684d702",
            b"",
            "Xw9IQLrVwuQuhRljAiuTQse42Fk2j7HBWfluEXEgwOc=",
        ),
    ],
)
def test_a_request_is_signed_as_the_sheet_says(method, target, body, signature):
    request = httpx.Request(method, f"https://api.exchange.coinbase.com{target}", content=body)
    signed = next(ExchangeAuth(KEY, lambda: 1735689600).auth_flow(request))

    assert signed.headers["CB-ACCESS-SIGN"] == signature
    assert signed.headers["CB-ACCESS-KEY"] == KEY.key_id
    assert signed.headers["CB-ACCESS-TIMESTAMP"] == "1735689600"
    assert signed.headers["CB-ACCESS-PASSPHRASE"] == "dummy-passphrase"


def test_a_subscription_is_signed_as_the_sheet_says():
    signed = ExchangeAuth(KEY, lambda: 1735689600).subscription()

    assert signed["signature"] == "w3h1mBDtAircyFJfRln4ZkJOqxHIJAVnpVFGwFBpxqc="


def test_a_secret_that_is_no_base64_is_refused_before_anything_is_sent():
    with pytest.raises(NotSent) as refused:
        ExchangeAuth(ApiKey("k", "not base64!"), lambda: 0)
    assert refused.value.cause is Cause.AUTH


# Orders


@pytest.mark.parametrize("bad", ["c1", "11111111-2222-1333-8444-555555555555", "A" * 36])
def test_an_id_the_venue_would_drop_is_never_sent(bad):
    with pytest.raises(NotSent, match="UUIDv4"):
        order_body(replace(LIMIT, client_order_id=bad), NOW)


@pytest.mark.parametrize(
    ("span", "word"),
    [(timedelta(minutes=1), "min"), (timedelta(hours=1), "hour"), (timedelta(days=1), "day")],
)
def test_an_end_is_a_minute_an_hour_or_a_day_away(span, word):
    request = replace(LIMIT, time_in_force=TimeInForce.GTD, expires_at=NOW + span)

    body = order_body(request, NOW)

    assert (body["time_in_force"], body["cancel_after"]) == ("GTT", word)
    with pytest.raises(Unsupported, match="a minute, an hour or a day"):
        order_body(replace(request, expires_at=NOW + span + timedelta(seconds=20)), NOW)


def test_a_stop_says_which_way_it_goes_off():
    stop = replace(LIMIT, order_type=OrderType.STOP_LIMIT, stop_price=Decimal(51000))

    assert order_body(stop, NOW)["stop"] == "entry"
    assert order_body(replace(stop, side=Side.SELL), NOW)["stop"] == "loss"


async def test_one_client_id_sent_twice_is_two_orders(desk: Desk):
    request = desk.limit()
    first = await desk.client.place_order(request)
    again = await desk.client.place_order(request)

    assert first.venue_order_id != again.venue_order_id
    assert len(desk.exchange.orders) == 2


async def test_an_order_the_venue_forgot_is_cancelled_only_when_it_once_named_it(desk: Desk):
    placed = await desk.client.place_order(request := desk.limit())
    await desk.client.cancel_order(ref(request, placed.venue_order_id))

    known = await desk.client.get_order(ref(request, placed.venue_order_id))
    assert (known.status, known.side) == (OrderStatus.CANCELLED, Side.BUY)
    with pytest.raises(Rejected) as refused:
        await desk.client.get_order(ref(request))
    assert refused.value.cause is Cause.NOT_FOUND


async def test_fills_need_an_order_or_symbols(desk: Desk):
    with pytest.raises(NotSent, match="name the symbols"):
        await desk.client.get_fills(OrderQuery())


async def test_fills_of_several_symbols_are_one_listing(desk: Desk):
    for symbol in (SYMBOL, OTHER):
        for _ in range(3):
            await desk.client.place_order(desk.market(symbol=symbol, quantity=Decimal("0.01")))

    found = await desk.fills(limit=2, symbols=(OTHER, SYMBOL))

    assert [one.symbol for one in found] == [OTHER] * 3 + [SYMBOL] * 3
    assert len({one.venue_execution_id for one in found}) == 6


# What it says


@pytest.mark.parametrize(
    ("sentence", "cause"),
    [
        ("Insufficient funds", Cause.INSUFFICIENT_FUNDS),
        ("invalid signature", Cause.AUTH),
        ("Invalid Passphrase", Cause.AUTH),
        ("NotFound", Cause.NOT_FOUND),
        ("Order already done", Cause.NOT_FOUND),
        ("Cancel only mode", Cause.TEMPORARY),
        ("Trading pair not available", Cause.PERMANENT),
        ("Private rate limit exceeded", Cause.RATE_LIMITED),
        ("price too precise", Cause.INVALID),
        ("something nobody ever heard", Cause.INVALID),
    ],
)
def test_a_sentence_has_a_cause(sentence, cause):
    assert read_refusal(400, json.dumps({"message": sentence}).encode()).cause is cause


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[]", b'{"message":null}', b"\xff"])
def test_a_body_that_is_no_sentence_is_read_all_the_same(body):
    assert read_refusal(502, body).message


async def test_trades_behind_the_heartbeat_twice_are_missing():
    dialect = Trades(["BTC-USD"], Surroundings(now=lambda: NOW))
    dialect.begin()
    follower = Follower("ws://127.0.0.1:1", dialect)

    async def read(message: dict[str, object]) -> list[str]:
        items = await follower.take(json.dumps(message).encode())
        return [i.reason if isinstance(i, StreamReset) else i.venue_trade_id for i in items]

    beat = {"type": "heartbeat", "product_id": "BTC-USD", "last_trade_id": 12}
    match = {
        "type": "match",
        "product_id": "BTC-USD",
        "trade_id": 10,
        "price": "1",
        "size": "1",
        "side": "buy",
        "time": "2026-01-01T00:00:00Z",
    }
    assert await read(match) == ["10"]
    assert await read(beat) == []
    assert await read(beat) == ["trades of BTC-USD missing up to 12"]
    assert await read({**match, "trade_id": 13}) == ["13"]
    assert await read({**match, "trade_id": 13}) == []
    assert await read({**match, "trade_id": 15}) == [
        "trades of BTC-USD missing: 15 after 13",
        "15",
    ]


async def test_an_execution_is_read_before_it_is_told(desk: Desk):
    tape = Tape(desk.client.subscribe_executions([SYMBOL]))
    await tape.until(lambda items: tape.resets)
    await desk.listening("user")
    await desk.client.place_order(desk.market(quantity=Decimal(3)))
    await tape.until(
        lambda items: any(
            getattr(i, "order", None) and i.order.status is OrderStatus.FILLED for i in items
        )
    )
    await tape.close()

    last = next(i for i in reversed(tape.items) if not isinstance(i, StreamReset))
    assert last.order.filled_quantity == 3
    assert last.order.fees > 0
