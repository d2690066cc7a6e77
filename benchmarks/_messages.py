"""One message of every kind the two Coinbase venues send, of the size they send it in, always the same."""

from __future__ import annotations

import json
import random
from typing import Any

AT = "2026-03-02T10:11:12.123456Z"
PAGE = 100
BATCH = 10


def _written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _levels(count: int, *, near: bool) -> list[tuple[bool, str, str]]:
    """Draw levels around one price: crowded at the touch, or each one step further out."""
    dice, middle = random.Random(1), 6_412_345  # noqa: S311
    found = []
    for number in range(count):
        is_bid = number % 2 == 0
        away = dice.randint(1, 40) if near else number // 2 + 1
        price = middle - away if is_bid else middle + away
        found.append((is_bid, f"{price / 100:.2f}", f"{dice.random() * 3:.8f}"))
    return found


def _envelope(channel: str, *events: Any) -> bytes:
    head = {"channel": channel, "client_id": "", "timestamp": "2026-03-02T10:11:12.123456789Z"}
    return _written({**head, "sequence_num": 991, "events": list(events)})


def _level2(kind: str, count: int) -> bytes:
    updates = [
        {
            "side": "bid" if is_bid else "offer",
            "event_time": AT if kind == "update" else "1970-01-01T00:00:00Z",
            "price_level": price,
            "new_quantity": size,
        }
        for is_bid, price, size in _levels(count, near=kind == "update")
    ]
    return _envelope("l2_data", {"type": kind, "product_id": "BTC-USD", "updates": updates})


def _advanced_order(number: int) -> dict[str, Any]:
    terms = {"base_size": "0.50000000", "limit_price": "64123.45", "post_only": False}
    return {
        "order_id": f"62475e97-7485-45eb-a5ac-{number:012d}",
        "product_id": "BTC-USD",
        "user_id": "2222-000000-000000",
        "order_configuration": {"limit_limit_gtc": terms},
        "side": "BUY",
        "client_order_id": f"11111111-2222-4333-8444-{number:012d}",
        "status": "OPEN",
        "time_in_force": "GOOD_UNTIL_CANCELLED",
        "created_time": AT,
        "completion_percentage": "50",
        "filled_size": "0.25",
        "average_filled_price": "64120.12",
        "fee": "",
        "number_of_fills": "2",
        "filled_value": "16030.03",
        "pending_cancel": False,
        "size_in_quote": False,
        "total_fees": "9.618018",
        "size_inclusive_of_fees": False,
        "total_value_after_fees": "16039.648018",
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": False,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": "16030.03",
        "is_liquidation": False,
        "last_fill_time": AT,
        "edit_history": [],
        "leverage": "",
        "margin_type": "",
        "retail_portfolio_id": "b87a2d3f-8a1e-49b3-a4ea-402d8c389aca",
    }


def _advanced_fill(number: int) -> dict[str, Any]:
    return {
        "entry_id": f"2222-{number}",
        "trade_id": f"1111-{number}",
        "order_id": f"62475e97-7485-45eb-a5ac-{number:012d}",
        "trade_time": AT,
        "trade_type": "FILL",
        "price": "64123.45",
        "size": "0.125",
        "commission": "4.809258",
        "product_id": "BTC-USD",
        "sequence_timestamp": AT,
        "liquidity_indicator": "MAKER",
        "size_in_quote": False,
        "user_id": "3333-3",
        "side": "BUY",
        "retail_portfolio_id": "b87a2d3f-8a1e-49b3-a4ea-402d8c389aca",
    }


_USER_ORDER = {
    "order_id": "62475e97-7485-45eb-a5ac-594805fa2748",
    "client_order_id": "11111111-2222-4333-8444-555555555555",
    "product_id": "BTC-USD",
    "order_side": "BUY",
    "order_type": "Limit",
    "status": "OPEN",
    "time_in_force": "GOOD_UNTIL_CANCELLED",
    "limit_price": "64123.45",
    "stop_price": "",
    "post_only": "false",
    "cumulative_quantity": "0.25",
    "leaves_quantity": "0.25",
    "avg_price": "64120.12",
    "filled_value": "16030.03",
    "number_of_fills": "2",
    "completion_percentage": "50.00",
    "total_fees": "9.618018",
    "total_value_after_fees": "32060.06",
    "outstanding_hold_amount": "16030.03",
    "cancel_reason": "",
    "reject_reason": "",
    "trigger_status": "INVALID_ORDER_TYPE",
    "product_type": "SPOT",
    "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
    "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
    "retail_portfolio_id": "b87a2d3f-8a1e-49b3-a4ea-402d8c389aca",
    "creation_time": AT,
    "start_time": "0001-01-01T00:00:00Z",
    "end_time": "0001-01-01T00:00:00Z",
}
_ADVANCED_TICKER = {
    "type": "ticker",
    "product_id": "BTC-USD",
    "price": "64123.45",
    "volume_24_h": "16038.28",
    "low_24_h": "63835.29",
    "high_24_h": "65011.18",
    "low_52_w": "15460",
    "high_52_w": "108240",
    "price_percent_chg_24_h": "-4.15",
    "best_bid": "64123.44",
    "best_bid_quantity": "0.80002100",
    "best_ask": "64123.46",
    "best_ask_quantity": "1.80380700",
}


