"""How an order is written for this venue, and what each of its refusals means."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from venues.adapters.coinbase_advanced import wire
from venues.adapters.contract import Capabilities
from venues.interface.errors import Cause, NotSent, Unsupported
from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.interface.types import OrderRequest, OrderType, Side, TimeInForce
from venues.transport.http import Refusal

CAPABILITIES: Final = Capabilities(
    times_in_force={
        OrderType.MARKET: frozenset({TimeInForce.GTC, TimeInForce.IOC}),
        OrderType.LIMIT: frozenset(TimeInForce),
        OrderType.STOP_LIMIT: frozenset({TimeInForce.GTC, TimeInForce.GTD}),
    },
    post_only_with=frozenset({TimeInForce.GTC, TimeInForce.GTD}),
    notional_with=frozenset({OrderType.MARKET}),
)

_LIMIT_MEMBER: Final = {
    TimeInForce.GTC: "limit_limit_gtc",
    TimeInForce.GTD: "limit_limit_gtd",
    TimeInForce.IOC: "sor_limit_ioc",
    TimeInForce.FOK: "limit_limit_fok",
}
_STOP_MEMBER: Final = {
    TimeInForce.GTC: "stop_limit_stop_limit_gtc",
    TimeInForce.GTD: "stop_limit_stop_limit_gtd",
}

_CAUSES: Final[Mapping[Cause, tuple[str, ...]]] = {
    Cause.INSUFFICIENT_FUNDS: (
        "INSUFFICIENT_FUND",
        "INSUFFICIENT_FUNDS",
        "PREVIEW_INSUFFICIENT_FUND",
        "PREVIEW_INSUFFICIENT_FUNDS_FOR_FUTURES",
        "INVALID_LEDGER_BALANCE",
    ),
    Cause.PERMANENT: (
        "INELIGIBLE_PAIR",
        "UNTRADABLE_PRODUCT",
        "GEOFENCING_RESTRICTION",
        "INVALID_FCM_TRADING_SESSION",
        "NOT_ALLOWED_TO_CANCEL",
    ),
    Cause.TEMPORARY: (
        "ORDER_ENTRY_DISABLED",
        "PREVIEW_PRODUCT_TRADING_HALTED",
        "PREVIEW_TRADING_DISABLED",
        "INVALID_NO_LIQUIDITY",
        "COMMANDER_REJECTED_NEW_ORDER",
        "COMMANDER_REJECTED_CANCEL_ORDER",
    ),
    Cause.NOT_FOUND: ("NOT_FOUND", "UNKNOWN_CANCEL_ORDER", "ORDER_NOT_FOUND"),
    Cause.AUTH: ("PERMISSION_DENIED", "UNAUTHENTICATED"),
    Cause.RATE_LIMITED: ("RESOURCE_EXHAUSTED", "rate_limit_exceeded"),
    Cause.INVALID: (
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
        "UNSUPPORTED_ORDER_CONFIGURATION",
        "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
        "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE",
        "PREVIEW_POST_ONLY_NOT_ALLOWED_WITH_FOK",
        "PREVIEW_END_TIME_IS_IN_THE_PAST",
        "PREVIEW_BUCKET_SIZE_SMALLER_THAN_BASE_MIN",
    ),
}
_CAUSE_BY_CODE: Final = {code: cause for cause, codes in _CAUSES.items() for code in codes}

DUPLICATE: Final = "DUPLICATE_CLIENT_ORDER_ID"
CANCEL_UNDER_WAY: Final = "DUPLICATE_CANCEL_REQUEST"
CANCEL_TOO_LATE: Final = "ORDER_IS_FULLY_FILLED"
CANCEL_RACES: Final = "ORDER_IS_BEING_REPLACED"


def cause_of(code: str) -> Cause:
    """Read a refusal's code; one we do not know is a no for good, never a reason to try again."""
    known = _CAUSE_BY_CODE.get(code)
    if known is not None:
        return known
    is_about_the_request = code.removeprefix("PREVIEW_").startswith("INVALID_")
    return Cause.INVALID if is_about_the_request else Cause.PERMANENT


def is_zero_value(code: str | None) -> bool:
    """Tell the zero value of each of the venue's enums, which names no reason, from a reason."""
    text = code or ""
    return not text or (text.startswith("UNKNOWN_") and text.endswith(("_REASON", "_FAILURE")))


