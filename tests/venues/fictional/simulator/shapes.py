"""Harbour's JSON, from the exchange's own words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from venues.interface.numbers import plain
from venues.simulator.terms import LevelNow, PublicTrade, Refusal, SimFill, SimOrder, State

STATES = {State.FILLED: "filled", State.CANCELLED: "cancelled", State.EXPIRED: "lapsed"}
CODES = {
    Refusal.UNKNOWN_PRODUCT: "no_market",
    Refusal.INSUFFICIENT_FUNDS: "no_funds",
    Refusal.POST_ONLY_WOULD_CROSS: "would_take",
    Refusal.NO_LIQUIDITY: "nobody_there",
    Refusal.HALTED: "harbour_closed",
}


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def order(one: SimOrder) -> dict[str, Any]:
    asked = one.instruction
    shape = {
        "id": one.order_id,
        "ref": asked.client_order_id,
        "market": asked.symbol,
        "way": asked.side.value,
        "kind": asked.order_type.value,
        "amount": plain(asked.quantity) if asked.quantity else None,
        "state": STATES.get(one.state, "resting"),
        "done": plain(one.filled_quantity),
        "paid": plain(one.filled_value),
        "fee": plain(one.fees),
        "at": milliseconds(one.created_at),
    }
    if asked.limit_price is not None:
        shape["price"] = plain(asked.limit_price)
    return shape


def fill(one: SimFill, ref: str) -> dict[str, Any]:
    return {
        "id": one.fill_id,
        "order": one.order_id,
        "ref": ref,
        "market": one.symbol,
        "way": one.side.value,
        "price": plain(one.price),
        "amount": plain(one.quantity),
        "fee": plain(one.fee),
        "made": one.is_maker,
        "at": milliseconds(one.at),
    }


def trade(one: PublicTrade) -> dict[str, Any]:
    return {
        "id": one.trade_id,
        "price": plain(one.price),
        "amount": plain(one.quantity),
        "way": "sell" if one.maker_side == "buy" else "buy",
        "at": milliseconds(one.at),
    }


def levels(side: list[LevelNow]) -> list[list[str]]:
    return [[plain(one.price), plain(one.quantity)] for one in side]
