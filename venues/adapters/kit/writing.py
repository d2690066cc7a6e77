"""Writing an order: refusing, before anything is sent, what a venue does not offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, Inexact, localcontext

from venues.adapters.contract import Capabilities
from venues.interface.errors import Cause, NotSent, Unsupported
from venues.interface.numbers import plain
from venues.interface.types import OrderRequest, OrderType, Side


def check(request: OrderRequest, capabilities: Capabilities) -> None:
    """Hold a request against what the adapter declares it can send."""
    venue, kind = capabilities.venue, request.order_type
    offered = capabilities.times_in_force.get(kind)
    if offered is None:
        message = f"{venue} has no {words(kind)} orders here"
        raise Unsupported(message)
    if request.time_in_force not in offered:
        message = f"{venue} has no {request.time_in_force} for {words(kind)} orders"
        raise Unsupported(message)
    if request.post_only and not (
        kind is OrderType.LIMIT and request.time_in_force in capabilities.post_only_with
    ):
        allowed = " and ".join(sorted(one.upper() for one in capabilities.post_only_with))
        message = f"{venue} takes post-only on {allowed or 'no'} limit orders alone"
        raise Unsupported(message)
    if request.notional is not None:
        _check_notional(request, capabilities)
    if not request.client_order_id:
        message = "an order needs a client order id"
        raise invalid(message)


def _check_notional(request: OrderRequest, capabilities: Capabilities) -> None:
    is_sold = request.side is Side.SELL and not capabilities.sells_by_notional
    if request.order_type not in capabilities.notional_with or is_sold:
        sizes = " and ".join(words(one) for one in sorted(capabilities.notional_with)) or "no"
        side = "orders" if capabilities.sells_by_notional else "buys"
        message = f"only {sizes} {side} can be sized by their notional here"
        raise Unsupported(message)


def words(kind: OrderType) -> str:
    return kind.value.replace("_", "-")


def amount(name: str, value: Decimal | None) -> str:
    """Write an amount the way venues read it."""
    if value is None or not value.is_finite() or value <= 0:
        message = f"the {name} must be a number above zero"
        raise invalid(message)
    return plain(value)


def end_of(request: OrderRequest) -> datetime:
    """Return when an order that ends by itself does."""
    if request.expires_at is None:
        message = "a good-till-date order names its end"
        raise invalid(message)
    return request.expires_at


@dataclass(frozen=True, slots=True)
class Slices:
    """An order cut into equal parts, one after another."""

    starts_at: datetime
    count: int
    size: str
    seconds: int


def slices_of(request: OrderRequest, now: datetime) -> Slices:
    """Cut a TWAP into equal parts of whole seconds."""
    start, end, count = request.starts_at or now, end_of(request), request.slices or 0
    if count < 1 or start >= end or request.quantity is None:
        message = "a TWAP names its slices and ends after it begins"
        raise invalid(message)
    size = plain(equal_parts(request.quantity, count))
    return Slices(start, count, size, max(int((end - start).total_seconds() // count), 1))


def equal_parts(quantity: Decimal, count: int) -> Decimal:
    """Cut a quantity into parts that add up to exactly it."""
    with localcontext() as exactly:
        exactly.traps[Inexact] = True
        try:
            return quantity / count
        except Inexact as error:
            message = f"the quantity cannot be cut into {count} equal parts"
            raise invalid(message) from error


def invalid(why: str) -> NotSent:
    return NotSent(why, cause=Cause.INVALID)
