"""The venue's messages as it writes them: only the members we read; the rest is ignored."""

from __future__ import annotations

import msgspec

from venues.adapters.kit.reading import Wire

NOTHING = msgspec.Raw(b"")


class Money(Wire):
    value: str | None = None


class Account(Wire):
    currency: str
    available_balance: Money
    hold: Money | None = None


class Accounts(Wire):
    accounts: list[Account]
    has_next: bool | None = None
    cursor: str | None = ""


class Terms(Wire):
    """The inside of any `order_configuration`."""

    base_size: str | None = None
    quote_size: str | None = None
    limit_price: str | None = None


class Order(Wire):
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


class OneOrder(Wire):
    order: msgspec.Raw


class Orders(Wire):
    orders: list[msgspec.Raw]
    has_next: bool | None = None
    cursor: str | None = ""


class Fill(Wire):
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


class Fills(Wire):
    fills: list[msgspec.Raw]
    cursor: str | None = ""


class CreateError(Wire):
    error: str | None = ""
    message: str | None = ""
    error_details: str | None = ""
    preview_failure_reason: str | None = ""
    new_order_failure_reason: str | None = ""
    edit_failure_reason: str | None = ""


class CreateSuccess(Wire):
    order_id: str | None = ""
    product_id: str | None = ""
    side: str | None = ""
    client_order_id: str | None = ""


class Created(Wire):
    success: bool
    success_response: CreateSuccess | None = None
    error_response: CreateError | None = None
    order_id: str | None = ""
    failure_reason: str | None = ""
    order_configuration: dict[str, object] | None = None


class Edited(Wire):
    success: bool
    errors: list[CreateError] | None = None
    error_response: CreateError | None = None


class CancelResult(Wire):
    success: bool
    order_id: str
    failure_reason: str | None = ""


class Cancelled(Wire):
    results: list[CancelResult]


class BookLevel(Wire):
    price: str
    size: str


class PriceBook(Wire):
    bids: list[BookLevel]
    asks: list[BookLevel]
    time: str | None = None


class OneBook(Wire):
    pricebook: PriceBook


class Product(Wire):
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
    alias: str | None = ""
    cancel_only: bool | None = False
    trading_disabled: bool | None = False
    is_disabled: bool | None = False
    view_only: bool | None = False
    auction_mode: bool | None = False


class Products(Wire):
    products: list[Product]


class ServerTime(Wire):
    epochMillis: str | int  # noqa: N815 - the venue's own name


class KeyPermissions(Wire):
    can_view: bool = False
    can_trade: bool = False
    can_transfer: bool = False


class ErrorItem(Wire):
    id: str | None = ""
    message: str | None = ""


class ErrorBody(Wire):
    error: str | None = ""
    message: str | None = ""
    error_details: str | None = ""
    errors: list[ErrorItem] | None = None


class Envelope(Wire):
    """Every socket message; an error has a `type` and no `channel`."""

    channel: str = ""
    sequence_num: int | None = None
    timestamp: str | None = None
    events: msgspec.Raw = NOTHING
    type: str = ""
    message: str | None = ""


class LevelUpdate(Wire):
    side: str
    price_level: str
    new_quantity: str


class Level2Event(Wire):
    type: str
    product_id: str
    updates: list[LevelUpdate]


class PublicTrade(Wire):
    trade_id: str
    product_id: str
    price: str
    size: str
    side: str
    time: str


class TradesEvent(Wire):
    trades: list[PublicTrade]


class Ticker(Wire):
    product_id: str
    price: str | None = None
    best_bid: str | None = None
    best_bid_quantity: str | None = None
    best_ask: str | None = None
    best_ask_quantity: str | None = None


class TickersEvent(Wire):
    tickers: list[Ticker]


class Subscriptions(Wire):
    subscriptions: dict[str, list[str] | None]


class UserOrder(Wire):
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


class UserEvent(Wire):
    type: str
    orders: list[msgspec.Raw] | None = None
