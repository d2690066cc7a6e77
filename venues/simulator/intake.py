"""Which instructions the exchange takes at all, before money or the book are looked at."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.terms import Instruction, Product, Refusal, Refused


def check(instruction: Instruction, product: Product, *, last: Decimal, now: datetime) -> None:
    """Raise `Refused` for what is malformed, off its grid, out of bounds or too late."""
    _check_size(instruction, product)
    if instruction.order_type is OrderType.MARKET:
        return
    limit = _on_grid(instruction.limit_price, product.price_tick)
    if instruction.quantity is None:
        raise Refused(Refusal.BAD_INSTRUCTION)
    if instruction.quantity * limit < product.min_notional:
        raise Refused(Refusal.NOTIONAL_TOO_SMALL)
    if instruction.time_in_force is TimeInForce.GTD and (
        instruction.expires_at is None or instruction.expires_at <= now
    ):
        raise Refused(Refusal.END_IN_THE_PAST)
    if instruction.order_type is OrderType.STOP_LIMIT:
        _check_stop(instruction, product, last)
    elif instruction.order_type is OrderType.BRACKET:
        _check_stop(instruction, product, last)
        _check_legs(instruction)
    elif instruction.order_type is OrderType.TWAP:
        _check_slices(instruction, product)


def _check_legs(instruction: Instruction) -> None:
    """Hold a bracket's profit on one side of its stop: above it to sell, below it to buy."""
    profit, stop = instruction.limit_price, instruction.stop_price
    if profit is None or stop is None or profit == stop:
        raise Refused(Refusal.BAD_INSTRUCTION)
    if (profit > stop) is (instruction.side is Side.BUY):
        raise Refused(Refusal.BAD_INSTRUCTION)


def _check_slices(instruction: Instruction, product: Product) -> None:
    start, end = instruction.starts_at, instruction.expires_at
    if instruction.quantity is None or instruction.slices < 1:
        raise Refused(Refusal.BAD_INSTRUCTION)
    if end is None or (start is not None and start >= end):
        raise Refused(Refusal.END_IN_THE_PAST)
    if instruction.quantity / instruction.slices < product.min_quantity:
        raise Refused(Refusal.SLICE_TOO_SMALL)


def _check_size(instruction: Instruction, product: Product) -> None:
    if instruction.notional is not None:
        _check_notional(instruction, instruction.notional, product)
        return
    quantity = instruction.quantity
    if quantity is None or quantity <= 0:
        raise Refused(Refusal.BAD_INSTRUCTION)
    if quantity > product.max_quantity:
        raise Refused(Refusal.QUANTITY_TOO_LARGE)
    if quantity < product.min_quantity:
        raise Refused(Refusal.QUANTITY_TOO_SMALL)
    if quantity % product.quantity_step:
        raise Refused(Refusal.QUANTITY_PRECISION)


def _check_notional(instruction: Instruction, notional: Decimal, product: Product) -> None:
    if instruction.quantity is not None or instruction.side is Side.SELL or notional <= 0:
        raise Refused(Refusal.BAD_INSTRUCTION)
    if notional < product.min_notional:
        raise Refused(Refusal.NOTIONAL_TOO_SMALL)
    if notional > product.max_notional:
        raise Refused(Refusal.NOTIONAL_TOO_LARGE)
    if notional % product.price_tick:
        raise Refused(Refusal.QUANTITY_PRECISION)


def _on_grid(price: Decimal | None, tick: Decimal) -> Decimal:
    if price is None or price <= 0:
        raise Refused(Refusal.BAD_INSTRUCTION)
    if price % tick:
        raise Refused(Refusal.PRICE_PRECISION)
    return price


def _check_stop(instruction: Instruction, product: Product, last: Decimal) -> None:
    """Hold buy stops above the last trade and sell stops below it."""
    stop = _on_grid(instruction.stop_price, product.price_tick)
    if instruction.side is Side.BUY and stop <= last:
        raise Refused(Refusal.STOP_BELOW_LAST)
    if instruction.side is Side.SELL and stop >= last:
        raise Refused(Refusal.STOP_ABOVE_LAST)
