"""Canonical values with sane contents: name only what the test is about.

Amounts may be written as text or whole numbers; a float is refused here as everywhere. What is not
named is a bitcoin order of half a coin at 50,000 dollars, at noon of a Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from venues.interface.numbers import exact
from venues.interface.types import (
    Balance,
    BookEvent,
    BookEventKind,
    BookSide,
    BookSnapshot,
    Fee,
    Fill,
    Health,
    Instrument,
    KeyRights,
    Kline,
    Level,
    LevelChange,
    Liquidity,
    Order,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Position,
    Quote,
    QuoteRequest,
    Side,
    StreamReset,
    Ticker,
    Trade,
    Transaction,
    TransactionStatus,
)

T = TypeVar("T")

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
SYMBOL: Final = "BTC-USD"
ZERO: Final = Decimal(0)

# One side of a book as one writes it in a test: price and quantity, best first.
Levels = Iterable[tuple[str, str]]


def _made(kind: type[T], usual: Mapping[str, Any], named: Mapping[str, Any]) -> T:
    values = {**usual, **named}
    for one in fields(kind):  # type: ignore[arg-type]
        value = values.get(one.name)
        if "Decimal" in str(one.type) and value is not None:
            values[one.name] = exact(value)
    return kind(**values)


# Orders


def order_request(**named: Any) -> OrderRequest:
    usual: dict[str, Any] = {
        "client_order_id": "C-1",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
    }
    if "notional" not in named:
        usual["quantity"] = "0.5"
    if named.get("order_type", OrderType.LIMIT) is not OrderType.MARKET:
        usual["limit_price"] = "50000"
    return _made(OrderRequest, usual, named)


def order_ref(**named: Any) -> OrderRef:
    return _made(OrderRef, {"symbol": SYMBOL, "client_order_id": "C-1"}, named)


def order(**named: Any) -> Order:
    """Make an order that rests; one that is said to be filled is filled whole, at its limit."""
    usual: dict[str, Any] = {
        "venue_order_id": f"V-{named.get('client_order_id', 'C-1')}",
        "client_order_id": "C-1",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "status": OrderStatus.ACKNOWLEDGED,
        "quantity": "0.5",
        "notional": None,
        "limit_price": "50000",
        "filled_quantity": ZERO,
        "filled_value": ZERO,
        "fees": ZERO,
        "average_price": None,
        "created_at": NOON,
        "received_at": NOON,
    }
    if named.get("status") is OrderStatus.FILLED and "filled_quantity" not in named:
        usual |= _filled_whole({**usual, **named})
    return _made(Order, usual, named)


def _filled_whole(terms: Mapping[str, Any]) -> dict[str, Any]:
    quantity, price = terms["quantity"], terms["limit_price"]
    if quantity is None or price is None:
        return {}
    size, paid = exact(quantity), exact(price)
    return {"filled_quantity": size, "filled_value": size * paid, "average_price": paid}


def order_for(request: OrderRequest, **named: Any) -> Order:
    """Make the order a venue keeps after it took this request."""
    asked = {
        "client_order_id": request.client_order_id,
        "symbol": request.symbol,
        "side": request.side,
        "order_type": request.order_type,
        "quantity": request.quantity,
        "notional": request.notional,
        "limit_price": request.limit_price,
    }
    return order(**{**asked, **named})


def fill(**named: Any) -> Fill:
    usual = {
        "venue_execution_id": "E-1",
        "venue_order_id": f"V-{named.get('client_order_id', 'C-1')}",
        "client_order_id": "C-1",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "price": "50000",
        "quantity": "0.5",
        "fee": "0.1",
        "fee_currency": "USD",
        "liquidity": Liquidity.TAKER,
        "executed_at": NOON,
        "received_at": NOON,
    }
    return _made(Fill, usual, named)


def order_update(*, is_snapshot: bool = False, **named: Any) -> OrderUpdate:
    """Make a private stream's word on an order; the names are the order's."""
    made = order(**named)
    return OrderUpdate(order=made, is_snapshot=is_snapshot, received_at=made.received_at)


def reset(reason: str = "connection lost", **named: Any) -> StreamReset:
    return _made(StreamReset, {"reason": reason, "received_at": NOON}, named)


# The account


def balance(**named: Any) -> Balance:
    usual = {"currency": "USD", "available": "100000", "held": ZERO, "received_at": NOON}
    return _made(Balance, usual, named)


def position(**named: Any) -> Position:
    usual = {
        "symbol": SYMBOL,
        "quantity": "0.5",
        "entry_price": "50000",
        "mark_price": "50000",
        "unrealised": ZERO,
        "liquidation_price": None,
        "margin": "2500",
        "received_at": NOON,
    }
    return _made(Position, usual, named)


def fee(**named: Any) -> Fee:
    usual = {"symbol": "", "maker": "0.0040", "taker": "0.0060", "received_at": NOON}
    return _made(Fee, usual, named)


def transaction(**named: Any) -> Transaction:
    usual = {
        "venue_transaction_id": "T-1",
        "client_transaction_id": "CT-1",
        "currency": "BTC",
        "quantity": "0.5",
        "fee": "0.0001",
        "source": "vault",
        "destination": "exchange",
        "status": TransactionStatus.COMPLETED,
        "chain_hash": "0xabc",
        "created_at": NOON,
        "received_at": NOON,
    }
    return _made(Transaction, usual, named)


def key_rights(**named: Any) -> KeyRights:
    return _made(KeyRights, {"can_view": True, "can_trade": True, "can_transfer": False}, named)


def health(**named: Any) -> Health:
    usual = {"is_up": True, "latency_seconds": 0.02, "clock_offset_seconds": 0.0}
    return _made(Health, usual, named)


# The market


def book(
    *, bids: Levels = (("49999", "1"),), asks: Levels = (("50001", "1"),), **named: Any
) -> BookSnapshot:
    usual = {
        "symbol": SYMBOL,
        "bids": tuple(Level(exact(price), exact(size)) for price, size in bids),
        "asks": tuple(Level(exact(price), exact(size)) for price, size in asks),
        "venue_time": NOON,
        "received_at": NOON,
    }
    return _made(BookSnapshot, usual, named)


def book_event(*, bids: Levels = (), asks: Levels = (), **named: Any) -> BookEvent:
    """Make a snapshot or, by `kind`, an update, whose quantity of zero takes a level away."""
    changes = [LevelChange(BookSide.BID, price, size) for price, size in bids]
    changes += [LevelChange(BookSide.ASK, price, size) for price, size in asks]
    usual = {
        "symbol": SYMBOL,
        "kind": BookEventKind.SNAPSHOT,
        "changes": tuple(changes),
        "sequence": None,
        "venue_time": NOON,
        "received_at": NOON,
    }
    return _made(BookEvent, usual, named)


def trade(**named: Any) -> Trade:
    usual = {
        "symbol": SYMBOL,
        "venue_trade_id": "1",
        "price": "50000",
        "quantity": "0.1",
        "side": Side.BUY,
        "venue_time": NOON,
        "received_at": NOON,
    }
    return _made(Trade, usual, named)


def ticker(**named: Any) -> Ticker:
    usual = {
        "symbol": SYMBOL,
        "last": "50000",
        "bid": "49999",
        "bid_quantity": "1",
        "ask": "50001",
        "ask_quantity": "1",
        "venue_time": NOON,
        "received_at": NOON,
    }
    return _made(Ticker, usual, named)


def kline(**named: Any) -> Kline:
    usual = {
        "symbol": SYMBOL,
        "opened_at": NOON,
        "span_seconds": 60,
        "open": "50000",
        "high": "50010",
        "low": "49990",
        "close": "50005",
        "quantity": "12.5",
        "is_closed": True,
        "received_at": NOON,
    }
    return _made(Kline, usual, named)


def instrument(**named: Any) -> Instrument:
    base, _, quoted = str(named.get("symbol", SYMBOL)).partition("-")
    usual = {
        "symbol": SYMBOL,
        "base": base,
        "quote": quoted,
        "price_tick": "0.01",
        "quantity_step": "0.0001",
        "min_quantity": "0.0001",
        "max_quantity": None,
        "min_notional": "1",
        "max_notional": None,
        "is_tradable": True,
    }
    return _made(Instrument, usual, named)


# Dealers


def quote_request(**named: Any) -> QuoteRequest:
    usual: dict[str, Any] = {"client_order_id": "C-1", "symbol": SYMBOL, "side": Side.BUY}
    if "notional" not in named:
        usual["quantity"] = "0.5"
    return _made(QuoteRequest, usual, named)


def quote(**named: Any) -> Quote:
    usual = {
        "quote_id": "Q-1",
        "client_order_id": "C-1",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "bid": None,
        "ask": "50010",
        "quantity": "0.5",
        "notional": None,
        "expires_at": NOON + timedelta(seconds=10),
        "received_at": NOON,
    }
    return _made(Quote, usual, named)
