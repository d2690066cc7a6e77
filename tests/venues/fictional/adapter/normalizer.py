"""Harbour's messages into the words every venue speaks. Pure: bytes and a clock reading in."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from tests.venues.fictional.adapter import wire
from venues.adapters.kit.reading import (
    check_levels,
    decode,
    number,
    one_of,
    optional,
    plain_raw,
    positive,
    unix_time,
)
from venues.interface.types import (
    Balance,
    BookEvent,
    BookEventKind,
    BookSide,
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
    Trade,
)

STATES = {
    "taken": OrderStatus.PENDING,
    "resting": OrderStatus.ACKNOWLEDGED,
    "filled": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELLED,
    "lapsed": OrderStatus.EXPIRED,
}
WAYS = {"buy": Side.BUY, "sell": Side.SELL}
KINDS = {"market": OrderType.MARKET, "limit": OrderType.LIMIT}
MADE = {True: Liquidity.MAKER, False: Liquidity.TAKER, None: Liquidity.UNKNOWN}


def status_of(state: str, filled: Decimal) -> OrderStatus:
    status = STATES.get(state, OrderStatus.UNKNOWN)
    is_partly_filled = status is OrderStatus.ACKNOWLEDGED and filled > 0
    return OrderStatus.PARTIALLY_FILLED if is_partly_filled else status


def read_order(body: msgspec.Raw, received_at: datetime) -> Order:
    said = decode(body, wire.Order)
    filled, value = number(said.done), number(said.paid)
    return Order(
        venue_order_id=said.id,
        client_order_id=said.ref,
        symbol=said.market,
        side=one_of(WAYS, said.way, "the way"),
        order_type=one_of(KINDS, said.kind, "the kind"),
        status=status_of(said.state, filled),
        quantity=optional(said.amount),
        notional=None,
        limit_price=optional(said.price),
        filled_quantity=filled,
        filled_value=value,
        fees=number(said.fee),
        average_price=value / filled if filled else None,
        created_at=None if said.at is None else unix_time(said.at),
        received_at=received_at,
        raw=plain_raw(body),
    )


def read_fill(body: msgspec.Raw, received_at: datetime) -> Fill:
    said = decode(body, wire.Fill)
    return Fill(
        venue_execution_id=said.id,
        venue_order_id=said.order,
        client_order_id=said.ref,
        symbol=said.market,
        side=one_of(WAYS, said.way, "the way"),
        price=positive("a fill's price", said.price),
        quantity=positive("a fill's amount", said.amount),
        fee=number(said.fee),
        fee_currency=said.market.rpartition("-")[2],
        liquidity=MADE[said.made],
        executed_at=unix_time(said.at),
        received_at=received_at,
        raw=plain_raw(body),
    )


def read_balance(said: wire.Purse, received_at: datetime) -> Balance:
    return Balance(
        currency=said.coin,
        available=number(said.free),
        held=number(said.locked),
        received_at=received_at,
    )


def read_instrument(said: wire.Market) -> Instrument:
    step = positive("the step", said.step)
    return Instrument(
        symbol=said.market,
        base=said.base,
        quote=said.quote,
        price_tick=positive("the tick", said.tick),
        quantity_step=step,
        min_quantity=step,
        max_quantity=None,
        min_notional=number(said.least),
        max_notional=None,
        is_tradable=bool(said.open),
    )


def read_book(symbol: str, said: wire.Book, depth: int, received_at: datetime) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol,
        bids=tuple(Level(number(price), number(size)) for price, size in said.bids[:depth]),
        asks=tuple(Level(number(price), number(size)) for price, size in said.asks[:depth]),
        venue_time=None if said.at is None else unix_time(said.at),
        received_at=received_at,
    )


def read_book_event(said: wire.Message, kind: BookEventKind, received_at: datetime) -> BookEvent:
    changes = [LevelChange(BookSide.BID, price, size) for price, size in said.bids]
    changes += [LevelChange(BookSide.ASK, price, size) for price, size in said.asks]
    return BookEvent(
        symbol=said.market,
        kind=kind,
        changes=check_levels(tuple(changes)),
        sequence=said.n,
        venue_time=None,
        received_at=received_at,
    )


def read_trade(market: str, said: wire.Trade, received_at: datetime) -> Trade:
    return Trade(
        symbol=market,
        venue_trade_id=said.id,
        price=positive("a trade's price", said.price),
        quantity=positive("a trade's amount", said.amount),
        side=one_of(WAYS, said.way, "the way"),
        venue_time=unix_time(said.at),
        received_at=received_at,
    )
