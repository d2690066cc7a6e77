"""The words every venue speaks: frozen, exact, with the venue's clock and ours.

What a venue said lives here. What the desk decided lives in `trading.states`; one function
there joins the two vocabularies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from venues.interface.messages import BookSide as BookSide  # noqa: PLC0414 -- told from here
from venues.interface.messages import LevelChange as LevelChange  # noqa: PLC0414 -- told from here
from venues.interface.messages import Message

T_co = TypeVar("T_co", covariant=True)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP_LIMIT = "stop_limit"
    BRACKET = "bracket"
    TWAP = "twap"
    VWAP = "vwap"
    RFQ = "rfq"


class TimeInForce(StrEnum):
    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"


class OrderStatus(StrEnum):
    """What the venue says about an order. PENDING is received but not yet acknowledged."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"
    UNKNOWN = "unknown"


OPEN_STATUSES: Final = frozenset(
    {OrderStatus.PENDING, OrderStatus.ACKNOWLEDGED, OrderStatus.PARTIALLY_FILLED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An instruction to a venue. Exactly one of `quantity` (base) and `notional` (quote) is set.

    A bracket takes its profit at `limit_price` and stops its loss at `stop_price`. A TWAP or VWAP
    runs from `starts_at` (now, when it names none) to `expires_at`, in `slices` parts where the venue
    lets one say so. An RFQ accepts the quote it names.
    """

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
    slices: int | None = None
    quote_id: str = ""
    post_only: bool = False

    def __post_init__(self) -> None:
        _sized_once(self.quantity, self.notional)


def _sized_once(quantity: Decimal | None, notional: Decimal | None) -> None:
    if (quantity is None) == (notional is None):
        message = "it names a quantity or a notional, and only one of them"
        raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRef:
    """How to find one order: by the venue's id where known, else by ours within a symbol and time.

    The side lets an adapter tell of an order that its venue names no more.
    """

    symbol: str
    client_order_id: str
    venue_order_id: str = ""
    sent_at: datetime | None = None
    side: Side | None = None


class Order(Message, frozen=True, kw_only=True, gc=False):
    """One order as the venue reports it."""

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    status: OrderStatus
    quantity: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    filled_quantity: Decimal
    filled_value: Decimal
    fees: Decimal
    average_price: Decimal | None
    created_at: datetime | None
    received_at: datetime
    is_cancel_pending: bool = False
    reason: str = ""
    raw: Mapping[str, object] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders or fills to list: no statuses are all of them. `cursor` continues a page.

    Venues that list one symbol at a time need `symbols` named; no symbols are all of them elsewhere.
    """

    symbols: tuple[str, ...] = ()
    side: Side | None = None
    statuses: frozenset[OrderStatus] = frozenset()
    venue_order_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """One page of a listing; an empty cursor means there is no more."""

    items: tuple[T_co, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswer:
    """The venue's word on a cancel: accepted means asked for, never done."""

    is_accepted: bool
    venue_code: str = ""
    is_already_done: bool = False


class Fill(Message, frozen=True, kw_only=True, gc=False):
    """One execution, append-only, unique by the venue's own execution id."""

    venue_execution_id: str
    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: Liquidity
    executed_at: datetime
    received_at: datetime
    raw: Mapping[str, object] = msgspec.field(default_factory=dict)


class OrderUpdate(Message, frozen=True, kw_only=True, gc=False):
    """A private stream's word on one order: a hint to look, never the record of a fill."""

    order: Order
    is_snapshot: bool
    received_at: datetime


# What a private stream reports: how an order stands or, at venues that say it, one execution of it.
ExecutionReport: TypeAlias = OrderUpdate | Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReset:
    """The stream lost continuity: whoever listens must read the state again.

    Without symbols it is of all that is listened to.
    """

    reason: str
    received_at: datetime
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account holds of one currency."""

    currency: str
    available: Decimal
    held: Decimal
    received_at: datetime

    @property
    def total(self) -> Decimal:
        return self.available + self.held


class Level(Message, frozen=True, gc=False):
    """One price level."""

    price: Decimal
    quantity: Decimal


class BookSnapshot(Message, frozen=True, kw_only=True, gc=False):
    """A whole book, best first on both sides."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    venue_time: datetime | None
    received_at: datetime


class BookEventKind(StrEnum):
    SNAPSHOT = "snapshot"
    UPDATE = "update"


class BookEvent(Message, frozen=True, kw_only=True, gc=False):
    """A snapshot or an update of one book. A snapshot replaces, it never merges."""

    symbol: str
    kind: BookEventKind
    changes: tuple[LevelChange, ...]
    sequence: int | None
    venue_time: datetime | None
    received_at: datetime


class Trade(Message, frozen=True, kw_only=True, gc=False):
    """A public trade. `side` is the taker's."""

    symbol: str
    venue_trade_id: str
    price: Decimal
    quantity: Decimal
    side: Side
    venue_time: datetime
    received_at: datetime


class InstrumentKind(StrEnum):
    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    # It is held there, and neither bought nor sold.
    CUSTODY = "custody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What can be traded, and in which steps. One unit of quantity is `contract_size` of the base."""

    symbol: str
    base: str
    quote: str
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal | None
    min_notional: Decimal
    max_notional: Decimal | None
    is_tradable: bool
    kind: InstrumentKind = InstrumentKind.SPOT
    contract_size: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the venue answers, how fast, and how far its clock is from ours."""

    is_up: bool
    latency_seconds: float
    clock_offset_seconds: float | None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What the venue says a key may do and until when; None is what it does not say.

    A desk wants to trade by a key and never to transfer by it.
    """

    can_view: bool | None
    can_trade: bool | None
    can_transfer: bool | None
    ends_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What an account holds of one instrument on margin; short positions are negative."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    unrealised: Decimal | None
    liquidation_price: Decimal | None
    margin: Decimal | None
    received_at: datetime
    raw: Mapping[str, object] = field(default_factory=dict)


class Ticker(Message, frozen=True, kw_only=True, gc=False):
    """The touch and the last trade of one symbol."""

    symbol: str
    last: Decimal | None
    bid: Decimal | None
    bid_quantity: Decimal | None
    ask: Decimal | None
    ask_quantity: Decimal | None
    venue_time: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kline:
    """What was traded in one span of time; an open one still changes."""

    symbol: str
    opened_at: datetime
    span_seconds: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    quantity: Decimal
    is_closed: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """What a dealer is asked a price for. No side asks for both. Sized in base or in quote."""

    client_order_id: str
    symbol: str
    side: Side | None
    quantity: Decimal | None = None
    notional: Decimal | None = None

    def __post_init__(self) -> None:
        _sized_once(self.quantity, self.notional)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A dealer's firm price until `expires_at`; accepting it afterwards is refused."""

    quote_id: str
    client_order_id: str
    symbol: str
    side: Side | None
    bid: Decimal | None
    ask: Decimal | None
    quantity: Decimal | None
    notional: Decimal | None
    expires_at: datetime
    received_at: datetime
    raw: Mapping[str, object] = field(default_factory=dict)


class TransactionStatus(StrEnum):
    """How far a custody transaction has come."""

    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    BROADCAST = "broadcast"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One movement of assets that a custodian carries out."""

    venue_transaction_id: str
    client_transaction_id: str
    currency: str
    quantity: Decimal
    fee: Decimal | None
    source: str
    destination: str
    status: TransactionStatus
    chain_hash: str
    created_at: datetime | None
    received_at: datetime
    reason: str = ""
    raw: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What an account pays now for trading a symbol, as a share of the value; no symbol is all."""

    symbol: str
    maker: Decimal
    taker: Decimal
    received_at: datetime
