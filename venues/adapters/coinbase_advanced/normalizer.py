"""The venue's messages into the words every venue speaks. Pure: bytes and a clock reading in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from venues.adapters.coinbase_advanced import wire
from venues.adapters.kit.channels import Envelope
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
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
    Ticker,
    Trade,
)

STATUSES: Final = {
    "PENDING": OrderStatus.PENDING,
    "QUEUED": OrderStatus.PENDING,
    "OPEN": OrderStatus.ACKNOWLEDGED,
    "CANCEL_QUEUED": OrderStatus.ACKNOWLEDGED,
    "EDIT_QUEUED": OrderStatus.ACKNOWLEDGED,
    "FILLED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.EXPIRED,
    "FAILED": OrderStatus.REJECTED,
}
_ORDER_TYPES: Final = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "STOP_LIMIT": OrderType.STOP_LIMIT,
    "STOP LIMIT": OrderType.STOP_LIMIT,
    "BRACKET": OrderType.BRACKET,
    "TWAP": OrderType.TWAP,
}
_TYPE_BY_MEMBER: Final = {
    "stop": OrderType.STOP_LIMIT,
    "trigger": OrderType.BRACKET,
    "twap": OrderType.TWAP,
    "market": OrderType.MARKET,
}
_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_TAKERS: Final = {"BUY": Side.SELL, "SELL": Side.BUY}  # by the maker's side, which the venue names
_LIQUIDITY: Final = {"MAKER": Liquidity.MAKER, "TAKER": Liquidity.TAKER}
_NO_REASON: Final = frozenset({"REJECT_REASON_UNSPECIFIED", "UNKNOWN_REJECT_REASON"})
_BOOK_KINDS: Final = {"snapshot": BookEventKind.SNAPSHOT, "update": BookEventKind.UPDATE}


def status_of(text: str, filled: Decimal) -> OrderStatus:
    """Join the venue's status with what is filled, for it has no word for a partial fill."""
    status = STATUSES.get(text, OrderStatus.UNKNOWN)
    if filled and status is OrderStatus.ACKNOWLEDGED:
        return OrderStatus.PARTIALLY_FILLED
    return status


def _order_type(text: str | None, member: str = "") -> OrderType:
    known = _ORDER_TYPES.get((text or "").upper())
    return known or _TYPE_BY_MEMBER.get(member.partition("_")[0], OrderType.LIMIT)


def read_order(said: wire.Order, raw: Written, received_at: datetime) -> Order:
    member, terms = next(iter((said.order_configuration or {}).items()), ("", None))
    terms = terms or wire.Terms()
    filled, value, fees, average, size, limit = amounts(
        said.filled_size,
        said.filled_value,
        said.total_fees,
        said.average_filled_price,
        terms.base_size,
        terms.limit_price,
    )
    return Order(
        venue_order_id=said.order_id,
        client_order_id=said.client_order_id or "",
        symbol=said.product_id,
        side=one_of(_SIDES, said.side, "the side"),
        order_type=_order_type(said.order_type, member),
        status=status_of(said.status, filled),
        quantity=size if terms.base_size else None,
        notional=optional(terms.quote_size),
        limit_price=limit if terms.limit_price else None,
        filled_quantity=filled,
        filled_value=value,
        fees=fees,
        average_price=average or None,
        created_at=moment(said.created_time),
        received_at=received_at,
        is_cancel_pending=bool(said.pending_cancel) or said.status == "CANCEL_QUEUED",
        reason=first(said.reject_message, said.reject_reason, said.cancel_message, but=_NO_REASON),
        raw=raw,
    )


def read_user_order(said: wire.UserOrder, raw: Written, received_at: datetime) -> Order:
    """Read an order of the private stream, which says less than REST does.

    What is left is counted in the currency the order was sized in, so only orders sized in base
    (all but market orders) have a quantity here.
    """
    filled, value, fees, average, left, limit = amounts(
        said.filled_size,
        said.filled_value,
        said.total_fees,
        said.average_filled_price,
        said.leaves_quantity,
        said.limit_price,
    )
    kind = _order_type(said.order_type)
    is_sized_in_base = kind is not OrderType.MARKET and bool(said.leaves_quantity)
    return Order(
        venue_order_id=said.order_id,
        client_order_id=said.client_order_id or "",
        symbol=said.product_id,
        side=one_of(_SIDES, said.side, "the side"),
        order_type=kind,
        status=status_of(said.status, filled),
        quantity=filled + left if is_sized_in_base else None,
        notional=None,
        limit_price=limit if said.limit_price else None,
        filled_quantity=filled,
        filled_value=value,
        fees=fees,
        average_price=average or None,
        created_at=moment(said.created_time),
        received_at=received_at,
        is_cancel_pending=said.status == "CANCEL_QUEUED",
        reason=first(
            said.reject_reason, said.old_reject_reason, said.cancel_reason, but=_NO_REASON
        ),
        raw=raw,
    )


