"""This venue's create call, read into the exchange's words."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from venues.interface.numbers import BadNumber, exact
from venues.interface.times import BadTime, from_rfc3339
from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.terms import Instruction

_MEMBERS: Final = {
    "market_market_ioc": (OrderType.MARKET, TimeInForce.IOC),
    "sor_limit_ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "limit_limit_gtc": (OrderType.LIMIT, TimeInForce.GTC),
    "limit_limit_gtd": (OrderType.LIMIT, TimeInForce.GTD),
    "limit_limit_fok": (OrderType.LIMIT, TimeInForce.FOK),
    "stop_limit_stop_limit_gtc": (OrderType.STOP_LIMIT, TimeInForce.GTC),
    "stop_limit_stop_limit_gtd": (OrderType.STOP_LIMIT, TimeInForce.GTD),
    "trigger_bracket_gtc": (OrderType.BRACKET, TimeInForce.GTC),
    "trigger_bracket_gtd": (OrderType.BRACKET, TimeInForce.GTD),
    "twap_limit_gtd": (OrderType.TWAP, TimeInForce.GTD),
}
_STOP_DIRECTIONS: Final = {
    Side.BUY: "STOP_DIRECTION_STOP_UP",
    Side.SELL: "STOP_DIRECTION_STOP_DOWN",
}


_DURATION: Final = re.compile(r"[1-9][0-9]*s")
_MOST_BUCKETS: Final = 10_000


class BadRequest(Exception):
    """The call is malformed: HTTP 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Terms(msgspec.Struct):
    base_size: str | None = None
    quote_size: str | None = None
    limit_price: str | None = None
    stop_price: str | None = None
    stop_direction: str | None = None
    stop_trigger_price: str | None = None
    start_time: str | None = None
    number_buckets: str | int | None = None
    bucket_size: str | None = None
    bucket_duration: str | None = None
    end_time: str | None = None
    post_only: bool | None = False


class CreateOrder(msgspec.Struct):
    client_order_id: str
    product_id: str
    side: str
    order_configuration: dict[str, msgspec.Raw]


class EditOrder(msgspec.Struct):
    order_id: str
    price: str | None = None
    size: str | None = None


def read_instruction(body: bytes) -> Instruction:
    """Read a create call into the exchange's words."""
    try:
        said = msgspec.json.decode(body, type=CreateOrder)
        ((member, raw),) = said.order_configuration.items()
        terms = msgspec.json.decode(raw, type=Terms)
        side = Side(said.side.lower())
    except (msgspec.DecodeError, ValueError) as error:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, str(error)[:200]) from error
    if member not in _MEMBERS:
        message = "UNSUPPORTED_ORDER_CONFIGURATION"
        raise BadRequest(message, f"{member:.60} is not simulated")
    if not said.client_order_id:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, "client_order_id is required")
    order_type, time_in_force = _MEMBERS[member]
    if order_type is OrderType.STOP_LIMIT and terms.stop_direction != _STOP_DIRECTIONS[side]:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, "stop_direction does not fit the side")
    try:
        return Instruction(
            client_order_id=said.client_order_id,
            symbol=said.product_id,
            side=side,
            order_type=order_type,
            quantity=_amount(terms.base_size),
            notional=_amount(terms.quote_size),
            limit_price=_amount(terms.limit_price),
            stop_price=_amount(terms.stop_price or terms.stop_trigger_price),
            time_in_force=time_in_force,
            starts_at=from_rfc3339(terms.start_time) if terms.start_time else None,
            slices=_slices(terms) if order_type is OrderType.TWAP else 0,
            expires_at=from_rfc3339(terms.end_time) if terms.end_time else None,
            post_only=bool(terms.post_only),
            wire=msgspec.Raw(msgspec.json.encode({member: raw})),
        )
    except (BadNumber, BadTime) as error:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, str(error)[:200]) from error


def _slices(terms: Terms) -> int:
    """Read how many buckets a TWAP has; their size and length only repeat the rest of it."""
    count = str(terms.number_buckets or "")
    duration = _DURATION.fullmatch(terms.bucket_duration or "")
    total, size = _amount(terms.base_size), _amount(terms.bucket_size)
    if not count.isdecimal() or not 0 < int(count) <= _MOST_BUCKETS or duration is None:
        message = "UNSUPPORTED_ORDER_CONFIGURATION"
        raise BadRequest(message, "number_buckets or bucket_duration cannot be read")
    if total is not None and size is not None and size * int(count) > total:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, "the buckets are larger than the order")
    return int(count)


def read_edit(body: bytes) -> tuple[str, Decimal | None, Decimal | None]:
    """Read an edit call: the order, its new size and price."""
    try:
        said = msgspec.json.decode(body, type=EditOrder)
        return said.order_id, _amount(said.size), _amount(said.price)
    except (msgspec.DecodeError, ValueError) as error:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, str(error)[:200]) from error


def _amount(text: str | None) -> Decimal | None:
    return exact(text) if text else None
