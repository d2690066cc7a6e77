"""This venue's create call, read into the exchange's words."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from venues.interface.numbers import BadNumber, exact
from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.terms import Instruction

_UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SPANS: Final = {
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_TIMES: Final = {
    "GTC": TimeInForce.GTC,
    "GTT": TimeInForce.GTD,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
_STOPS: Final = {"loss": Side.SELL, "entry": Side.BUY}
# Parts a client id that is used again: the venue takes it for an order of its own.
AGAIN: Final = "#"


class BadOrder(Exception):
    """HTTP 400 with the venue's sentence."""


class CreateOrder(msgspec.Struct):
    side: str
    product_id: str
    type: str = "limit"
    price: str | None = None
    size: str | None = None
    funds: str | None = None
    time_in_force: str | None = None
    cancel_after: str | None = None
    post_only: bool | None = False
    stop: str | None = None
    stop_price: str | None = None
    stp: str | None = None
    client_oid: str | None = None


def client_id(said: CreateOrder) -> str:
    """Keep a UUIDv4 in lower case; drop any other id without a word, as the venue does."""
    given = said.client_oid or ""
    return given if _UUID4.fullmatch(given) else ""


def read_instruction(body: bytes, now: datetime) -> tuple[Instruction, str]:
    """Read a create call, and the client id the venue will know it by, if any."""
    try:
        said = msgspec.json.decode(body, type=CreateOrder)
        side = Side(said.side)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadOrder(str(error)[:200]) from error
    if said.type not in {"limit", "market", "stop"}:
        raise BadOrder("Invalid order type")  # noqa: EM101 -- the venue's own words
    is_market = said.type == "market" and not said.stop
    known = client_id(said)
    number = _number
    return (
        Instruction(
            client_order_id=f"{known}{AGAIN}{uuid.uuid4()}",
            symbol=said.product_id,
            side=side,
            order_type=_kind(said, side, is_market=is_market),
            quantity=number(said.size, "size"),
            notional=number(said.funds, "funds"),
            limit_price=None if is_market else number(said.price, "price"),
            stop_price=number(said.stop_price, "stop_price"),
            time_in_force=TimeInForce.IOC if is_market else _time_in_force(said),
            expires_at=_end(said, now),
            post_only=bool(said.post_only),
        ),
        known,
    )


def _kind(said: CreateOrder, side: Side, *, is_market: bool) -> OrderType:
    if is_market:
        return OrderType.MARKET
    if not said.stop:
        return OrderType.LIMIT
    if _STOPS.get(said.stop) is not side:
        raise BadOrder("Invalid stop")  # noqa: EM101
    return OrderType.STOP_LIMIT


def _time_in_force(said: CreateOrder) -> TimeInForce:
    found = _TIMES.get(said.time_in_force or "GTC")
    if found is None:
        raise BadOrder("Invalid time_in_force")  # noqa: EM101
    if said.post_only and found in {TimeInForce.IOC, TimeInForce.FOK}:
        raise BadOrder("Invalid post_only with time_in_force")  # noqa: EM101
    return found


def _end(said: CreateOrder, now: datetime) -> datetime | None:
    if said.time_in_force != "GTT":
        return None
    span = _SPANS.get(said.cancel_after or "")
    if span is None:
        raise BadOrder("Invalid cancel_after")  # noqa: EM101
    return now + span


def _number(text: str | None, name: str) -> Decimal | None:
    try:
        return exact(text) if text else None
    except BadNumber as error:
        raise BadOrder(f"Invalid {name}") from error  # noqa: EM102
