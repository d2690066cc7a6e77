from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.feed import Books, Executions, Trades
from venues.adapters.coinbase_advanced.normalizer import (
    read_balances,
    read_book,
    read_fill,
    read_instrument,
    read_order,
    status_of,
)
from venues.adapters.contract import Surroundings
from venues.adapters.kit.channels import Envelope
from venues.adapters.kit.reading import Answer, Unreadable, decode, inside, moment, unix_time
from venues.interface.types import (
    BookEventKind,
    BookSide,
    Fill,
    LevelChange,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
)
from venues.marketdata.book import OrderBook

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AROUND = Surroundings(now=lambda: NOW)


def read_books(message, listeners, around=AROUND):
    return list(Books(listeners, signer=None, around=around).events(message, b""))


def read_trades(message, listeners, around=AROUND):
    return list(Trades(listeners, signer=None, around=around).events(message, b""))


def read_executions(message, around=AROUND):
    return list(Executions({}, signer=None, around=around).events(message, b""))


RECORDED = os.environ.get("CQOPS_RECORDED", "")
needs_recordings = pytest.mark.skipif(not RECORDED, reason="CQOPS_RECORDED is not set")

ORDER = {
    "order_id": "0000-000000-000000",
    "product_id": "BTC-USD",
    "order_configuration": {
        "limit_limit_gtc": {"base_size": "0.001", "limit_price": "10000.00", "post_only": False}
    },
    "side": "BUY",
    "client_order_id": "11111-000000-000000",
    "status": "OPEN",
    "created_time": "2024-06-21T18:29:13.909347Z",
    "filled_size": "0.0005",
    "average_filled_price": "10000",
    "filled_value": "5",
    "pending_cancel": False,
    "total_fees": "0.03",
    "order_type": "LIMIT",
    "reject_reason": "REJECT_REASON_UNSPECIFIED",
    "something_new": {"deep": [1, 2, 3]},
}
FILL = {
    "entry_id": "2222-2222",
    "trade_id": "1111-11111",
    "order_id": "0000-0",
    "trade_time": "2021-05-31T09:59:59Z",
    "trade_type": "FILL",
    "price": "10000.00",
    "size": "0.001",
    "commission": "1.25",
    "product_id": "BTC-USD",
    "liquidity_indicator": "MAKER",
    "size_in_quote": False,
    "side": "BUY",
}


def order_in(value: object) -> Order:
    answer = json.dumps({"order": value}).encode()
    said = decode(answer, inside("order", wire.Order)).found
    return read_order(said, Answer(answer).part("order"), NOW)


def fill_in(value: object) -> Fill | None:
    answer = json.dumps(value).encode()
    return read_fill(decode(answer, wire.Fill), Answer(answer).part(), NOW)


def envelope(value: object) -> Envelope:
    message: Envelope = wire.MESSAGES.read(json.dumps(value).encode())
    return message


def test_an_order_is_read_with_all_it_says():
    order = order_in(ORDER)

    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.order_type is OrderType.LIMIT
    assert (order.quantity, order.notional) == (Decimal("0.001"), None)
    assert (order.filled_quantity, order.filled_value) == (Decimal("0.0005"), Decimal(5))
    assert (order.fees, order.average_price) == (Decimal("0.03"), Decimal(10000))
    assert order.created_at == datetime(2024, 6, 21, 18, 29, 13, 909347, tzinfo=UTC)
    assert order.reason == ""
    assert order.raw["something_new"] == {"deep": [1, 2, 3]}


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("PENDING", 0, OrderStatus.PENDING),
        ("QUEUED", 0, OrderStatus.PENDING),
        ("OPEN", 0, OrderStatus.ACKNOWLEDGED),
        ("OPEN", 1, OrderStatus.PARTIALLY_FILLED),
        ("CANCEL_QUEUED", 0, OrderStatus.ACKNOWLEDGED),
        ("CANCEL_QUEUED", 1, OrderStatus.PARTIALLY_FILLED),
        ("EDIT_QUEUED", 1, OrderStatus.PARTIALLY_FILLED),
        ("FILLED", 1, OrderStatus.FILLED),
        ("CANCELLED", 1, OrderStatus.CANCELLED),
        ("EXPIRED", 0, OrderStatus.EXPIRED),
        ("FAILED", 0, OrderStatus.REJECTED),
        ("UNKNOWN_ORDER_STATUS", 0, OrderStatus.UNKNOWN),
        ("BRAND_NEW", 1, OrderStatus.UNKNOWN),
    ],
)
def test_each_status_has_one_meaning(status, filled, expected):
    assert status_of(status, Decimal(filled)) is expected