def read_fill(said: wire.Fill, raw: Written, received_at: datetime) -> Fill | None:
    """Read one execution; None for a correction or reversal, which is not one."""
    if (said.trade_type or "FILL") != "FILL":
        return None
    price, size, fee = amounts(said.price, said.size, said.commission)
    above_zero("price and size of a fill", price, size)
    return Fill(
        venue_execution_id=said.entry_id,
        venue_order_id=said.order_id,
        client_order_id="",
        symbol=said.product_id,
        side=one_of(_SIDES, said.side, "the side"),
        price=price,
        quantity=size / price if said.size_in_quote else size,
        fee=fee,
        fee_currency=said.product_id.rpartition("-")[2],
        liquidity=_LIQUIDITY.get(said.liquidity_indicator or "", Liquidity.UNKNOWN),
        executed_at=time_of(said.trade_time),
        received_at=received_at,
        raw=raw,
    )


def read_balances(accounts: Sequence[wire.Account], received_at: datetime) -> tuple[Balance, ...]:
    """Add up what is held by currency, for one currency may have several wallets."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for account in accounts:
        available, held = sums.get(account.currency, (ZERO, ZERO))
        hold = account.hold or wire.Money()
        sums[account.currency] = (
            available + number(account.available_balance.value),
            held + number(hold.value),
        )
    return tuple(
        Balance(currency=name, available=available, held=held, received_at=received_at)
        for name, (available, held) in sums.items()
    )


def read_book(symbol: str, book: wire.PriceBook, received_at: datetime) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol,
        bids=tuple(Level(number(level.price), number(level.size)) for level in book.bids),
        asks=tuple(Level(number(level.price), number(level.size)) for level in book.asks),
        venue_time=moment(book.time),
        received_at=received_at,
    )


def read_instrument(said: wire.Product) -> Instrument:
    closures = (said.trading_disabled, said.is_disabled, said.view_only, said.cancel_only)
    base, _, quote = said.product_id.rpartition("-")
    return Instrument(
        symbol=said.product_id,
        base=said.base_currency_id or base,
        quote=said.quote_currency_id or quote,
        price_tick=number(said.price_increment or said.quote_increment),
        quantity_step=number(said.base_increment),
        min_quantity=number(said.base_min_size),
        max_quantity=optional(said.base_max_size),
        min_notional=number(said.quote_min_size),
        max_notional=optional(said.quote_max_size),
        is_tradable=said.status in {"online", ""} and not any((*closures, said.auction_mode)),
    )


def read_level2(
    said: wire.Level2Event, symbol: str, envelope: Envelope, received_at: datetime
) -> BookEvent:
    """Read one book event under the symbol its listener asked for."""
    return BookEvent(
        symbol=symbol,
        kind=one_of(_BOOK_KINDS, said.type, "the kind of a book event"),
        changes=check_levels(said.updates),
        sequence=envelope.sequence_num,
        venue_time=moment(envelope.timestamp),
        received_at=received_at,
    )


def still(symbol: str, envelope: Envelope, received_at: datetime) -> BookEvent:
    """Say that the connection lives and nothing changed."""
    return BookEvent(
        symbol=symbol,
        kind=BookEventKind.UPDATE,
        changes=(),
        sequence=envelope.sequence_num,
        venue_time=moment(envelope.timestamp),
        received_at=received_at,
    )


def read_trade(said: wire.PublicTrade, symbol: str, received_at: datetime) -> Trade:
    price, quantity = amounts(said.price, said.size)
    return Trade(
        symbol=symbol,
        venue_trade_id=said.trade_id,
        price=price,
        quantity=quantity,
        side=one_of(_TAKERS, said.side, "the side"),
        venue_time=time_of(said.time),
        received_at=received_at,
    )


def read_ticker(
    said: wire.Ticker, symbol: str, envelope: Envelope, received_at: datetime
) -> Ticker:
    return Ticker(
        symbol=symbol,
        last=optional(said.price),
        bid=optional(said.best_bid),
        bid_quantity=optional(said.best_bid_quantity),
        ask=optional(said.best_ask),
        ask_quantity=optional(said.best_ask_quantity),
        venue_time=moment(envelope.timestamp),
        received_at=received_at,
    )
