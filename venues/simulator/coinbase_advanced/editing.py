"""This venue's edit and edit-preview calls: good-till-cancelled limit orders alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from venues.interface.numbers import plain
from venues.simulator.coinbase_advanced import shapes
from venues.simulator.coinbase_advanced.instructions import read_edit
from venues.simulator.exchange import Exchange
from venues.simulator.terms import AmendRefusal, Refused, SimOrder

Answer = dict[str, Any]


def edit(exchange: Exchange, account: str, body: bytes) -> Answer:
    order_id, size, price = read_edit(body)
    order, size, price = _wanted(exchange, order_id, size, price)
    try:
        refusal = exchange.amend(
            account, order_id, quantity=size, limit_price=price, wire=_wire(order, size, price)
        )
    except Refused as refused:
        return {"success": False, "errors": shapes.edit_error(*shapes.REFUSALS[refused.refusal])}
    if refusal is not None:
        return {"success": False, "errors": shapes.edit_error(shapes.EDIT_REFUSALS[refusal])}
    return {"success": True, "success_response": {"order_id": order_id}, "errors": []}


def preview(exchange: Exchange, account: str, body: bytes) -> Answer:
    order_id, size, price = read_edit(body)
    order, size, price = _wanted(exchange, order_id, size, price)
    errors: list[dict[str, str]] = []
    try:
        refusal = exchange.check_amend(account, order_id, quantity=size, limit_price=price)
    except Refused as refused:
        errors = shapes.edit_error(*shapes.REFUSALS[refused.refusal])
    else:
        errors = shapes.edit_error(shapes.EDIT_REFUSALS[refusal]) if refusal else []
    if order is None or order.account != account:
        return {"errors": shapes.edit_error(shapes.EDIT_REFUSALS[AmendRefusal.UNKNOWN])}
    bids, asks = exchange.book(exchange.products[order.instruction.symbol].market)
    value = size * price
    return {
        "errors": errors,
        "slippage": "0",
        "order_total": plain(value + value * exchange.fees.taker),
        "commission_total": plain(value * exchange.fees.taker),
        "quote_size": plain(value),
        "base_size": plain(size),
        "best_bid": plain(bids[0].price) if bids else "",
        "best_ask": plain(asks[0].price) if asks else "",
        "average_filled_price": "0",
    }


def _wanted(
    exchange: Exchange, order_id: str, size: Decimal | None, price: Decimal | None
) -> tuple[SimOrder | None, Decimal, Decimal]:
    """Complete what is left out from what the order says now."""
    order = exchange.orders.get(order_id)
    asked = order.instruction if order else None
    return (
        order,
        size or (asked and asked.quantity) or Decimal(0),
        price or (asked and asked.limit_price) or Decimal(0),
    )


def _wire(order: SimOrder | None, size: Decimal, price: Decimal) -> msgspec.Raw:
    terms = {
        "base_size": plain(size),
        "limit_price": plain(price),
        "post_only": order is not None and order.instruction.post_only,
    }
    return msgspec.Raw(msgspec.json.encode({"limit_limit_gtc": terms}))
