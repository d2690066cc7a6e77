"""The exchange's orders, fills and books in this venue's words, and its orders in ours."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.interface.types import BookSide, OrderType, TimeInForce
from venues.simulator.ledger import Wallet
from venues.simulator.terms import (
    ZERO,
    AmendRefusal,
    LevelNow,
    Product,
    PublicTrade,
    Refusal,
    SimFill,
    SimOrder,
)

NO_TIME: Final = "0001-01-01T00:00:00Z"
TIMES_IN_FORCE: Final = {
    TimeInForce.GTC: "GOOD_UNTIL_CANCELLED",
    TimeInForce.GTD: "GOOD_UNTIL_DATE_TIME",
    TimeInForce.IOC: "IMMEDIATE_OR_CANCEL",
    TimeInForce.FOK: "FILL_OR_KILL",
}
# What each refusal is called: the error, the preview reason, and words.
REFUSALS: Final = {
    Refusal.UNKNOWN_PRODUCT: ("INVALID_PRODUCT_ID", "PREVIEW_INVALID_PRODUCT_ID"),
    Refusal.BAD_INSTRUCTION: ("UNSUPPORTED_ORDER_CONFIGURATION", ""),
    Refusal.INSUFFICIENT_FUNDS: ("INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
    Refusal.QUANTITY_PRECISION: ("INVALID_SIZE_PRECISION", "PREVIEW_INVALID_SIZE_PRECISION"),
    Refusal.PRICE_PRECISION: ("INVALID_PRICE_PRECISION", "PREVIEW_INVALID_PRICE_PRECISION"),
    Refusal.QUANTITY_TOO_SMALL: ("", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    Refusal.QUANTITY_TOO_LARGE: ("", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    Refusal.NOTIONAL_TOO_SMALL: ("", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    Refusal.NOTIONAL_TOO_LARGE: ("", "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE"),
    Refusal.POST_ONLY_WOULD_CROSS: ("INVALID_LIMIT_PRICE_POST_ONLY", ""),
    Refusal.STOP_ABOVE_LAST: ("", "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE"),
    Refusal.STOP_BELOW_LAST: ("", "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE"),
    Refusal.END_IN_THE_PAST: ("", "PREVIEW_END_TIME_IS_IN_THE_PAST"),
    Refusal.SLICE_TOO_SMALL: ("", "PREVIEW_BUCKET_SIZE_SMALLER_THAN_BASE_MIN"),
    Refusal.NO_LIQUIDITY: ("INVALID_NO_LIQUIDITY", "PREVIEW_INVALID_NO_LIQUIDITY"),
    Refusal.HALTED: ("ORDER_ENTRY_DISABLED", "PREVIEW_TRADING_DISABLED"),
}
EDIT_REFUSALS: Final = {
    AmendRefusal.UNKNOWN: "ORDER_NOT_FOUND",
    AmendRefusal.NOT_OPEN: "ONLY_OPEN_ORDERS_CAN_BE_EDITED",
    AmendRefusal.NOT_A_LIMIT: "ONLY_LIMIT_ORDER_EDITS_SUPPORTED",
    AmendRefusal.BELOW_FILLED: "CANNOT_EDIT_TO_BELOW_FILLED_SIZE",
    AmendRefusal.NOTHING_CHANGES: "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST",
}
_STOPS: Final = frozenset({OrderType.STOP_LIMIT, OrderType.BRACKET})


def edit_error(edit: str, preview: str = "") -> list[dict[str, str]]:
    return [
        {
            "edit_failure_reason": edit or "UNKNOWN_EDIT_ORDER_FAILURE_REASON",
            "preview_failure_reason": preview or "UNKNOWN_PREVIEW_FAILURE_REASON",
        }
    ]


def order_id_answer(order: SimOrder) -> dict[str, object]:
    return {
        "success": True,
        "success_response": {
            "order_id": order.order_id,
            "product_id": order.instruction.symbol,
            "side": order.instruction.side.value.upper(),
            "client_order_id": order.instruction.client_order_id,
        },
        "order_configuration": order.instruction.wire,
    }


def refusal_answer(error: str, preview: str, words: str, wire: msgspec.Raw) -> dict[str, object]:
    return {
        "success": False,
        "error_response": {
            "error": error or "UNKNOWN_FAILURE_REASON",
            "message": words,
            "error_details": "",
            "preview_failure_reason": preview or "UNKNOWN_PREVIEW_FAILURE_REASON",
            "new_order_failure_reason": "UNKNOWN_FAILURE_REASON",
        },
        "order_configuration": wire,
    }


def status_of(order: SimOrder) -> str:
    return order.state.value.upper()


def trigger_of(order: SimOrder) -> str:
    if order.instruction.order_type not in _STOPS:
        return "INVALID_ORDER_TYPE"
    return "STOP_TRIGGERED" if order.is_triggered else "STOP_PENDING"


def _average(order: SimOrder) -> str:
    if not order.filled_quantity:
        return "0"
    return plain(round(order.filled_value / order.filled_quantity, 10))


def _completion(order: SimOrder) -> str:
    asked = order.instruction.quantity or order.instruction.notional or ZERO
    done = order.filled_quantity if order.instruction.quantity else order.filled_value
    return plain(round(done / asked * 100, 2)) if asked else "0"


def _after_fees(order: SimOrder) -> Decimal:
    return order.filled_value + (order.fees if order.is_buy else -order.fees)


def order_shape(order: SimOrder, user_id: str) -> dict[str, object]:
    asked = order.instruction
    return {
        "order_id": order.order_id,
        "product_id": asked.symbol,
        "user_id": user_id,
        "order_configuration": asked.wire,
        "side": asked.side.value.upper(),
        "client_order_id": asked.client_order_id,
        "status": status_of(order),
        "time_in_force": TIMES_IN_FORCE[asked.time_in_force],
        "created_time": to_rfc3339(order.created_at),
        "completion_percentage": _completion(order),
        "filled_size": plain(order.filled_quantity),
        "average_filled_price": _average(order),
        "fee": "",
        "number_of_fills": str(order.fill_count),
        "filled_value": plain(order.filled_value),
        "pending_cancel": False,
        "size_in_quote": asked.notional is not None,
        "total_fees": plain(order.fees),
        "size_inclusive_of_fees": asked.notional is not None,
        "total_value_after_fees": plain(_after_fees(order)),
        "trigger_status": trigger_of(order),
        "order_type": asked.order_type.value.upper(),
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": not order.is_open,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": order.reason,
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": plain(order.held),
        "is_liquidation": False,
        "last_fill_time": to_rfc3339(order.last_fill_at) if order.last_fill_at else None,
        "edit_history": [
            {
                "price": plain(one.limit_price),
                "size": plain(one.quantity),
                "replace_accept_timestamp": to_rfc3339(one.at),
            }
            for one in order.amendments
        ],
        "leverage": "",
        "margin_type": "",
        "retail_portfolio_id": portfolio_id(order.account),
    }


def user_shape(order: SimOrder) -> dict[str, object]:
    """Write the private stream's poorer form of an order."""
    asked = order.instruction
    left = order.remaining if asked.quantity is not None else order.held
    return {
        "order_id": order.order_id,
        "client_order_id": asked.client_order_id,
        "product_id": asked.symbol,
        "order_side": asked.side.value.upper(),
        "order_type": asked.order_type.value.replace("_", " ").title(),
        "status": status_of(order),
        "time_in_force": TIMES_IN_FORCE[asked.time_in_force],
        "limit_price": plain(asked.limit_price) if asked.limit_price else "",
        "stop_price": plain(asked.stop_price) if asked.stop_price else "",
        "post_only": "true" if asked.post_only else "false",
        "cumulative_quantity": plain(order.filled_quantity),
        "leaves_quantity": plain(left),
        "avg_price": _average(order),
        "filled_value": plain(order.filled_value),
        "number_of_fills": str(order.fill_count),
        "completion_percentage": _completion(order),
        "total_fees": plain(order.fees),
        "total_value_after_fees": plain(_after_fees(order)),
        "outstanding_hold_amount": plain(order.held),
        "cancel_reason": order.reason,
        "reject_reason": "",
        "trigger_status": trigger_of(order),
        "product_type": "SPOT",
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "retail_portfolio_id": portfolio_id(order.account),
        "creation_time": to_rfc3339(order.created_at),
        "start_time": to_rfc3339(asked.starts_at) if asked.starts_at else NO_TIME,
        "end_time": to_rfc3339(asked.expires_at) if asked.expires_at else NO_TIME,
    }