@pytest.mark.parametrize("change", [{"pending_cancel": True}, {"status": "CANCEL_QUEUED"}])
def test_a_cancel_under_way_is_told_beside_the_status(change):
    assert order_in({**ORDER, **change}).is_cancel_pending


def test_an_order_of_the_barest_kind_is_still_an_order():
    bare = {"order_id": "1", "product_id": "BTC-USD", "side": "SELL", "status": "OPEN"}

    order = order_in(bare)

    assert (order.side, order.filled_quantity, order.average_price) == (Side.SELL, 0, None)


@pytest.mark.parametrize(
    "change",
    [
        {"side": "BOTH"},
        {"filled_size": "NaN"},
        {"filled_size": "Infinity"},
        {"filled_size": "1e400"},
        {"filled_size": 0.1},
        {"created_time": "yesterday"},
        {"order_id": None},
    ],
)
def test_an_order_that_makes_no_sense_is_unreadable(change):
    with pytest.raises(Unreadable):
        order_in({**ORDER, **change})


def test_a_fill_is_read():
    fill = fill_in(FILL)

    assert fill is not None
    assert (fill.venue_execution_id, fill.liquidity) == ("2222-2222", Liquidity.MAKER)
    assert (fill.price, fill.quantity, fill.fee) == (10000, Decimal("0.001"), Decimal("1.25"))
    assert fill.fee_currency == "USD"


def test_a_fill_sized_in_quote_is_turned_into_base():
    fill = fill_in({**FILL, "size": "25", "size_in_quote": True})

    assert fill is not None
    assert fill.quantity == Decimal("0.0025")


def test_a_correction_is_not_a_fill():
    assert fill_in({**FILL, "trade_type": "CORRECTION"}) is None


def test_wallets_of_one_currency_add_up():
    accounts = decode(
        json.dumps(
            {
                "accounts": [
                    {
                        "currency": "BTC",
                        "available_balance": {"value": "1.23", "currency": "BTC"},
                        "hold": {"value": "0.10", "currency": "BTC"},
                    },
                    {
                        "currency": "BTC",
                        "available_balance": {"value": "0.77", "currency": "BTC"},
                        "hold": None,
                    },
                ]
            }
        ).encode(),
        wire.Accounts,
    ).items

    (balance,) = read_balances(accounts, NOW)

    assert (balance.available, balance.held, balance.total) == (2, Decimal("0.1"), Decimal("2.1"))


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2024-06-21T18:29:13Z", 0),
        ("2024-06-21T18:29:13.9Z", 900000),
        ("2024-06-21T18:29:13.909347Z", 909347),
        ("2024-06-21T18:29:13.909347123Z", 909347),
    ],
)
def test_times_have_up_to_nine_digits(text, microsecond):
    read = moment(text)

    assert read is not None
    assert read.microsecond == microsecond
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("") is None


