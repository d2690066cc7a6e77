"""The venue's messages as it writes them: only the members we read; the rest is ignored."""

from __future__ import annotations

import msgspec

from venues.adapters.kit.reading import Wire


class Order(Wire):
    id: str
    product_id: str
    side: str
    status: str
    type: str | None = None
    client_oid: str | None = ""
    size: str | None = None
    price: str | None = None
    funds: str | None = None
    stop: str | None = None
    filled_size: str | None = None
    executed_value: str | None = None
    fill_fees: str | None = None
    created_at: str | None = None
    done_reason: str | None = None
    reject_reason: str | None = None
    cancel_reason: str | None = None


class Fill(Wire):
    trade_id: int
    order_id: str
    product_id: str
    side: str
    price: str
    size: str
    created_at: str
    fee: str | None = None
    liquidity: str | None = None


class Account(Wire):
    currency: str
    available: str
    hold: str | None = None


class Book(Wire):
    bids: list[tuple[str, str, msgspec.Raw]]
    asks: list[tuple[str, str, msgspec.Raw]]
    time: str | None = None


class Product(Wire):
    id: str
    base_currency: str
    quote_currency: str
    quote_increment: str
    base_increment: str
    min_market_funds: str | None = None
    status: str | None = "online"
    cancel_only: bool | None = False
    trading_disabled: bool | None = False
    auction_mode: bool | None = False


class ServerTime(Wire):
    iso: str


class Fees(Wire):
    maker_fee_rate: str
    taker_fee_rate: str


class ErrorBody(Wire):
    message: str | None = ""


class Message(Wire):
    """The head of every socket message; which struct reads the rest depends on it."""

    type: str
    product_id: str = ""
    order_id: str = ""
    side: str = ""
    taker_order_id: str = ""
    maker_order_id: str = ""
    taker_user_id: str = ""
    maker_user_id: str = ""
    last_trade_id: int | None = None
    message: str | None = ""
    reason: str | None = ""


class Snapshot(Wire):
    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    time: str | None = None


class Update(Wire):
    product_id: str
    changes: list[tuple[str, str, str]]
    time: str | None = None


class Match(Wire):
    product_id: str
    trade_id: int
    price: str
    size: str
    side: str
    time: str


class Ticker(Wire):
    product_id: str
    price: str | None = None
    best_bid: str | None = None
    best_bid_size: str | None = None
    best_ask: str | None = None
    best_ask_size: str | None = None
    time: str | None = None


class Received(Wire):
    order_id: str
    product_id: str
    side: str
    order_type: str | None = "limit"
    client_oid: str | None = ""
    size: str | None = None
    price: str | None = None
    funds: str | None = None
    time: str | None = None
