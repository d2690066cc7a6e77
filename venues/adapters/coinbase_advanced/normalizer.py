"""The venue's messages into the words every venue speaks. Pure: bytes and a clock reading in.

Whatever cannot be read raises `Unreadable` and nothing else. An unknown status or side is not
unreadable where a word for "unknown" exists: the caller is told through the order's own status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from venues.adapters.coinbase_advanced import wire
from venues.interface.numbers import BadNumber, exact
from venues.interface.times import BadTime, from_rfc3339
from venues.interface.types import (
    Balance,
    Fill,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
)

T = TypeVar("T")

ZERO: Final = Decimal(0)

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
    "BRACKET": OrderType.BRACKET,
    "TWAP": OrderType.TWAP,
}
_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_LIQUIDITY: Final = {"MAKER": Liquidity.MAKER, "TAKER": Liquidity.TAKER}
_NO_REASON: Final = frozenset({"REJECT_REASON_UNSPECIFIED", "UNKNOWN_REJECT_REASON"})
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Unreadable(ValueError):
    """The message is not what the venue's documents say."""


def decode(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except _BROKEN as error:
        raise Unreadable(f"{kind.__name__}: {error}"[:300]) from error


def _raw(body: msgspec.Raw) -> Mapping[str, object]:
    try:
        plain: dict[str, object] = msgspec.json.decode(body)
    except _BROKEN as error:
        raise Unreadable(str(error)[:300]) from error
    return plain


def number(text: str | None) -> Decimal:
    """Read an amount; this venue leaves an amount it does not have empty."""
    if not text:
        return ZERO
    try:
        return exact(text)
    except BadNumber as error:
        raise Unreadable(str(error)) from error


def optional(text: str | None) -> Decimal | None:
    return number(text) if text else None


def moment(text: str | None) -> datetime | None:
    """Read a time; the year 1 is this venue's way to say "none"."""
    if not text:
        return None
    try:
        read = from_rfc3339(text)
    except (BadTime, OverflowError) as error:
        raise Unreadable(str(error)) from error
    return None if read.year == 1 else read


def time_of(text: str) -> datetime:
    read = moment(text)
    if read is None:
        message = "a time is missing"
        raise Unreadable(message)
    return read


def side_of(text: str) -> Side:
    side = _SIDES.get(text.upper())
    if side is None:
        message = f"neither BUY nor SELL: {text!r:.40}"
        raise Unreadable(message)
    return side


def status_of(text: str, filled: Decimal) -> OrderStatus:
    """Join the venue's status with what is filled, for it has no word for a partial fill."""
    status = STATUSES.get(text, OrderStatus.UNKNOWN)
    if status is OrderStatus.ACKNOWLEDGED and filled > 0:
        return OrderStatus.PARTIALLY_FILLED
    return status


def _order_type(text: str | None, member: str = "") -> OrderType:
    said = (text or "").strip().upper().replace(" ", "_")
    known = _ORDER_TYPES.get(said)
    if known is not None:
        return known
    for word, kind in (
        ("stop", OrderType.STOP_LIMIT),
        ("trigger", OrderType.BRACKET),
        ("twap", OrderType.TWAP),
        ("market", OrderType.MARKET),
    ):
        if member.startswith(word):
            return kind
    return OrderType.LIMIT


def read_order(body: msgspec.Raw, received_at: datetime) -> Order:
    said = decode(body, wire.Order)
    configuration = said.order_configuration or {}
    member, terms = next(iter(configuration.items()), ("", None))
    terms = terms or wire.Terms()
    filled = number(said.filled_size)
    reasons = (said.reject_message, said.reject_reason, said.cancel_message)
    return Order(
        venue_order_id=said.order_id,
        client_order_id=said.client_order_id or "",
        symbol=said.product_id,
        side=side_of(said.side),
        order_type=_order_type(said.order_type, member),
        status=status_of(said.status, filled),
        quantity=optional(terms.base_size),
        notional=optional(terms.quote_size),
        limit_price=optional(terms.limit_price),
        filled_quantity=filled,
        filled_value=number(said.filled_value),
        fees=number(said.total_fees),
        average_price=number(said.average_filled_price) or None,
        created_at=moment(said.created_time),
        received_at=received_at,
        is_cancel_pending=bool(said.pending_cancel) or said.status == "CANCEL_QUEUED",
        reason=_first_reason(reasons),
        raw=_raw(body),
    )


def _first_reason(reasons: tuple[str | None, ...]) -> str:
    return next((reason for reason in reasons if reason and reason not in _NO_REASON), "")


def read_user_order(body: msgspec.Raw, received_at: datetime) -> Order:
    """Read an order of the private stream, which says less than REST does.

    What is left is counted in the currency the order was sized in, so only orders sized in base
    (all but market orders) have a quantity here.
    """
    said = decode(body, wire.UserOrder)
    filled = number(said.cumulative_quantity)
    kind = _order_type(said.order_type)
    is_sized_in_base = kind is not OrderType.MARKET and bool(said.leaves_quantity)
    return Order(
        venue_order_id=said.order_id,
        client_order_id=said.client_order_id or "",
        symbol=said.product_id,
        side=side_of(said.order_side),
        order_type=kind,
        status=status_of(said.status, filled),
        quantity=filled + number(said.leaves_quantity) if is_sized_in_base else None,
        notional=None,
        limit_price=optional(said.limit_price),
        filled_quantity=filled,
        filled_value=number(said.filled_value),
        fees=number(said.total_fees),
        average_price=number(said.avg_price) or None,
        created_at=moment(said.creation_time),
        received_at=received_at,
        is_cancel_pending=said.status == "CANCEL_QUEUED",
        reason=_first_reason((said.reject_reason, said.cancel_reason)),
        raw=_raw(body),
    )


def read_fill(body: msgspec.Raw, received_at: datetime) -> Fill | None:
    """Read one execution; None for a correction or reversal, which is not one."""
    said = decode(body, wire.Fill)
    if (said.trade_type or "FILL") != "FILL":
        return None
    price = number(said.price)
    size = number(said.size)
    if price <= 0 or size <= 0:
        message = "a fill without price or size"
        raise Unreadable(message)
    return Fill(
        venue_execution_id=said.entry_id,
        venue_order_id=said.order_id,
        client_order_id="",
        symbol=said.product_id,
        side=side_of(said.side),
        price=price,
        quantity=size / price if said.size_in_quote else size,
        fee=number(said.commission),
        fee_currency=said.product_id.rpartition("-")[2],
        liquidity=_LIQUIDITY.get(said.liquidity_indicator or "", Liquidity.UNKNOWN),
        executed_at=time_of(said.trade_time),
        received_at=received_at,
        raw=_raw(body),
    )


def read_balances(accounts: list[wire.Account], received_at: datetime) -> tuple[Balance, ...]:
    """Add up what is held by currency, for one currency may have several wallets."""
    available: dict[str, Decimal] = {}
    held: dict[str, Decimal] = {}
    for account in accounts:
        currency = account.currency
        hold = account.hold.value if account.hold else None
        available[currency] = available.get(currency, ZERO) + number(
            account.available_balance.value
        )
        held[currency] = held.get(currency, ZERO) + number(hold)
    return tuple(
        Balance(currency=name, available=available[name], held=held[name], received_at=received_at)
        for name in available
    )


def list_of(kind: type[T]) -> Any:
    """Name a list type for the decoder."""
    return list[kind]  # type: ignore[valid-type]
