"""Pre-trade checks: each a small function with a verdict, the values it saw, and plain words.

What only reduces exposure is never blocked by a stale book or a price: it warns instead. The list of
checks stands in settings.TRADING_CHECKS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from trading.models import Portfolio, SwitchMode
from trading.services import switches
from venues.interface.numbers import plain
from venues.interface.types import OrderType, Side, TimeInForce
from venues.models import Account, SymbolStatus, VenueSymbol
from venues.services.books import Touch


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

    def as_json(self) -> dict[str, str]:
        return asdict(self)


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

    def access_parts(self) -> dict[str, UUID]:
        """Name the parts of the desk it would belong to, as the order it becomes."""
        return {
            "venue": self.account.venue_id,
            "account": self.account.pk,
            "portfolio": self.portfolio.pk,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the checks look at beside the ticket; read once, so that all see the same."""

    now: datetime
    touch: Touch
    held: Decimal
    switch: switches.Position

    def is_way_out(self, ticket: Ticket) -> bool:
        return only_reduces(side=ticket.side, quantity=ticket.quantity, held=self.held)


def only_reduces(*, side: Side, quantity: Decimal, held: Decimal) -> bool:
    """Tell whether an order brings what is held closer to zero and never past it."""
    return 0 < quantity <= (held if side is Side.SELL else -held)


Check = Callable[[Ticket, Circumstances], Verdict]


@cache
def configured() -> tuple[Check, ...]:
    return tuple(import_string(path) for path in settings.TRADING_CHECKS)


def run(ticket: Ticket, seen: Circumstances) -> list[Verdict]:
    """Ask every check, so that a refusal tells everything that is wrong at once."""
    return [check(ticket, seen) for check in configured()]


def blocked(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome is Outcome.BLOCK]


def needing_approval(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome is Outcome.NEEDS_APPROVAL]


def _allow(check: str, words: str) -> Verdict:
    return Verdict(check, Outcome.ALLOW, words)


def _block(check: str, words: str) -> Verdict:
    return Verdict(check, Outcome.BLOCK, words)


def _unless_way_out(check: str, words: str, ticket: Ticket, seen: Circumstances) -> Verdict:
    """Block, except what only reduces exposure: that goes through with a warning."""
    if seen.is_way_out(ticket):
        return Verdict(check, Outcome.WARN, f"{words} It only reduces what is held, so it may go.")
    return _block(check, words)


def switch_is_on(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Trading switch"
    if seen.switch.mode is SwitchMode.ON:
        return _allow(name, "Trading is on.")
    if seen.switch.mode is SwitchMode.REDUCE_ONLY:
        if seen.is_way_out(ticket):
            return _allow(name, "Only reducing orders are allowed now, and this one reduces.")
        return _block(name, f"Only orders that reduce a position are allowed. {seen.switch.words}.")
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


def symbol_is_tradable(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Symbol"
    if ticket.symbol.valid_to is not None:
        return _block(name, f"{ticket.symbol} is no longer in force.")
    if ticket.symbol.status != SymbolStatus.TRADABLE:
        words = f"{ticket.symbol} is {ticket.symbol.get_status_display().lower()}."
        if ticket.symbol.status == SymbolStatus.SUSPENDED:
            return _unless_way_out(name, words, ticket, seen)
        return _block(name, words)
    return _allow(name, f"{ticket.symbol} is tradable.")


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
    return _unless_way_out(name, words, ticket, seen)


def price_is_near_the_touch(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Price collar"
    if ticket.limit_price is None:
        return _allow(name, "A market order takes the prices of the book.")
    facing = seen.touch.facing(ticket.side) if seen.touch.is_trusted else None
    if facing is None:
        return _unless_way_out(name, "The price cannot be compared with the book.", ticket, seen)
    worse = (
        (ticket.limit_price - facing) if ticket.side is Side.BUY else facing - ticket.limit_price
    )
    percent = worse / facing * 100
    if percent > settings.ORDER_PRICE_COLLAR_PERCENT:
        return _block(
            name,
            f"The limit is {percent:.1f} % worse than the best price {plain(facing)}; "
            f"at most {settings.ORDER_PRICE_COLLAR_PERCENT} % is allowed.",
        )
    return _allow(
        name, f"The limit is within {settings.ORDER_PRICE_COLLAR_PERCENT} % of the touch."
    )


def within_the_order_limit(ticket: Ticket, seen: Circumstances) -> Verdict:
    name = "Order limit"
    price = ticket.limit_price or seen.touch.facing(ticket.side)
    if price is None:
        return _unless_way_out(
            name, "The order's value is not known without a price.", ticket, seen
        )
    value = ticket.quantity * price
    words = (
        f"{value:,.2f} {ticket.symbol.quote} of at most {settings.ORDER_MAX_NOTIONAL:,} an order"
    )
    if value > settings.ORDER_MAX_NOTIONAL:
        return _block(name, f"Too large: {words}.")
    return _allow(name, f"{words}.")


def small_enough_for_one_person(ticket: Ticket, seen: Circumstances) -> Verdict:
    """Ask for a second person above the threshold; a value that is not known is above it."""
    name = "Second person"
    bound = f"{settings.ORDER_APPROVAL_NOTIONAL:,} {ticket.symbol.quote}"
    price = ticket.limit_price or seen.touch.facing(ticket.side)
    if price is None:
        if seen.is_way_out(ticket):
            return _allow(name, "It only reduces what is held, so nobody else is needed.")
        words = f"Its value is not known and may be above {bound}: somebody else has to agree."
        return Verdict(name, Outcome.NEEDS_APPROVAL, words)
    value = ticket.quantity * price
    if value > settings.ORDER_APPROVAL_NOTIONAL:
        words = f"Worth {value:,.2f}, more than {bound}: it is sent once somebody else agrees."
        return Verdict(name, Outcome.NEEDS_APPROVAL, words)
    return _allow(name, f"Up to {bound} nobody else is needed.")