def fill_shape(fill: SimFill, user_id: str) -> dict[str, object]:
    return {
        "entry_id": fill.fill_id,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "trade_time": to_rfc3339(fill.at),
        "trade_type": "FILL",
        "price": plain(fill.price),
        "size": plain(fill.quantity),
        "commission": plain(fill.fee),
        "product_id": fill.symbol,
        "sequence_timestamp": to_rfc3339(fill.at),
        "liquidity_indicator": "MAKER" if fill.is_maker else "TAKER",
        "size_in_quote": False,
        "user_id": user_id,
        "side": fill.side.value.upper(),
        "retail_portfolio_id": portfolio_id(fill.account),
    }


def account_shape(account: str, currency: str, wallet: Wallet, now: datetime) -> dict[str, object]:
    is_fiat = currency in {"USD", "EUR", "GBP"}
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/{currency}")),
        "name": f"{currency} Wallet",
        "currency": currency,
        "available_balance": {"value": plain(wallet.available), "currency": currency},
        "default": is_fiat,
        "active": True,
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": to_rfc3339(now),
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if is_fiat else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": plain(wallet.held), "currency": currency},
        "retail_portfolio_id": portfolio_id(account),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def product_shape(
    product: Product, price: Decimal, *, names: list[str], is_halted: bool
) -> dict[str, object]:
    is_alias = product.market != product.symbol
    return {
        "product_id": product.symbol,
        "price": plain(price),
        "base_increment": plain(product.quantity_step),
        "quote_increment": plain(product.price_tick),
        "price_increment": plain(product.price_tick),
        "base_min_size": plain(product.min_quantity),
        "base_max_size": plain(product.max_quantity),
        "quote_min_size": plain(product.min_notional),
        "quote_max_size": plain(product.max_notional),
        "base_name": product.base,
        "quote_name": product.quote,
        "base_display_symbol": product.base,
        "quote_display_symbol": product.quote,
        "base_currency_id": product.base,
        "quote_currency_id": product.quote,
        "status": "online",
        "product_type": "SPOT",
        "product_venue": "CBE",
        "display_name": product.symbol,
        "alias": product.market if is_alias else "",
        "alias_to": [] if is_alias else names,
        "watched": False,
        "is_disabled": False,
        "new": False,
        "cancel_only": is_halted,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": False,
        "auction_mode": False,
        "view_only": False,
    }


def trade_shape(trade: PublicTrade) -> dict[str, Any]:
    return {
        "trade_id": trade.trade_id,
        "product_id": trade.market,
        "price": plain(trade.price),
        "size": plain(trade.quantity),
        "side": trade.maker_side.value.upper(),
        "time": to_rfc3339(trade.at),
    }


def level_shape(level: LevelNow, at: str) -> dict[str, str]:
    return {
        "side": "bid" if level.side is BookSide.BID else "offer",
        "event_time": at,
        "price_level": plain(level.price),
        "new_quantity": plain(level.quantity),
    }


def portfolio_id(account: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"portfolio/{account}"))
