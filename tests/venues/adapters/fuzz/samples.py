"""One sound message of every kind, for each adapter: what is broken a million times."""

from __future__ import annotations

from typing import Any

AT = "2024-06-21T18:29:13.909347Z"
CLIENT_ID = "0b2e5e1c-3d0a-4d52-8f0e-6a9f0c1d2e3f"


def _message(channel: str, event: object) -> dict[str, Any]:
    return {"channel": channel, "timestamp": AT, "sequence_num": 7, "events": [event]}


_LEVEL = {"side": "bid", "event_time": AT, "price_level": "21921.73", "new_quantity": "0.5"}
_ADVANCED_ORDER = {
    "order_id": "1",
    "client_order_id": CLIENT_ID,
    "product_id": "BTC-USD",
    "order_configuration": {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "1"}},
    "side": "BUY",
    "status": "OPEN",
    "created_time": AT,
    "filled_size": "0.0005",
    "filled_value": "10.5",
    "average_filled_price": "21000",
    "total_fees": "0.01",
    "order_type": "LIMIT",
    "pending_cancel": False,
    "reject_reason": "REJECT_REASON_UNSPECIFIED",
    "edit_history": [{"price": 1.5}],
}
_ADVANCED_FILL = {
    "entry_id": "1",
    "order_id": "1",
    "product_id": "BTC-USD",
    "side": "BUY",
    "price": "1.5",
    "size": "2",
    "size_in_quote": True,
    "trade_type": "FILL",
    "trade_time": "2021-05-31T09:59:59Z",
    "commission": "1.25",
    "liquidity_indicator": "MAKER",
}
_USER_ORDER = {
    "order_id": "1",
    "client_order_id": CLIENT_ID,
    "product_id": "BTC-USD",
    "order_side": "BUY",
    "order_type": "Limit",
    "status": "OPEN",
    "limit_price": "1",
    "cumulative_quantity": "0.001",
    "leaves_quantity": "0.01",
    "filled_value": "1",
    "avg_price": "0",
    "total_fees": "0",
    "creation_time": AT,
}
ADVANCED: dict[str, Any] = {
    "time": {"iso": AT, "epochSeconds": "1709005034", "epochMillis": "1709005034333"},
    "order": {"order": _ADVANCED_ORDER},
    "orders": {"orders": [_ADVANCED_ORDER] * 2, "has_next": False, "cursor": ""},
    "fills": {"fills": [_ADVANCED_FILL] * 2, "cursor": "next"},
    "accounts": {
        "accounts": [
            {"currency": "BTC", "available_balance": {"value": "1"}, "hold": {"value": "0.5"}},
            {"currency": "BTC", "available_balance": {"value": "1"}, "hold": None},
        ],
        "has_next": False,
        "cursor": "",
    },
    "rights": {"can_view": True, "can_trade": True, "can_transfer": False},
    "book": {
        "pricebook": {
            "product_id": "BTC-USD",
            "bids": [{"price": "1", "size": "1"}, {"price": "0.9", "size": "2"}],
            "asks": [{"price": "1.1", "size": "1"}],
            "time": AT,
        }
    },
    "products": {
        "products": [
            {
                "product_id": "BTC-USD",
                "base_increment": "0.1",
                "quote_increment": "0.1",
                "price_increment": "0.1",
                "base_min_size": "1",
                "base_max_size": "100",
                "quote_min_size": "1",
                "status": "online",
                "trading_disabled": False,
            }
        ]
    },
    "created": {
        "success": True,
        "success_response": {
            "order_id": "1",
            "product_id": "BTC-USD",
            "side": "BUY",
            "client_order_id": CLIENT_ID,
        },
        "order_configuration": {"limit_limit_gtc": {"base_size": "1", "limit_price": "1"}},
    },
    "cancelled": {"results": [{"success": True, "failure_reason": "", "order_id": "1"}]},
    "error": {"error": "X", "message": "m", "errors": [{"id": "a", "message": "b"}]},
    "level2": _message(
        "l2_data", {"type": "update", "product_id": "BTC-USD", "updates": [_LEVEL, _LEVEL]}
    ),
    "heartbeats": _message("heartbeats", {"current_time": AT, "heartbeat_counter": 1}),
    "trades": _message(
        "market_trades",
        {
            "type": "update",
            "trades": [
                {
                    "trade_id": "1",
                    "product_id": "BTC-USD",
                    "price": "2375.56",
                    "size": "0.5",
                    "side": "BUY",
                    "time": AT,
                }
            ]
            * 2,
        },
    ),
    "ticker": _message(
        "ticker",
        {
            "type": "update",
            "tickers": [
                {
                    "product_id": "BTC-USD",
                    "price": "1",
                    "best_bid": "1",
                    "best_bid_quantity": "1",
                    "best_ask": "2",
                    "best_ask_quantity": "1",
                }
            ],
        },
    ),
    "user": _message("user", {"type": "update", "orders": [_USER_ORDER]}),
}
EXCHANGE: dict[str, Any] = {
    "time": {"iso": AT, "epoch": 1718994553.909},
    "order": {
        "id": "1",
        "client_oid": CLIENT_ID,
        "product_id": "BTC-USD",
        "side": "buy",
        "type": "limit",
        "status": "done",
        "done_reason": "canceled",
        "cancel_reason": "101:Time In Force",
        "size": "0.01",
        "price": "21000",
        "funds": None,
        "filled_size": "0.005",
        "executed_value": "105",
        "fill_fees": "0.1",
        "created_at": AT,
        "settled": False,
    },
    "fill": {
        "trade_id": 1,
        "order_id": "1",
        "product_id": "BTC-USD",
        "side": "buy",
        "price": "21000",
        "size": "0.005",
        "created_at": AT,
        "fee": "0.1",
        "liquidity": "M",
    },
    "accounts": [{"currency": "BTC", "available": "1", "hold": "0.5", "balance": "1.5"}],
    "fees": {"maker_fee_rate": "0.004", "taker_fee_rate": "0.006", "usd_volume": "0"},
    "book": {
        "bids": [["1", "1", 2], ["0.9", "1", 1]],
        "asks": [["1.1", "1", 1]],
        "sequence": 1,
        "time": AT,
    },
    "products": [
        {
            "id": "BTC-USD",
            "base_currency": "BTC",
            "quote_currency": "USD",
            "quote_increment": "0.01",
            "base_increment": "0.00000001",
            "min_market_funds": "1",
            "status": "online",
            "cancel_only": False,
        }
    ],
    "error": {"message": "Insufficient funds"},
    "snapshot": {
        "type": "snapshot",
        "product_id": "BTC-USD",
        "bids": [["1", "1"], ["0.9", "1"]],
        "asks": [["1.1", "1"]],
        "time": AT,
    },
    "update": {
        "type": "l2update",
        "product_id": "BTC-USD",
        "changes": [["buy", "1", "0"], ["sell", "1.1", "2"]],
        "time": AT,
    },
    "match": {
        "type": "match",
        "trade_id": 10,
        "maker_order_id": "1",
        "taker_order_id": "2",
        "side": "sell",
        "size": "5.23512",
        "price": "400.23",
        "product_id": "BTC-USD",
        "sequence": 50,
        "time": AT,
    },
    "heartbeat": {
        "type": "heartbeat",
        "sequence": 90,
        "last_trade_id": 20,
        "product_id": "BTC-USD",
        "time": AT,
    },
    "ticker": {
        "type": "ticker",
        "product_id": "BTC-USD",
        "price": "1",
        "best_bid": "1",
        "best_bid_size": "1",
        "best_ask": "2",
        "best_ask_size": "1",
        "time": AT,
    },
    "received": {
        "type": "received",
        "order_id": "1",
        "client_oid": CLIENT_ID,
        "order_type": "limit",
        "size": "1.34",
        "price": "502.1",
        "side": "buy",
        "product_id": "BTC-USD",
        "time": AT,
    },
    "done": {
        "type": "done",
        "order_id": "1",
        "reason": "filled",
        "side": "sell",
        "product_id": "BTC-USD",
        "price": "1",
        "remaining_size": "0",
        "time": AT,
    },
}