def test_a_book_message_keeps_the_wires_text_and_turns_offer_into_ask():
    message = envelope(
        {
            "channel": "l2_data",
            "timestamp": "2023-02-09T20:32:50.714964855Z",
            "sequence_num": 7,
            "events": [
                {
                    "type": "snapshot",
                    "product_id": "BTC-USD",
                    "updates": [
                        {"side": "bid", "price_level": "21921.73", "new_quantity": "0.06317902"},
                        {"side": "offer", "price_level": "21922.00", "new_quantity": "0.5"},
                    ],
                }
            ],
        }
    )

    usd, usdc = read_books(message, {"BTC-USD": ["BTC-USD", "BTC-USDC"]}, AROUND)

    assert usd.kind is BookEventKind.SNAPSHOT
    assert usd.changes == (
        LevelChange(BookSide.BID, "21921.73", "0.06317902"),
        LevelChange(BookSide.ASK, "21922.00", "0.5"),
    )
    assert (usd.sequence, usdc.symbol) == (7, "BTC-USDC")
    assert usd.venue_time == datetime(2023, 2, 9, 20, 32, 50, 714964, tzinfo=UTC)


@pytest.mark.parametrize(
    "level",
    [
        {"side": "up", "price_level": "1", "new_quantity": "1"},
        {"side": "bid", "price_level": "NaN", "new_quantity": "1"},
        {"side": "bid", "price_level": "1", "new_quantity": "-1"},
        {"side": "bid", "price_level": 1.5, "new_quantity": "1"},
    ],
)
def test_a_level_that_makes_no_sense_makes_the_message_unreadable(level):
    message = {
        "channel": "l2_data",
        "sequence_num": 1,
        "events": [{"type": "update", "product_id": "BTC-USD", "updates": [level]}],
    }

    with pytest.raises(Unreadable):
        read_books(envelope(message), {"BTC-USD": ["BTC-USD"]}, AROUND)


@pytest.mark.parametrize("counter", [66987, "66987"], ids=["number", "text"])
def test_a_heartbeat_is_a_sign_of_life_for_every_book(counter):
    message = envelope(
        {
            "channel": "heartbeats",
            "sequence_num": 1,
            "events": [
                {
                    "current_time": "2024-10-04 07:04:40.820713045 +0000 UTC m=+66987.628148662",
                    "heartbeat_counter": counter,
                }
            ],
        }
    )

    events = read_books(message, {"BTC-USD": ["BTC-USD"]}, AROUND)

    assert [(event.kind, event.changes) for event in events] == [(BookEventKind.UPDATE, ())]


def test_a_public_trade_names_the_takers_side_and_batches_come_oldest_first():
    trade = {
        "trade_id": "22381691",
        "product_id": "ETH-USDT",
        "price": "2375.56",
        "size": "0.5",
        "side": "BUY",
        "time": "2024-10-04T07:13:31.088388Z",
    }
    older = {**trade, "trade_id": "22381690", "side": "SELL", "time": "2024-10-04T07:13:31Z"}
    message = envelope(
        {
            "channel": "market_trades",
            "sequence_num": 2,
            "events": [{"type": "update", "trades": [trade, older]}],
        }
    )

    trades = read_trades(message, {"ETH-USDT": ["ETH-USDT"]}, AROUND)

    assert [(one.venue_trade_id, one.side) for one in trades] == [
        ("22381690", Side.BUY),
        ("22381691", Side.SELL),
    ]


def test_the_private_stream_tells_quantity_filled_and_left():
    message = envelope(
        {
            "channel": "user",
            "sequence_num": 0,
            "events": [
                {
                    "type": "snapshot",
                    "orders": [
                        {
                            "order_id": "YYY",
                            "client_order_id": "XXX",
                            "product_id": "BTC-USD",
                            "order_side": "BUY",
                            "order_type": "Limit",
                            "status": "OPEN",
                            "limit_price": "50000",
                            "cumulative_quantity": "0.004",
                            "leaves_quantity": "0.006",
                            "avg_price": "49999",
                            "filled_value": "199.996",
                            "total_fees": "1",
                            "creation_time": "2024-06-21T18:29:13.909347Z",
                        }
                    ],
                    "positions": {"perpetual_futures_positions": []},
                }
            ],
        }
    )

    (update,) = read_executions(message, AROUND)

    assert update.is_snapshot
    assert update.order.status is OrderStatus.PARTIALLY_FILLED
    assert update.order.quantity == Decimal("0.01")
    assert update.order.client_order_id == "XXX"


