"""The venue's messages as it writes them: only the members we read; the rest is ignored.

Members that may be missing or null have a default, because a changed shape must never turn an
accepted order into a failure. Amounts stay text here.
"""

from __future__ import annotations

import msgspec

NOTHING = msgspec.Raw(b"")


class _Wire(msgspec.Struct, gc=False):
    pass


class Money(_Wire):
    value: str | None = None
    currency: str | None = None


class Account(_Wire):
    currency: str
    available_balance: Money
    hold: Money | None = None


class Accounts(_Wire):
    accounts: list[Account]
    has_next: bool | None = None
    cursor: str | None = ""


class Terms(_Wire):
    """The inside of any `order_configuration`."""

    base_size: str | None = None
    quote_size: str | None = None
    limit_price: str | None = None
    stop_price: str | None = None


class Order(_Wire):
    order_id: str
    product_id: str
    side: str
    status: str
    client_order_id: str | None = ""
    order_configuration: dict[str, Terms | None] | None = None
    created_time: str | None = None
    filled_size: str | None = None
    filled_value: str | None = None
    average_filled_price: str | None = None
    total_fees: str | None = None
    order_type: str | None = None
    pending_cancel: bool | None = False
    reject_reason: str | None = None
    reject_message: str | None = None
    cancel_message: str | None = None


class OneOrder(_Wire):
    order: msgspec.Raw


class Orders(_Wire):
    orders: list[msgspec.Raw]
    has_next: bool | None = None
    cursor: str | None = ""


class Fill(_Wire):
    entry_id: str
    order_id: str
    product_id: str
    side: str
    price: str
    size: str
    trade_time: str
    commission: str | None = None
    trade_type: str | None = "FILL"
    size_in_quote: bool | None = False
    liquidity_indicator: str | None = None


class Fills(_Wire):
    fills: list[msgspec.Raw]
    cursor: str | None = ""


class CreateError(_Wire):
    error: str | None = ""
    message: str | None = ""
    error_details: str | None = ""
    preview_failure_reason: str | None = ""
    new_order_failure_reason: str | None = ""


class CreateSuccess(_Wire):
    order_id: str | None = ""
    product_id: str | None = ""
    side: str | None = ""
    client_order_id: str | None = ""


class Created(_Wire):
    success: bool
    success_response: CreateSuccess | None = None
    error_response: CreateError | None = None
    order_id: str | None = ""
    failure_reason: str | None = ""
    order_configuration: dict[str, object] | None = None


class CancelResult(_Wire):
    success: bool
    order_id: str
    failure_reason: str | None = ""


class Cancelled(_Wire):
    results: list[CancelResult]


class BookLevel(_Wire):
    price: str
    size: str


class PriceBook(_Wire):
    bids: list[BookLevel]
    asks: list[BookLevel]
    time: str | None = None


class OneBook(_Wire):
    pricebook: PriceBook


class Product(_Wire):
    product_id: str
    base_increment: str
    quote_increment: str
    base_min_size: str
    base_currency_id: str | None = ""
    quote_currency_id: str | None = ""
    price_increment: str | None = ""
    base_max_size: str | None = None
    quote_min_size: str | None = None
    quote_max_size: str | None = None
    status: str | None = ""
    product_type: str | None = "SPOT"
    alias: str | None = ""
    cancel_only: bool | None = False
    trading_disabled: bool | None = False
    is_disabled: bool | None = False
    view_only: bool | None = False
    auction_mode: bool | None = False


class Products(_Wire):
    products: list[Product]


class ServerTime(_Wire):
    epochMillis: str | int  # noqa: N815 - the venue's own name


class KeyPermissions(_Wire):
    can_view: bool = False
    can_trade: bool = False
    can_transfer: bool = False


class Envelope(_Wire):
    """Every socket message; an error has a `type` and no `channel`."""

    channel: str = ""
    sequence_num: int | None = None
    timestamp: str | None = None
    events: msgspec.Raw = NOTHING
    type: str = ""
    message: str | None = ""


class LevelUpdate(_Wire):
    side: str
    price_level: str
    new_quantity: str


class Level2Event(_Wire):
    type: str
    product_id: str
    updates: list[LevelUpdate]


class PublicTrade(_Wire):
    trade_id: str
    product_id: str
    price: str
    size: str
    side: str
    time: str


class TradesEvent(_Wire):
    trades: list[PublicTrade]


class Subscriptions(_Wire):
    subscriptions: dict[str, list[str] | None]


class UserOrder(_Wire):
    order_id: str
    product_id: str
    order_side: str
    status: str
    client_order_id: str | None = ""
    order_type: str | None = ""
    limit_price: str | None = None
    cumulative_quantity: str | None = None
    leaves_quantity: str | None = None
    filled_value: str | None = None
    avg_price: str | None = None
    total_fees: str | None = None
    creation_time: str | None = None
    cancel_reason: str | None = None
    reject_reason: str | None = None


class UserEvent(_Wire):
    type: str
    orders: list[msgspec.Raw] | None = None
