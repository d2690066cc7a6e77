"""Cost basis and profit of one position: fills in, new position out, to the last digit.

Average cost. A fill that adds to the position moves the average; one that reduces it realises
profit against the average; one that crosses zero does both, and the rest opens at its price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext

ZERO = Decimal(0)
_EXACT = Context(prec=60)
_STORED = Decimal(1).scaleb(-24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """`cost` is what the open quantity cost, signed like the quantity. Fees are kept apart."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def average_price(self) -> Decimal | None:
        with localcontext(_EXACT):
            return self.cost / self.quantity if self.quantity else None

    def unrealised(self, mark: Decimal) -> Decimal:
        with localcontext(_EXACT):
            return self.quantity * mark - self.cost


def apply(holding: Holding, *, signed_quantity: Decimal, price: Decimal, fee: Decimal) -> Holding:
    """Book one fill; the quantity is positive for a buy and negative for a sell."""
    with localcontext(_EXACT):
        with_fee = replace(holding, fees=holding.fees + fee)
        if holding.quantity * signed_quantity >= 0:
            return replace(
                with_fee,
                quantity=holding.quantity + signed_quantity,
                cost=holding.cost + signed_quantity * price,
            )
        closing = min(abs(signed_quantity), abs(holding.quantity)) * (
            1 if signed_quantity > 0 else -1
        )
        # The last piece takes the whole remaining cost, so that no digit stays behind.
        released = (
            holding.cost
            if abs(closing) == abs(holding.quantity)
            else (holding.cost * -closing / holding.quantity).quantize(_STORED)
        )
        closed = replace(
            with_fee,
            quantity=holding.quantity + closing,
            cost=holding.cost - released,
            realised=holding.realised - closing * price - released,
        )
        opening = signed_quantity - closing
        return replace(
            closed, quantity=closed.quantity + opening, cost=closed.cost + opening * price
        )