def test_an_unknown_status_opens_a_drift_report():
    drift: list[tuple[str, str]] = []
    around = Surroundings(
        now=lambda: NOW, on_drift=lambda kind, detail: drift.append((kind, detail))
    )
    order = {"order_id": "1", "product_id": "X-Y", "order_side": "BUY", "status": "NEW_KIND"}
    message = envelope(
        {"channel": "user", "sequence_num": 0, "events": [{"type": "update", "orders": [order]}]}
    )

    (update,) = read_executions(message, around)

    assert update.order.status is OrderStatus.UNKNOWN
    assert drift == [("unknown order status", "NEW_KIND")]


def test_the_servers_clock_is_read():
    body = (
        b'{"iso":"2024-02-27T03:37:14Z","epochSeconds":"1709005034","epochMillis":"1709005034333"}'
    )

    assert unix_time(decode(body, wire.ServerTime).epochMillis) == datetime(
        2024, 2, 27, 3, 37, 14, 333000, tzinfo=UTC
    )


@needs_recordings
def test_recorded_answers_are_read():
    folder = Path(RECORDED, "coinbase_advanced")

    def read(name: str, kind: Any) -> tuple[Any, Answer]:
        body = (folder / name).read_bytes()
        return decode(body, kind), Answer(body)

    one, one_body = read("http_order.json", inside("order", wire.Order))
    orders, orders_body = read("http_orders_list.json", wire.Orders)
    fills, fills_body = read("http_fills.json", wire.Fills)
    accounts, _ = read("http_accounts.json", wire.Accounts)
    book, _ = read("http_product_book.json", inside("pricebook", wire.PriceBook))
    products = [
        read(name, inside("products", list[wire.Product]))[0].found
        for name in ("http_products.json", "http_products_future.json")
    ]

    assert read_order(one.found, one_body.part("order"), NOW).symbol == "BTC-USD"
    market = read_order(orders.items[1], orders_body.part("orders", 1), NOW)
    assert (market.order_type, market.notional, market.quantity) == (OrderType.MARKET, 100, None)
    assert market.raw["order_id"] == market.venue_order_id
    assert [
        fill is not None
        for fill in (read_fill(one, fills_body.part("fills", 0), NOW) for one in fills.items)
    ] == [True, True]
    assert {one.currency for one in read_balances(accounts.items, NOW)} == {"BTC", "USD"}
    assert read_book("BTC-USD", book.found, NOW).bids
    spot = [read_instrument(one) for one in products[0]]
    assert {one.symbol: one.quote for one in spot}["BTC-USDC"] == "USDC"
    assert all(one.is_tradable for one in spot)
    assert [read_instrument(one).symbol for one in products[1]]


@needs_recordings
def test_a_recorded_live_stream_is_read_to_its_end_in_one_sequence():
    frames = [
        json.loads(line)["data"].encode()
        for line in (Path(RECORDED, "coinbase_advanced") / "ws_midstream_tail.jsonl")
        .read_text()
        .splitlines()
    ]
    singles = [
        path.read_bytes() for path in sorted(Path(RECORDED, "coinbase_advanced").glob("ws_*.json"))
    ]
    listeners = {name: [name] for name in ("BTC-USD", "ETH-USD")}
    numbers: list[int] = []
    book = OrderBook()
    for frame in frames + singles:
        message = Books(listeners, signer=None, around=AROUND).head(frame)
        if message is None:
            continue
        for event in read_books(message, listeners, AROUND):
            book.update(event.changes)
        read_trades(message, listeners, AROUND)
        list(Executions({}, signer=None, around=AROUND).events(message, frame))
        if frame in frames and message.sequence_num is not None:
            numbers.append(message.sequence_num)

    assert len(book) > 0
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