def _advanced_trade(number: int) -> dict[str, Any]:
    return {
        "trade_id": str(22_381_691 + number),
        "product_id": "BTC-USD",
        "price": "64123.45",
        "size": "0.12500000",
        "side": "BUY",
        "time": AT,
    }


def _exchange_snapshot(count: int) -> bytes:
    sides: dict[bool, list[list[str]]] = {True: [], False: []}
    for is_bid, price, size in _levels(count, near=False):
        sides[is_bid].append([price, size])
    told = {"bids": sides[True], "asks": sides[False], "time": AT}
    return _written({"type": "snapshot", "product_id": "BTC-USD", **told})


def _exchange_update(count: int) -> bytes:
    changes = [
        ["buy" if is_bid else "sell", price, size]
        for is_bid, price, size in _levels(count, near=True)
    ]
    head = {"type": "l2update", "product_id": "BTC-USD"}
    return _written({**head, "changes": changes, "time": AT})


def _exchange_order(number: int) -> dict[str, Any]:
    return {
        "id": f"a9625b04-fc66-4999-a876-{number:012d}",
        "price": "64123.45000000",
        "size": "0.50000000",
        "product_id": "BTC-USD",
        "profile_id": "8058d771-2d88-4f0f-ab6e-299c153d4308",
        "side": "buy",
        "type": "limit",
        "time_in_force": "GTC",
        "post_only": True,
        "created_at": AT,
        "fill_fees": "9.6180180000000000",
        "filled_size": "0.25000000",
        "executed_value": "16030.0300000000000000",
        "status": "open",
        "settled": False,
        "client_oid": f"11111111-2222-4333-8444-{number:012d}",
    }


def _exchange_fill(number: int) -> dict[str, Any]:
    return {
        "created_at": AT,
        "trade_id": 78_098_253 + number,
        "product_id": "BTC-USD",
        "order_id": "a9625b04-fc66-4999-a876-543c3684d702",
        "user_id": "5cf6e115aaf44503db300f1e",
        "profile_id": "8058d771-2d88-4f0f-ab6e-299c153d4308",
        "liquidity": "T",
        "price": "64123.45000000",
        "size": "0.12500000",
        "fee": "4.8092580000000000",
        "side": "sell",
        "settled": True,
        "usd_volume": "8015.43125000",
        "funding_currency": "USD",
    }


_MATCH = {
    "type": "match",
    "trade_id": 10,
    "sequence": 50,
    "maker_order_id": "ac928c66-ca53-498f-9c13-a110027a60e8",
    "taker_order_id": "132fb6ae-456b-4654-b4e0-d681ac05cea1",
    "time": AT,
    "product_id": "BTC-USD",
    "size": "0.12500000",
    "price": "64123.45",
    "side": "sell",
}
_EXCHANGE_TICKER = {
    "type": "ticker",
    "sequence": 37_475_248_783,
    "product_id": "BTC-USD",
    "price": "64123.45",
    "open_24h": "63810.79",
    "volume_24h": "2455.32790000",
    "low_24h": "63780.52",
    "high_24h": "64313.8",
    "volume_30d": "97887.60000000",
    "best_bid": "64123.44",
    "best_bid_size": "0.46688654",
    "best_ask": "64123.46",
    "best_ask_size": "1.56637040",
    "side": "buy",
    "time": AT,
    "trade_id": 370_843_401,
    "last_size": "0.04396987",
}
_RECEIVED = {
    "type": "received",
    "time": AT,
    "product_id": "BTC-USD",
    "sequence": 10,
    "order_id": "d50ec984-77a8-460a-b958-66f114b0de9b",
    "size": "0.50000000",
    "price": "64123.45",
    "side": "buy",
    "order_type": "limit",
    "client_oid": "11111111-2222-4333-8444-555555555555",
}


def messages(*, levels: int = 5000, page: int = PAGE) -> dict[str, bytes]:
    """Write all of them, by venue and kind."""
    rows = range(page)
    return {
        "advanced book snapshot": _level2("snapshot", levels),
        "advanced book update": _level2("update", 50),
        "advanced trades": _envelope(
            "market_trades",
            {"type": "update", "trades": [_advanced_trade(n) for n in range(BATCH)]},
        ),
        "advanced ticker": _envelope("ticker", {"type": "update", "tickers": [_ADVANCED_TICKER]}),
        "advanced order": _envelope("user", {"type": "update", "orders": [_USER_ORDER]}),
        "advanced orders by REST": _written(
            {"orders": [_advanced_order(n) for n in rows], "has_next": False, "cursor": ""}
        ),
        "advanced fills by REST": _written(
            {"fills": [_advanced_fill(n) for n in rows], "cursor": ""}
        ),
        "exchange book snapshot": _exchange_snapshot(levels),
        "exchange book update": _exchange_update(50),
        "exchange trades": _written(_MATCH),
        "exchange ticker": _written(_EXCHANGE_TICKER),
        "exchange order": _written(_RECEIVED),
        "exchange orders by REST": _written([_exchange_order(n) for n in rows]),
        "exchange fills by REST": _written([_exchange_fill(n) for n in rows]),
    }
