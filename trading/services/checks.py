"""Pre-trade checks: each a small function with a verdict, the values it saw, and plain words.

What only reduces exposure is never blocked by a stale book or a price: it warns instead. The list of
checks stands in settings.TRADING_CHECKS. They are asked when an order is placed, and again in the
transaction that claims it for the send.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from assets.services.obstacles import Obstacle
from trading.models import Order, Portfolio, SwitchMode
from trading.services import switches
from trading.services.worth import REPORTING, Worth, counted_price
from venues.interface.numbers import exactly, plain
from venues.interface.types import OrderType, Side, TimeInForce
from venues.models import Account, InstrumentKind, Standing, SymbolStatus, VenueSymbol
from venues.services.books import Touch
from venues.services.powers import NO_OBJECTION, Objection


class Outcome(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    NEEDS_APPROVAL = "needs_approval"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Verdict:
    check: str
    outcome: Outcome
    words: str
    # Whether waiting may cure it, as a stale book.
    may_pass: bool = False

    def as_json(self) -> dict[str, str]:
        return {"check": self.check, "outcome": self.outcome, "words": self.words}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An instruction before it is an order."""

    consumer_id: UUID
    account: Account
    portfolio: Portfolio
    symbol: VenueSymbol
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None
    post_only: bool = False
    purpose: str = ""

    @classmethod
    def of(cls, order: Order) -> Ticket:
        """Read the instruction back from the order it became."""
        return cls(
            consumer_id=order.placed_by_id,
            account=order.account,
            portfolio=order.portfolio,
            symbol=order.symbol,
            side=Side(order.side),
            order_type=OrderType(order.order_type),
            time_in_force=TimeInForce(order.time_in_force),
            quantity=order.quantity,
            limit_price=order.limit_price,
            post_only=order.post_only,
            purpose=order.purpose,
        )

    def access_parts(self) -> dict[str, UUID]:
        """Name the parts of the desk it would belong to, as the order it becomes."""
        return {
            "venue": self.account.venue_id,
            "account": self.account.pk,
            "portfolio": self.portfolio.pk,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the checks look at beside the ticket; read once, so that all see the same.

    `obstacles` are the severe flags that stand against its assets, as the database holds them now.
    `on_the_way` is what other orders of the same side may still take of what is held. `was_placed`
    tells that the order passed once and is looked at again before it leaves.
    """

    now: datetime
    touch: Touch
    worth: Worth
    held: Decimal
    on_the_way: Decimal
    switch: switches.Position
    obstacles: tuple[Obstacle, ...]
    key: Objection = NO_OBJECTION
    was_placed: bool = False

    def is_way_out(self, ticket: Ticket) -> bool:
        """Tell whether it brings what is held closer to zero, and never past it with the others."""
        return only_reduces(
            side=ticket.side, quantity=ticket.quantity + self.on_the_way, held=self.held
        )

    def price(self, ticket: Ticket) -> Decimal | None:
        """Return the price it counts at."""
        return counted_price(side=ticket.side, limit_price=ticket.limit_price, touch=self.touch)

    def why_not_out(self, ticket: Ticket) -> str:
        """Say it where only the orders before this one take its way out."""
        if not self.on_the_way or not only_reduces(
            side=ticket.side, quantity=ticket.quantity, held=self.held
        ):
            return ""
        rest = max(abs(self.held) - self.on_the_way, Decimal(0))
        return (
            f" Other orders may still take {plain(self.on_the_way)} of the {plain(abs(self.held))} "
            f"held, so at most {plain(rest)} is left to reduce."
        )


def only_reduces(*, side: Side, quantity: Decimal, held: Decimal) -> bool:
    """Tell whether a quantity brings what is held closer to zero and never past it."""
    return 0 < quantity <= (held if side is Side.SELL else -held)


Check = Callable[[Ticket, Circumstances], Verdict]


@cache
def configured() -> tuple[Check, ...]:
    return tuple(import_string(path) for path in settings.TRADING_CHECKS)


def run(ticket: Ticket, seen: Circumstances) -> list[Verdict]:
    """Ask every check, so that a refusal tells everything that is wrong at once."""
    with exactly():
        return [check(ticket, seen) for check in configured()]


def blocked(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome is Outcome.BLOCK]


def needing_approval(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome is Outcome.NEEDS_APPROVAL]


def _allow(check: str, words: str) -> Verdict:
    return Verdict(check, Outcome.ALLOW, words)


def _block(check: str, words: str) -> Verdict:
    return Verdict(check, Outcome.BLOCK, words)


def _unless_way_out(
    check: str, words: str, ticket: Ticket, seen: Circumstances, *, may_pass: bool = False
) -> Verdict:
    """Block, except what only reduces exposure: that goes through with a warning."""
    if seen.is_way_out(ticket):
        return Verdict(check, Outcome.WARN, f"{words} It only reduces what is held, so it may go.")
    words = f"{words}{seen.why_not_out(ticket)}"
    return Verdict(check, Outcome.BLOCK, words, may_pass=may_pass)


def _block_unless_grown(check: str, words: str, ticket: Ticket, seen: Circumstances) -> Verdict:
    """Block what is out of bounds; what only grew out of them since never closes the way out."""
    if seen.was_placed:
        return _unless_way_out(check, words, ticket, seen)
    return _block(check, words)


def switch_is_on(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Trading switch"
    if seen.switch.mode is SwitchMode.ON:
        return _allow(name, "Trading is on.")
    if seen.switch.mode is SwitchMode.REDUCE_ONLY:
        if seen.is_way_out(ticket):
            return _allow(name, "Only reducing orders are allowed now, and this one reduces.")
        words = f"Only orders that reduce a position are allowed. {seen.switch.words}."
        return _block(name, f"{words}{seen.why_not_out(ticket)}")
    return _block(name, f"Trading is switched off. {seen.switch.words}.")


def account_can_trade(ticket: Ticket, seen: Circumstances) -> Verdict:  # noqa: ARG001
    name = "Account and portfolio"
    if not ticket.account.is_enabled or not ticket.account.venue.is_enabled:
        return _block(name, f"{ticket.account} is switched off. An admin can switch it on.")
    if not ticket.portfolio.is_open:
        return _block(name, f"{ticket.portfolio} is closed. Choose another portfolio.")
    if ticket.account.venue_id != ticket.symbol.venue_id:
        return _block(name, f"{ticket.symbol.symbol} is not a symbol of {ticket.account.venue}.")
    return _allow(name, f"{ticket.portfolio} trades through {ticket.account}.")


def key_may_trade(ticket: Ticket, seen: Circumstances) -> Verdict:
    """Refuse what the key in use may not do; one that can do too much never closes the way out."""
    name = "Key"
    if not seen.key.words:
        return _allow(name, f"Nothing is known against the key of {ticket.account}.")
    if seen.key.lets_reduce:
        return _unless_way_out(name, seen.key.words, ticket, seen)
    return _block(name, seen.key.words)


def symbol_is_tradable(ticket: Ticket, seen: Circumstances) -> Verdict:
    """Refuse what the venue does not trade; what the desk stopped, or remapped, still has its way out."""
    name, symbol = "Symbol", ticket.symbol
    if symbol.listing.gone_at is not None or symbol.status != SymbolStatus.TRADABLE:
        return _block(name, f"{symbol} is {symbol.get_status_display().lower()}.")
    if symbol.kind == InstrumentKind.CUSTODY:
        return _block(name, f"{symbol} is held there, and neither bought nor sold.")
    if symbol.contract_size != 1:
        words = f"One {symbol} is {plain(symbol.contract_size)} {symbol.base}, which is not reckoned with yet."
        return _unless_way_out(name, words, ticket, seen)
    if not symbol.is_in_force:
        words = f"{symbol} stands for something else now. Look at it, and place the order again."
        return _unless_way_out(name, words, ticket, seen)
    if symbol.listing.standing != Standing.MAPPED:
        return _unless_way_out(name, symbol.listing.why_not_traded, ticket, seen)
    return _allow(name, f"{symbol} is tradable.")


def fits_the_venue_steps(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Size and price steps"
    symbol = ticket.symbol
    if ticket.quantity % symbol.quantity_step:
        return _block(name, f"The quantity must be a multiple of {plain(symbol.quantity_step)}.")
    if ticket.quantity < symbol.min_quantity:
        return _block(name, f"The least quantity here is {plain(symbol.min_quantity)}.")
    if ticket.limit_price is not None and ticket.limit_price % symbol.price_tick:
        return _block(name, f"The price must be a multiple of {plain(symbol.price_tick)}.")
    price = ticket.limit_price or seen.touch.facing(ticket.side)
    if price is not None and ticket.quantity * price < symbol.min_notional:
        least = f"{plain(symbol.min_notional)} {symbol.quote}"
        return _block(name, f"The least value of an order here is {least}.")
    return _allow(name, "Quantity and price fit the venue's steps.")


def book_is_fresh(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Order book"
    touch = seen.touch
    if touch.is_trusted and touch.age_seconds is not None:
        return _allow(name, f"The book is live, {touch.age_seconds:.1f} s old.")
    words = "There is no book to price this with. Wait until the book is live."
    if touch.age_seconds is not None:
        words = f"The book is {touch.state} ({touch.age_seconds:.0f} s old) and prices nothing."
    return _unless_way_out(name, words, ticket, seen, may_pass=True)


def price_is_near_the_touch(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Price collar"
    if ticket.limit_price is None:
        return _allow(name, "A market order takes the prices of the book.")
    facing = seen.touch.facing(ticket.side) if seen.touch.is_trusted else None
    if facing is None:
        words = "The price cannot be compared with the book."
        return _unless_way_out(name, words, ticket, seen, may_pass=True)
    worse = (
        (ticket.limit_price - facing) if ticket.side is Side.BUY else facing - ticket.limit_price
    )
    percent = worse / facing * 100
    if percent > settings.ORDER_PRICE_COLLAR_PERCENT:
        words = (
            f"The limit is {percent:.1f} % worse than the best price {plain(facing)}; "
            f"at most {settings.ORDER_PRICE_COLLAR_PERCENT} % is allowed."
        )
        return _block_unless_grown(name, words, ticket, seen)
    return _allow(
        name, f"The limit is within {settings.ORDER_PRICE_COLLAR_PERCENT} % of the touch."
    )


def within_the_order_limit(ticket: Ticket, seen: Circumstances) -> Verdict:
    """Bound what one order may be worth.

    A value that is not known for want of a mark is not taken to be above the limit, or a desk could
    not trade what no live book values: it warns, and the check after this asks for a second person.
    """
    name = "Order limit"
    most = f"{settings.ORDER_MAX_NOTIONAL:,} {REPORTING}"
    value = seen.worth.value
    if value is None:
        if seen.price(ticket) is None:
            return _unless_way_out(name, seen.worth.words, ticket, seen, may_pass=True)
        words = f"{seen.worth.words} The limit of {most} an order cannot be held against it."
        return Verdict(name, Outcome.WARN, words)
    words = f"{seen.worth.words} of at most {most} an order"
    if value <= settings.ORDER_MAX_NOTIONAL:
        return _allow(name, f"{words}.")
    return _block_unless_grown(name, f"Too large: {words}.", ticket, seen)


def small_enough_for_one_person(ticket: Ticket, seen: Circumstances) -> Verdict:
    """Ask for a second person above the threshold; a value that is not known is above it."""
    name = "Second person"
    bound = f"{settings.ORDER_APPROVAL_NOTIONAL:,} {REPORTING}"
    value = seen.worth.value
    if value is None:
        if seen.is_way_out(ticket):
            return _allow(name, "It only reduces what is held, so nobody else is needed.")
        words = f"{seen.worth.words} It may be above {bound}: somebody else has to agree."
        return Verdict(name, Outcome.NEEDS_APPROVAL, words, may_pass=True)
    if value > settings.ORDER_APPROVAL_NOTIONAL:
        words = (
            f"Worth {seen.worth.words}, more than {bound}: it is sent once somebody else agrees."
        )
        return Verdict(name, Outcome.NEEDS_APPROVAL, words)
    return _allow(name, f"Up to {bound} nobody else is needed.")
