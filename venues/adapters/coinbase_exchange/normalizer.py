"""The venue's messages into the words every venue speaks. Pure: bytes and a clock reading in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from venues.adapters.coinbase_exchange import wire
from venues.adapters.kit.reading import (
    ZERO,
    Written,
    above_zero,
    amounts,
    check_levels,
    first,
    moment,
    number,
    one_of,
    optional,
    time_of,
)
from venues.interface.types import (
    Balance,
    BookEvent,
    BookEventKind,
    BookSnapshot,
    Fill,
    Instrument,
    Level,
    LevelChange,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
    Ticker,
    Trade,
)

STATUSES: Final = {
    "pending": OrderStatus.PENDING,
    "received": OrderStatus.PENDING,
    "active": OrderStatus.ACKNOWLEDGED,
    "open": OrderStatus.ACKNOWLEDGED,
    "rejected": OrderStatus.REJECTED,
}
_DONE: Final = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}
_TIME_WAS_UP: Final = "101"
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_TAKERS: Final = {"buy": Side.SELL, "sell": Side.BUY}  # by the maker's side, which the venue names
_LIQUIDITY: Final = {"M": Liquidity.MAKER, "T": Liquidity.TAKER}


def status_of(said: wire.Order, filled: Decimal) -> OrderStatus:
    """Join the venue's status with why it is done and with what is filled."""
    if said.status == "done":
        if said.done_reason == "canceled" and (said.cancel_reason or "").startswith(_TIME_WAS_UP):
            return OrderStatus.EXPIRED
        return _DONE.get(said.done_reason or "", OrderStatus.UNKNOWN)
    status = STATUSES.get(said.status, OrderStatus.UNKNOWN)
    is_partly_filled = status is OrderStatus.ACKNOWLEDGED and filled > 0
    return OrderStatus.PARTIALLY_FILLED if is_partly_filled else status


def read_order(said: wire.Order, raw: Written, received_at: datetime) -> Order:
    filled, value, fees, size, limit = amounts(
        said.filled_size, said.executed_value, said.fill_fees, said.size, said.price
    )
    kind = OrderType.STOP_LIMIT if said.stop else OrderType.LIMIT
    return Order(
        venue_order_id=said.id,
        client_order_id=said.client_oid or "",
        symbol=said.product_id,
        side=one_of(SIDES, said.side, "the side"),
        order_type=OrderType.MARKET if said.type == "market" else kind,
        status=status_of(said, filled),
        quantity=size if said.size else None,
        notional=None if said.size else optional(said.funds),
        limit_price=limit if said.price else None,
        filled_quantity=filled,
        filled_value=value,
        fees=fees,
        average_price=value / filled if filled else None,
        created_at=moment(said.created_at),
        received_at=received_at,
        reason=first(said.reject_reason, said.cancel_reason),
        raw=raw,
    )


def read_received(said: wire.Received, raw: Written, received_at: datetime) -> Order:
    """Read the first word on an own order, the only one that carries our id."""
    return Order(
        venue_order_id=said.order_id,
        client_order_id=said.client_oid or "",
        symbol=said.product_id,
        side=one_of(SIDES, said.side, "the side"),
        order_type=OrderType.MARKET if said.order_type == "market" else OrderType.LIMIT,
        status=OrderStatus.PENDING,
        quantity=optional(said.size),
        notional=optional(said.funds),
        limit_price=optional(said.price),
        filled_quantity=ZERO,
        filled_value=ZERO,
        fees=ZERO,
        average_price=None,
        created_at=moment(said.time),
        received_at=received_at,
        raw=raw,
    )


def read_fill(said: wire.Fill, raw: Written, received_at: datetime) -> Fill:
    """Read one execution. A trade between two orders of one account is two: the order parts them."""
    price, quantity, fee = amounts(said.price, said.size, said.fee)
    above_zero("price and size of a fill", price, quantity)
    return Fill(
        venue_execution_id=f"{said.trade_id}/{said.order_id}",
        venue_order_id=said.order_id,
        client_order_id="",
        symbol=said.product_id,
        side=one_of(SIDES, said.side, "the side"),
        price=price,
        quantity=quantity,
        fee=fee,
        fee_currency=said.product_id.rpartition("-")[2],
        liquidity=_LIQUIDITY.get(said.liquidity or "", Liquidity.UNKNOWN),
        executed_at=time_of(said.created_at),
        received_at=received_at,
        raw=raw,
    )


def read_balance(said: wire.Account, received_at: datetime) -> Balance:
    return Balance(
        currency=said.currency,
        available=number(said.available),
        held=number(said.hold),
        received_at=received_at,
    )


def read_book(symbol: str, said: wire.Book, depth: int, received_at: datetime) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol,
        bids=tuple(Level(number(price), number(size)) for price, size, _ in said.bids[:depth]),
        asks=tuple(Level(number(price), number(size)) for price, size, _ in said.asks[:depth]),
        venue_time=moment(said.time),
        received_at=received_at,
    )


def read_instrument(said: wire.Product) -> Instrument:
    """Read a product; the venue states no smallest size beside its step, and no largest."""
    step = number(said.base_increment)
    is_closed = said.cancel_only or said.trading_disabled or said.auction_mode
    return Instrument(
        symbol=said.id,
        base=said.base_currency,
        quote=said.quote_currency,
        price_tick=number(said.quote_increment),
        quantity_step=step,
        min_quantity=step,
        max_quantity=None,
        min_notional=number(said.min_market_funds),
        max_notional=None,
        is_tradable=said.status == "online" and not is_closed,
    )


def read_snapshot(said: wire.Snapshot, received_at: datetime) -> BookEvent:
    levels = [*said.bids, *said.asks]
    return _book_event(said, BookEventKind.SNAPSHOT, levels, said.time, received_at)


def read_update(said: wire.Update, received_at: datetime) -> BookEvent:
    return _book_event(said, BookEventKind.UPDATE, said.changes, said.time, received_at)


def still(said: wire.Message, received_at: datetime) -> BookEvent:
    """Say that the connection lives and nothing changed."""
    return _book_event(said, BookEventKind.UPDATE, (), None, received_at)


def _book_event(
    said: wire.Message,
    kind: BookEventKind,
    levels: Sequence[LevelChange],
    time: str | None,
    received_at: datetime,
) -> BookEvent:
    return BookEvent(
        symbol=said.product_id,
        kind=kind,
        changes=check_levels(levels),
        sequence=None,
        venue_time=moment(time),
        received_at=received_at,
    )


def read_trade(said: wire.Match, received_at: datetime) -> Trade:
    price, quantity = amounts(said.price, said.size)
    return Trade(
        symbol=said.product_id,
        venue_trade_id=str(said.trade_id),
        price=price,
        quantity=quantity,
        side=one_of(_TAKERS, said.side, "the side"),
        venue_time=time_of(said.time),
        received_at=received_at,
    )


def read_ticker(said: wire.Ticker, received_at: datetime) -> Ticker:
    return Ticker(
        symbol=said.product_id,
        last=optional(said.price),
        bid=optional(said.best_bid),
        bid_quantity=optional(said.best_bid_size),
        ask=optional(said.best_ask),
        ask_quantity=optional(said.best_ask_size),
        venue_time=moment(said.time),
        received_at=received_at,
    )
