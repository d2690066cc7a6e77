"""The venue's JSON, from the exchange's own words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.interface.types import OrderType, TimeInForce
from venues.simulator.coinbase_exchange.instructions import AGAIN
from venues.simulator.ledger import Wallet
from venues.simulator.terms import Product, Refusal, SimFill, SimOrder, State

_NAMES: Final = uuid.UUID("f2cbb9a5-4a5e-43a2-8f5f-5b7a7f2d8a11")
_TIMES: Final = {
    TimeInForce.GTC: "GTC",
    TimeInForce.GTD: "GTT",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
}
_DONE: Final = {
    State.FILLED: "filled",
    State.CANCELLED: "canceled",
    State.EXPIRED: "canceled",
}
SENTENCES: Final = {
    Refusal.UNKNOWN_PRODUCT: "Product not found",
    Refusal.BAD_INSTRUCTION: "Invalid order",
    Refusal.INSUFFICIENT_FUNDS: "Insufficient funds",
    Refusal.QUANTITY_PRECISION: "size too precise",
    Refusal.PRICE_PRECISION: "price too precise",
    Refusal.QUANTITY_TOO_SMALL: "size is too small. Minimum size is 0.00000001",
    Refusal.QUANTITY_TOO_LARGE: "size is too large",
    Refusal.NOTIONAL_TOO_SMALL: "notional is too small",
    Refusal.NOTIONAL_TOO_LARGE: "notional is too large",
    Refusal.POST_ONLY_WOULD_CROSS: "Post only mode",
    Refusal.STOP_ABOVE_LAST: "Invalid stop price: sell stop must be below the last trade",
    Refusal.STOP_BELOW_LAST: "Invalid stop price: buy stop must be above the last trade",
    Refusal.END_IN_THE_PAST: "Invalid cancel_after",
    Refusal.NO_LIQUIDITY: "Insufficient liquidity",
    Refusal.HALTED: "Cancel only mode",
}


def name_of(*parts: str) -> str:
    """Name a profile, user or account the same way every time."""
    return str(uuid.uuid5(_NAMES, "/".join(parts)))


def client_id_of(order: SimOrder) -> str:
    return order.instruction.client_order_id.partition(AGAIN)[0]


def padded(value: Decimal, places: int) -> str:
    return f"{value:.{places}f}"


def status_of(order: SimOrder) -> str:
    if order.state is not State.OPEN:
        return "done"
    return "open" if order.is_triggered else "active"


def order_shape(order: SimOrder, *, status: str = "") -> dict[str, Any]:
    asked = order.instruction
    shape: dict[str, Any] = {
        "id": order.order_id,
        "product_id": asked.symbol,
        "profile_id": name_of(order.account, "profile"),
        "side": asked.side.value,
        "type": "market" if asked.order_type is OrderType.MARKET else "limit",
        "post_only": asked.post_only,
        "created_at": to_rfc3339(order.created_at),
        "fill_fees": padded(order.fees, 16),
        "filled_size": padded(order.filled_quantity, 8),
        "executed_value": padded(order.filled_value, 16),
        "market_type": "spot",
        "status": status or status_of(order),
        "settled": order.state is not State.OPEN,
    }
    shape |= _terms(order)
    if client_id_of(order):
        shape["client_oid"] = client_id_of(order)
    if order.state is not State.OPEN and not status:
        shape["done_reason"] = _DONE[order.state]
        shape["done_at"] = to_rfc3339(order.last_fill_at or order.created_at)
        if order.state is State.EXPIRED:
            shape["cancel_reason"] = "101:Time In Force"
    return shape


def _terms(order: SimOrder) -> dict[str, Any]:
    """Say what was asked for, as far as this kind of order has it."""
    asked = order.instruction
    terms: dict[str, Any] = {}
    if asked.order_type is not OrderType.MARKET:
        terms["time_in_force"] = _TIMES[asked.time_in_force]
        terms["price"] = padded(order.limit_price, 8)
    if asked.quantity is not None:
        terms["size"] = padded(asked.quantity, 8)
    if asked.notional is not None:
        terms["funds"] = terms["specified_funds"] = padded(asked.notional, 16)
    if asked.stop_price is not None:
        terms["stop"] = "entry" if order.is_buy else "loss"
        terms["stop_price"] = padded(asked.stop_price, 8)
    if asked.expires_at is not None:
        terms["expire_time"] = to_rfc3339(asked.expires_at)
    return terms


def fill_shape(fill: SimFill) -> dict[str, Any]:
    return {
        "created_at": to_rfc3339(fill.at),
        "trade_id": int(fill.trade_id),
        "product_id": fill.symbol,
        "order_id": fill.order_id,
        "user_id": name_of(fill.account, "user"),
        "profile_id": name_of(fill.account, "profile"),
        "liquidity": "M" if fill.is_maker else "T",
        "price": padded(fill.price, 8),
        "size": padded(fill.quantity, 8),
        "fee": padded(fill.fee, 16),
        "side": fill.side.value,
        "settled": True,
        "usd_volume": padded(fill.price * fill.quantity, 8),
        "funding_currency": fill.symbol.rpartition("-")[2],
    }


def account_shape(account: str, currency: str, wallet: Wallet) -> dict[str, Any]:
    return {
        "id": name_of(account, currency),
        "currency": currency,
        "balance": padded(wallet.available + wallet.held, 16),
        "available": padded(wallet.available, 16),
        "hold": padded(wallet.held, 16),
        "profile_id": name_of(account, "profile"),
        "trading_enabled": True,
        "pending_deposit": "0.0000000000000000",
        "display_name": currency,
    }


def product_shape(product: Product, *, is_halted: bool) -> dict[str, Any]:
    return {
        "id": product.symbol,
        "base_currency": product.base,
        "quote_currency": product.quote,
        "quote_increment": plain(product.price_tick),
        "base_increment": plain(product.quantity_step),
        "display_name": f"{product.base}/{product.quote}",
        "min_market_funds": plain(product.min_notional),
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": is_halted,
        "trading_disabled": False,
        "status": "online",
        "status_message": "",
        "auction_mode": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
    }


def ticker_shape(
    trade: Mapping[str, Any], bid: Any, ask: Any, volume: Decimal, at: datetime
) -> dict[str, Any]:
    return {
        "ask": plain(ask.price) if ask else "",
        "bid": plain(bid.price) if bid else "",
        "volume": plain(volume),
        "trade_id": trade["trade_id"],
        "price": trade["price"],
        "size": trade["size"],
        "time": to_rfc3339(at),
    }
