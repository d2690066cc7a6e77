"""The venue's messages as it writes them: the members we read, and by name those we do not."""

from __future__ import annotations

from typing import Final

import msgspec

from venues.adapters.kit.channels import Envelope, Heartbeat, Subscribed
from venues.adapters.kit.listing import Listing
from venues.adapters.kit.reading import Messages, Wire, inside
from venues.adapters.kit.watching import Known
from venues.interface.types import KeyRights, LevelChange


class Money(Wire):
    value: str | None = None


class Account(Wire):
    currency: str
    available_balance: Money
    hold: Money | None = None


class Accounts(Listing[Account], kw_only=True):
    items: list[Account] = msgspec.field(name="accounts")


class Terms(Wire):
    """The inside of any `order_configuration`."""

    base_size: str | None = ""
    quote_size: str | None = ""
    limit_price: str | None = ""


class Order(Wire):
    order_id: str
    product_id: str
    side: str
    status: str
    client_order_id: str | None = ""
    order_configuration: dict[str, Terms | None] | None = None
    created_time: str | None = None
    filled_size: str | None = ""
    filled_value: str | None = ""
    average_filled_price: str | None = ""
    total_fees: str | None = ""
    order_type: str | None = None
    pending_cancel: bool | None = False
    reject_reason: str | None = None
    reject_message: str | None = None
    cancel_message: str | None = None


class Orders(Listing[Order], kw_only=True):
    items: list[Order] = msgspec.field(name="orders")


class Fill(Wire):
    entry_id: str
    order_id: str
    product_id: str
    side: str
    price: str
    size: str
    trade_time: str
    commission: str | None = ""
    trade_type: str | None = "FILL"
    size_in_quote: bool | None = False
    liquidity_indicator: str | None = None


class Fills(Listing[Fill], kw_only=True):
    items: list[Fill] = msgspec.field(name="fills")


class ErrorItem(Wire):
    id: str | None = ""
    message: str | None = ""


class Complaint(Wire):
    """What is wrong: the body of an HTTP error, and the inside of a refused act."""

    error: str | None = ""
    message: str | None = ""
    error_details: str | None = ""
    preview_failure_reason: str | None = ""
    new_order_failure_reason: str | None = ""
    edit_failure_reason: str | None = ""
    errors: list[ErrorItem] | None = None


class CreateSuccess(Wire):
    order_id: str | None = ""
    product_id: str | None = ""
    side: str | None = ""
    client_order_id: str | None = ""


class Acted(Wire):
    """The answer to a create, an edit, or one of several cancels."""

    success: bool
    order_id: str | None = ""
    failure_reason: str | None = ""
    success_response: CreateSuccess | None = None
    error_response: Complaint | None = None
    errors: list[Complaint] | None = None
    order_configuration: dict[str, object] | None = None


class BookLevel(Wire):
    price: str
    size: str


class PriceBook(Wire):
    bids: list[BookLevel]
    asks: list[BookLevel]
    time: str | None = None


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


class ServerTime(Wire):
    epochMillis: str | int  # noqa: N815 - the venue's own name


class LevelUpdate(LevelChange, frozen=True, eq=False):
    """Named as the venue names it, the rest is the same."""

    price: str = msgspec.field(name="price_level")
    quantity: str = msgspec.field(name="new_quantity")


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


class UserOrder(Order, kw_only=True):
    """An order as the private stream names its members; of the terms it says the limit."""

    side: str = msgspec.field(name="order_side")
    created_time: str | None = msgspec.field(name="creation_time", default=None)
    filled_size: str | None = msgspec.field(name="cumulative_quantity", default="")
    average_filled_price: str | None = msgspec.field(name="avg_price", default="")
    limit_price: str | None = ""
    leaves_quantity: str | None = ""
    cancel_reason: str | None = None
    old_reject_reason: str | None = msgspec.field(name="reject_Reason", default=None)


class UserEvent(Wire):
    type: str
    orders: list[UserOrder] | None = None


class Level2(Envelope, tag="l2_data", kw_only=True):
    events: list[Level2Event]


class MarketTrades(Envelope, tag="market_trades", kw_only=True):
    events: list[TradesEvent]


class Tickers(Envelope, tag="ticker", kw_only=True):
    events: list[TickersEvent]


class User(Envelope, tag="user", kw_only=True):
    events: list[UserEvent]


# What the venue's documents name beside what is read above; anything else is a drift report.
KNOWN: Final = Known(
    {
        KeyRights: "portfolio_uuid portfolio_type",
        ServerTime: "iso epochSeconds",
        Money: "currency",
        Account: (
            "uuid name default active created_at updated_at deleted_at type ready"
            " retail_portfolio_id platform"
        ),
        Accounts: "size",
        Terms: (
            "post_only rfq_disabled end_time stop_price stop_direction stop_trigger_price start_time"
            " number_buckets bucket_size bucket_duration orders num_orders min_price max_price"
            " price_distribution size_distribution size_diff size_ratio"
        ),
        Order: (
            "user_id time_in_force completion_percentage fee number_of_fills size_in_quote"
            " size_inclusive_of_fees total_value_after_fees trigger_status settled product_type"
            " order_placement_source outstanding_hold_amount is_liquidation last_fill_time"
            " edit_history leverage margin_type retail_portfolio_id attached_order_configuration"
            " attached_order_id originating_order_id"
        ),
        Orders: "sequence",
        Fill: "trade_id sequence_timestamp user_id retail_portfolio_id",
        Complaint: "code details",
        inside("pricebook", PriceBook): "last mid_market spread_bps spread_absolute",
        PriceBook: "product_id",
        inside("products", list[Product]): "num_products pagination",
        Product: (
            "price limit_only post_only product_type alias_to product_venue watched new new_at"
            " base_name quote_name base_display_symbol quote_display_symbol display_name"
            " display_name_overwrite about_description icon_color icon_url base_cbrn quote_cbrn"
            " product_cbrn market_cap volume_24h approximate_quote_24h_volume mid_market_price"
            " best_bid_price best_ask_price price_percentage_change_24h volume_percentage_change_24h"
            " is_alpha_testing fcm_trading_session_details future_product_details"
        ),
        Envelope: "client_id",
        Heartbeat: "client_id events",
        LevelUpdate: "event_time",
        TradesEvent: "type",
        TickersEvent: "type",
        Ticker: ("type volume_24_h low_24_h high_24_h low_52_w high_52_w price_percent_chg_24_h"),
        UserEvent: "positions",
        UserOrder: (
            "time_in_force stop_price post_only number_of_fills completion_percentage"
            " total_value_after_fees outstanding_hold_amount trigger_status product_type"
            " contract_expiry_type risk_managed_by retail_portfolio_id start_time end_time"
        ),
    },
    refusal=Complaint,
)
MESSAGES: Final = Messages(Level2 | MarketTrades | Tickers | User | Subscribed | Heartbeat, KNOWN)
