"""The simulated exchange's own words: products, instructions, orders, fills, refusals.

No venue's wire word is here; each venue module translates. Orders and fills are msgspec Structs
so that the journal writes them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from venues.interface.types import BookSide, OrderType, Side, TimeInForce

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something to trade. Products naming the same market share one book."""

    symbol: str
    base: str
    quote: str
    market: str
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    max_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    maker: Decimal
    taker: Decimal


class Refusal(StrEnum):
    """Why the exchange takes no order."""

    UNKNOWN_PRODUCT = "unknown product"
    BAD_INSTRUCTION = "bad instruction"
    INSUFFICIENT_FUNDS = "insufficient funds"
    QUANTITY_PRECISION = "quantity precision"
    PRICE_PRECISION = "price precision"
    QUANTITY_TOO_SMALL = "quantity too small"
    QUANTITY_TOO_LARGE = "quantity too large"
    NOTIONAL_TOO_SMALL = "notional too small"
    NOTIONAL_TOO_LARGE = "notional too large"
    POST_ONLY_WOULD_CROSS = "post-only would cross"
    STOP_ABOVE_LAST = "stop price above last trade"
    STOP_BELOW_LAST = "stop price below last trade"
    END_IN_THE_PAST = "end time in the past"
    SLICE_TOO_SMALL = "slice too small"
    NO_LIQUIDITY = "no liquidity"
    HALTED = "trading halted"


class Refused(Exception):
    """The exchange takes no such order."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class CancelRefusal(StrEnum):
    UNKNOWN = "unknown order"
    FILLED = "fully filled"
    DONE = "already done"


class AmendRefusal(StrEnum):
    UNKNOWN = "unknown order"
    NOT_OPEN = "order is not open"
    NOT_A_LIMIT = "only good-till-cancelled limit orders can be changed"
    BELOW_FILLED = "no more than what is filled already"
    NOTHING_CHANGES = "equal to what it is"


class State(StrEnum):
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """What an account asks for, as the wire wrote it down to exact numbers."""

    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    slices: int = 0
    post_only: bool = False
    wire: msgspec.Raw = msgspec.Raw(b"{}")


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """What a resting order was changed to."""

    quantity: Decimal
    limit_price: Decimal
    at: datetime


class SimOrder(msgspec.Struct, kw_only=True, eq=False):
    """One order and all that has happened to it."""

    order_id: str
    account: str
    instruction: Instruction
    sequence: int
    created_at: datetime
    state: State = State.OPEN
    is_triggered: bool = True
    filled_quantity: Decimal = ZERO
    filled_value: Decimal = ZERO
    fees: Decimal = ZERO
    held: Decimal = ZERO
    fill_count: int = 0
    last_fill_at: datetime | None = None
    reason: str = ""
    stop_leg_price: Decimal | None = None  # a bracket's limit once its stop has fired
    slices_begun: int = 0
    amendments: list[Amendment] = []

    @property
    def is_buy(self) -> bool:
        return self.instruction.side is Side.BUY

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    @property
    def remaining(self) -> Decimal:
        """What is left of an order sized in base; an order sized in quote has none."""
        quantity = self.instruction.quantity
        return quantity - self.filled_quantity if quantity is not None else ZERO

    @property
    def is_working(self) -> bool:
        """Tell whether it meets the book by itself: a bracket's profit leg does from the start."""
        kind = self.instruction.order_type
        return kind is OrderType.BRACKET or (self.is_triggered and kind is not OrderType.TWAP)

    @property
    def worst_price(self) -> Decimal:
        """Say at which price it may come to trade at most."""
        return max(self.limit_price, self.stop_leg_price or ZERO)

    @property
    def limit_price(self) -> Decimal:
        if self.stop_leg_price is not None and self.is_triggered:
            return self.stop_leg_price
        price = self.instruction.limit_price
        if price is None:
            message = "a market order has no limit price"
            raise ValueError(message)
        return price


class SimFill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of one order."""

    fill_id: str
    trade_id: str
    sequence: int
    order_id: str
    account: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    is_maker: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """A print on a market's tape."""

    trade_id: str
    market: str
    price: Decimal
    quantity: Decimal
    maker_side: Side
    at: datetime


@dataclass(frozen=True, slots=True)
class LevelNow:
    """One level of a market as everybody sees it now; a quantity of zero is no level."""

    side: BookSide
    price: Decimal
    quantity: Decimal
