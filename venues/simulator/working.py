"""Orders that go on changing after they were taken: brackets, slices over time, amendments."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.intake import check
from venues.simulator.matching import Matching
from venues.simulator.terms import (
    ZERO,
    Amendment,
    AmendRefusal,
    Instruction,
    Product,
    Refusal,
    Refused,
    SimOrder,
    State,
)

# How far beyond its trigger a bracket's stop leg may still trade.
BEYOND_STOP: Final = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class _Change:
    """An amendment that may be made."""

    order: SimOrder
    instruction: Instruction
    hold: Decimal


class Working(Matching):
    """What orders do between being taken and being done."""

    def amend(
        self,
        account: str,
        order_id: str,
        *,
        quantity: Decimal,
        limit_price: Decimal,
        wire: msgspec.Raw | None = None,
    ) -> AmendRefusal | None:
        """Change a resting limit order; it goes to the back of its new price's queue."""
        change = self._plan_change(account, order_id, quantity, limit_price)
        if isinstance(change, AmendRefusal):
            return change
        order, product = change.order, self._product(change.order)
        self._book_of(order).hide(order)
        self._change_hold(order, change.hold, product)
        order.instruction = msgspec.structs.replace(
            change.instruction, wire=order.instruction.wire if wire is None else wire
        )
        order.amendments.append(
            Amendment(quantity=quantity, limit_price=limit_price, at=self._now())
        )
        self._touch(order)
        self._execute(order, self._sweep(order, product), product)
        self._commit()
        return None

    def check_amend(
        self, account: str, order_id: str, *, quantity: Decimal, limit_price: Decimal
    ) -> AmendRefusal | None:
        """Say whether `amend` would do it, and do nothing."""
        change = self._plan_change(account, order_id, quantity, limit_price)
        return change if isinstance(change, AmendRefusal) else None

    def _plan_change(
        self, account: str, order_id: str, quantity: Decimal, limit_price: Decimal
    ) -> _Change | AmendRefusal:
        order = self.orders.get(order_id)
        if order is None or order.account != account:
            return AmendRefusal.UNKNOWN
        refusal = _forbids(order, quantity, limit_price)
        if refusal is not None:
            return refusal
        asked = msgspec.structs.replace(
            order.instruction, quantity=quantity, limit_price=limit_price
        )
        product = self._product(order)
        check(asked, product, last=self.markets[product.market].last_price, now=self._now())
        changed = msgspec.structs.replace(order, instruction=asked)
        if asked.post_only and self._sweep(changed, product):
            raise Refused(Refusal.POST_ONLY_WOULD_CROSS)
        hold = self._limit_hold(changed)
        wallet = self.ledger.wallet(account, self._hold_currency(order, product))
        if hold - order.held > wallet.available:
            raise Refused(Refusal.INSUFFICIENT_FUNDS)
        return _Change(order, asked, hold)

    def _change_hold(self, order: SimOrder, needed: Decimal, product: Product) -> None:
        if needed > order.held:
            currency = self._hold_currency(order, product)
            self.ledger.hold(order.account, currency, needed - order.held)
            order.held = needed
        else:
            self._lower_hold(order, needed, product)

    # Brackets

    def _stop_leg_price(self, instruction: Instruction, product: Product) -> Decimal | None:
        """Say where a bracket's stop leg is limited once it has fired."""
        stop, is_buy = instruction.stop_price, instruction.side is Side.BUY
        if instruction.order_type is not OrderType.BRACKET or stop is None:
            return None
        price = stop * (1 + BEYOND_STOP if is_buy else 1 - BEYOND_STOP)
        rounding = ROUND_CEILING if is_buy else ROUND_FLOOR
        tick = product.price_tick
        return max((price / tick).to_integral_value(rounding) * tick, tick)

    # Slices

    def _run_slices(self) -> None:
        """Begin every slice that is due; what one did not get, the next one tries for too."""
        for order in list(self._open.values()):
            if order.instruction.order_type is OrderType.TWAP:
                self._run_slice(order)

    def _run_slice(self, order: SimOrder) -> None:
        asked, product = order.instruction, self._product(order)
        start = asked.starts_at or order.created_at
        if asked.expires_at is None or asked.quantity is None or self._now() < start:
            return
        span = (asked.expires_at - start) / asked.slices
        due = min((self._now() - start) // span + 1, asked.slices)
        if due <= order.slices_begun:
            return
        order.slices_begun = due
        self._touch(order)
        step = product.quantity_step
        target = (asked.quantity * due / asked.slices // step) * step
        if due == asked.slices:
            target = asked.quantity
        most = target - order.filled_quantity
        for match in self._sweep(order, product, most) if most > ZERO else []:
            self._trade(order, match, product)

    def _expire(self) -> None:
        now = self._now()
        for order in list(self._open.values()):
            end = order.instruction.expires_at
            if end is not None and end <= now:
                self._finish(order, State.EXPIRED, "end time reached")


def _forbids(order: SimOrder, quantity: Decimal, limit_price: Decimal) -> AmendRefusal | None:
    asked = order.instruction
    if not order.is_open:
        return AmendRefusal.NOT_OPEN
    if asked.order_type is not OrderType.LIMIT or asked.time_in_force is not TimeInForce.GTC:
        return AmendRefusal.NOT_A_LIMIT
    if quantity <= order.filled_quantity:
        return AmendRefusal.BELOW_FILLED
    if (quantity, limit_price) == (asked.quantity, asked.limit_price):
        return AmendRefusal.NOTHING_CHANGES
    return None
