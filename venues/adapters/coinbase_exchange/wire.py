"""The venue's messages as it writes them: the members we read, and by name those we do not."""

from __future__ import annotations

from typing import Final

import msgspec

from venues.adapters.kit.reading import Messages, Wire
from venues.adapters.kit.watching import Known
from venues.interface.types import BookSide, LevelChange


class Order(Wire):
    id: str
    product_id: str
    side: str
    status: str
    type: str | None = None
    client_oid: str | None = ""
    size: str | None = ""
    price: str | None = ""
    funds: str | None = None
    stop: str | None = None
    filled_size: str | None = ""
    executed_value: str | None = ""
    fill_fees: str | None = ""
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
    fee: str | None = ""
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


class Bid(LevelChange, frozen=True, array_like=True, kw_only=True, eq=False):
    """Written as price and size, in a list of its own."""

    side: BookSide = BookSide.BID


class Ask(LevelChange, frozen=True, array_like=True, kw_only=True, eq=False):
    """Written as price and size, in a list of its own."""

    side: BookSide = BookSide.ASK


class Change(LevelChange, frozen=True, array_like=True, eq=False):
    """Written as side, price and size."""


class Head(Wire):
    """The head of a socket message of whatever kind."""

    type: str
    message: str | None = ""
    reason: str | None = ""


class Message(Wire, tag_field="type", tag="", kw_only=True):
    """A socket message about a product; its type says what else is in it."""

    product_id: str


class Subscribed(Wire, tag_field="type", tag="subscriptions"):
    """What is subscribed to proves nothing here; data does."""


class Heartbeat(Message, tag="heartbeat", kw_only=True):
    last_trade_id: int | None = None


class Snapshot(Message, tag="snapshot", kw_only=True):
    bids: list[Bid]
    asks: list[Ask]
    time: str | None = None


class Update(Message, tag="l2update", kw_only=True):
    changes: list[Change]
    time: str | None = None


class Match(Message, tag="match", kw_only=True):
    """A trade; on the private channel with the user who is on our side of it."""

    trade_id: int
    price: str
    size: str
    side: str
    time: str
    taker_order_id: str = ""
    maker_order_id: str = ""
    taker_user_id: str = ""


class LastMatch(Match, tag="last_match"):
    """The trade before the first one told."""


class Ticker(Message, tag="ticker", kw_only=True):
    price: str | None = None
    best_bid: str | None = None
    best_bid_size: str | None = None
    best_ask: str | None = None
    best_ask_size: str | None = None
    time: str | None = None


class Received(Message, tag="received", kw_only=True):
    order_id: str
    side: str
    order_type: str | None = "limit"
    client_oid: str | None = ""
    size: str | None = None
    price: str | None = None
    funds: str | None = None
    time: str | None = None


class Opened(Message, tag="open", kw_only=True):
    """What names an own order and says little else."""

    order_id: str = ""
    side: str = ""


class Done(Opened, tag="done"):
    """It rests no more."""


class Changed(Opened, tag="change"):
    """It became smaller, or moved."""


class Activated(Opened, tag="activate"):
    """A stop is in the venue's hands."""


# What the venue's documents name beside what is read above; anything else is a drift report.
KNOWN: Final = Known(
    {
        ServerTime: "epoch",
        Order: (
            "profile_id time_in_force post_only settled specified_funds expire_time done_at"
            " stop_price funding_amount market_type max_floor secondary_order_id stop_limit_price"
        ),
        Fill: "user_id profile_id settled usd_volume funding_currency",
        Account: "id balance profile_id trading_enabled pending_deposit display_name",
        Book: "sequence auction_mode auction",
        Product: (
            "display_name margin_enabled post_only limit_only status_message fx_stablecoin"
            " max_slippage_percentage base_min_size base_max_size max_market_funds"
        ),
        Fees: "usd_volume",
        Subscribed: "channels product_ids",
        Heartbeat: "sequence time",
        Match: (
            "sequence user_id profile_id taker_profile_id taker_fee_rate maker_user_id"
            " maker_profile_id maker_fee_rate"
        ),
        Ticker: (
            "sequence open_24h volume_24h low_24h high_24h volume_30d side trade_id last_size"
        ),
        Received: "sequence user_id profile_id",
        Opened: "sequence time price remaining_size user_id profile_id",
        Done: ("sequence time price remaining_size reason cancel_reason user_id profile_id"),
        Changed: (
            "sequence time price reason old_size new_size old_price new_price user_id profile_id"
        ),
        Activated: "timestamp user_id profile_id stop_type stop_price size funds private",
    },
    refusal=ErrorBody,
)
MESSAGES: Final = Messages(
    Subscribed
    | Heartbeat
    | Snapshot
    | Update
    | Match
    | LastMatch
    | Ticker
    | Received
    | Opened
    | Done
    | Changed
    | Activated,
    KNOWN,
)