def create_refusal(error: wire.CreateError | None, failure_reason: str | None) -> Refusal | None:
    """Find the reason inside a `success:false`; None when the venue named none."""
    said = error or wire.CreateError()
    reasons = (
        said.error,
        said.preview_failure_reason,
        said.new_order_failure_reason,
        failure_reason,
    )
    code = next((reason for reason in reasons if reason and not is_zero_value(reason)), None)
    if code is None:
        return None
    words = said.message or said.error_details or code
    return Refusal(cause_of(code), code, words)


class _ErrorItem(msgspec.Struct):
    id: str | None = ""
    message: str | None = ""


class _ErrorBody(msgspec.Struct):
    error: str | None = ""
    message: str | None = ""
    error_details: str | None = ""
    errors: list[_ErrorItem] | None = None


def read_refusal(status: int, body: bytes) -> Refusal:
    """Read an HTTP error body in any of its four forms, the last being plain text or a page."""
    try:
        said = msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:200].decode("utf-8", "replace").strip()
        words = "an HTML page" if text.startswith("<") else text
        return Refusal(Cause.INVALID, "", words or f"HTTP {status}")
    item = said.errors[0] if said.errors else _ErrorItem()
    code = said.error or item.id or ""
    words = said.message or said.error_details or item.message or code or f"HTTP {status}"
    return Refusal(cause_of(code) if code in _CAUSE_BY_CODE else Cause.INVALID, code, words)


def order_body(request: OrderRequest) -> dict[str, object]:
    """Write the create call, or say in words what this venue cannot do."""
    return {
        "client_order_id": request.client_order_id,
        "product_id": request.symbol,
        "side": request.side.value.upper(),
        "order_configuration": _configuration(request),
    }


def _configuration(request: OrderRequest) -> dict[str, dict[str, object]]:
    _check(request)
    if request.order_type is OrderType.MARKET:
        return {"market_market_ioc": _market_size(request)}
    terms: dict[str, object] = {
        "base_size": _positive("quantity", request.quantity),
        "limit_price": _positive("limit price", request.limit_price),
    }
    if request.time_in_force is TimeInForce.GTD:
        if request.expires_at is None:
            message = "a good-till-date order names its end"
            raise _invalid(message)
        terms["end_time"] = to_rfc3339(request.expires_at)
    if request.order_type is OrderType.STOP_LIMIT:
        is_buy = request.side is Side.BUY
        terms["stop_price"] = _positive("stop price", request.stop_price)
        terms["stop_direction"] = "STOP_DIRECTION_STOP_UP" if is_buy else "STOP_DIRECTION_STOP_DOWN"
        return {_STOP_MEMBER[request.time_in_force]: terms}
    if request.time_in_force in CAPABILITIES.post_only_with:
        terms["post_only"] = request.post_only
    return {_LIMIT_MEMBER[request.time_in_force]: terms}


def _check(request: OrderRequest) -> None:
    """Refuse what the venue does not offer before anything is sent."""
    offered = CAPABILITIES.times_in_force.get(request.order_type)
    if offered is None:
        message = f"Coinbase Advanced has no {request.order_type} orders here"
        raise Unsupported(message)
    if request.time_in_force not in offered:
        message = (
            f"Coinbase Advanced has no {request.time_in_force} for {request.order_type} orders"
        )
        raise Unsupported(message)
    if request.post_only and (
        request.order_type is not OrderType.LIMIT
        or request.time_in_force not in CAPABILITIES.post_only_with
    ):
        message = "Coinbase Advanced takes post-only on GTC and GTD limit orders alone"
        raise Unsupported(message)
    if request.notional is not None and (
        request.order_type not in CAPABILITIES.notional_with or request.side is Side.SELL
    ):
        message = "only market buys can be sized by their notional here"
        raise Unsupported(message)
    if not request.client_order_id:
        message = "an order needs a client order id"
        raise _invalid(message)


def _market_size(request: OrderRequest) -> dict[str, object]:
    if request.notional is not None:
        return {"quote_size": _positive("notional", request.notional)}
    return {"base_size": _positive("quantity", request.quantity)}


def _positive(name: str, value: Decimal | None) -> str:
    if value is None or not value.is_finite() or value <= 0:
        message = f"the {name} must be a number above zero"
        raise _invalid(message)
    return plain(value)


def _invalid(why: str) -> NotSent:
    return NotSent(why, cause=Cause.INVALID)
