"""How an order is written for this venue, and what each of its refusals means."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from venues.adapters.coinbase_advanced import wire
from venues.adapters.contract import Capabilities
from venues.adapters.kit.reading import Unreadable, decode, first
from venues.adapters.kit.refusals import Causes, plain_refusal
from venues.adapters.kit.writing import amount, check, equal_parts, invalid
from venues.interface.errors import Cause
from venues.interface.numbers import plain
from venues.interface.times import to_rfc3339
from venues.interface.types import OrderRequest, OrderType, Side, TimeInForce
from venues.transport.http import Refusal

_RESTING: Final = frozenset({TimeInForce.GTC, TimeInForce.GTD})

CAPABILITIES: Final = Capabilities(
    venue="Coinbase Advanced",
    times_in_force={
        OrderType.MARKET: frozenset({TimeInForce.GTC, TimeInForce.IOC}),
        OrderType.LIMIT: frozenset(TimeInForce),
        OrderType.STOP_LIMIT: _RESTING,
        OrderType.BRACKET: _RESTING,
        OrderType.TWAP: frozenset({TimeInForce.GTD}),
    },
    post_only_with=_RESTING,
    notional_with=frozenset({OrderType.MARKET}),
)

_MEMBERS: Final = {
    (OrderType.LIMIT, TimeInForce.GTC): "limit_limit_gtc",
    (OrderType.LIMIT, TimeInForce.GTD): "limit_limit_gtd",
    (OrderType.LIMIT, TimeInForce.IOC): "sor_limit_ioc",
    (OrderType.LIMIT, TimeInForce.FOK): "limit_limit_fok",
    (OrderType.STOP_LIMIT, TimeInForce.GTC): "stop_limit_stop_limit_gtc",
    (OrderType.STOP_LIMIT, TimeInForce.GTD): "stop_limit_stop_limit_gtd",
    (OrderType.BRACKET, TimeInForce.GTC): "trigger_bracket_gtc",
    (OrderType.BRACKET, TimeInForce.GTD): "trigger_bracket_gtd",
    (OrderType.TWAP, TimeInForce.GTD): "twap_limit_gtd",
}

CAUSES: Final = Causes(
    {
        Cause.INSUFFICIENT_FUNDS: """INSUFFICIENT_FUND INSUFFICIENT_FUNDS PREVIEW_INSUFFICIENT_FUND
            PREVIEW_INSUFFICIENT_FUNDS_FOR_FUTURES INVALID_LEDGER_BALANCE""",
        Cause.PERMANENT: """INELIGIBLE_PAIR UNTRADABLE_PRODUCT GEOFENCING_RESTRICTION
            INVALID_FCM_TRADING_SESSION INVALID_CANCEL_FCM_TRADING_SESSION NOT_ALLOWED_TO_CANCEL""",
        Cause.TEMPORARY: """ORDER_ENTRY_DISABLED PREVIEW_PRODUCT_TRADING_HALTED
            PREVIEW_TRADING_DISABLED INVALID_NO_LIQUIDITY COMMANDER_REJECTED_NEW_ORDER
            COMMANDER_REJECTED_CANCEL_ORDER ORDER_IS_ALREADY_BEING_REPLACED
            CANNOT_EDIT_ORDER_PENDING_CANCEL""",
        Cause.NOT_FOUND: "NOT_FOUND UNKNOWN_CANCEL_ORDER ORDER_NOT_FOUND",
        Cause.AUTH: "PERMISSION_DENIED UNAUTHENTICATED",
        Cause.RATE_LIMITED: "RESOURCE_EXHAUSTED rate_limit_exceeded",
        Cause.INVALID: """INVALID_ARGUMENT INVALID_REQUEST UNSUPPORTED_ORDER_CONFIGURATION
            PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE
            PREVIEW_POST_ONLY_NOT_ALLOWED_WITH_FOK PREVIEW_END_TIME_IS_IN_THE_PAST
            PREVIEW_BUCKET_SIZE_SMALLER_THAN_BASE_MIN ONLY_LIMIT_ORDER_EDITS_SUPPORTED
            ONLY_OPEN_ORDERS_CAN_BE_EDITED CANNOT_EDIT_TO_BELOW_FILLED_SIZE
            EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST EXCEEDED_MAX_ALLOWED_EDIT_REQUEST_COUNT
            SIZE_IN_QUOTE_EDITS_NOT_ALLOWED""",
    },
    invalid_prefixes=("INVALID_", "PREVIEW_INVALID_"),
)

DUPLICATE: Final = "DUPLICATE_CLIENT_ORDER_ID"
CANCEL_UNDER_WAY: Final = "DUPLICATE_CANCEL_REQUEST"
CANCEL_TOO_LATE: Final = "ORDER_IS_FULLY_FILLED"
CANCEL_RACES: Final = "ORDER_IS_BEING_REPLACED"


def create_refusal(error: wire.CreateError | None, failure_reason: str | None) -> Refusal | None:
    """Find the reason inside a `success:false`; None when the venue named none."""
    said = error or wire.CreateError()
    reasons = (
        said.error,
        said.edit_failure_reason,
        said.preview_failure_reason,
        said.new_order_failure_reason,
        failure_reason,
    )
    code = next((reason for reason in reasons if not is_zero_value(reason)), None)
    if code is None:
        return None
    return Refusal(CAUSES.of(code), code, first(said.message, said.error_details, code))


def is_zero_value(code: str | None) -> bool:
    """Tell the zero value of each of the venue's enums, which names no reason, from a reason."""
    text = code or ""
    return not text or (text.startswith("UNKNOWN_") and text.endswith(("_REASON", "_FAILURE")))


def read_refusal(status: int, body: bytes) -> Refusal:
    """Read an HTTP error body in any of its four forms, the last being plain text or a page."""
    try:
        said = decode(body, wire.ErrorBody)
    except Unreadable:
        return plain_refusal(status, body)
    item = said.errors[0] if said.errors else wire.ErrorItem()
    code = said.error or item.id or ""
    words = first(said.message, said.error_details, item.message, code, f"HTTP {status}")
    return Refusal(CAUSES.known(code) or Cause.INVALID, code, words)


def order_body(request: OrderRequest, now: datetime) -> dict[str, object]:
    """Write the create call, or say in words what this venue cannot do."""
    check(request, CAPABILITIES)
    return {
        "client_order_id": request.client_order_id,
        "product_id": request.symbol,
        "side": request.side.value.upper(),
        "order_configuration": _configuration(request, now),
    }


def _configuration(request: OrderRequest, now: datetime) -> dict[str, dict[str, object]]:
    if request.order_type is OrderType.MARKET:
        if request.notional is not None:
            return {"market_market_ioc": {"quote_size": amount("notional", request.notional)}}
        return {"market_market_ioc": {"base_size": amount("quantity", request.quantity)}}
    terms: dict[str, object] = {
        "base_size": amount("quantity", request.quantity),
        "limit_price": amount("limit price", request.limit_price),
    }
    if request.time_in_force is TimeInForce.GTD:
        terms["end_time"] = to_rfc3339(_end(request))
    if request.order_type is OrderType.STOP_LIMIT:
        is_buy = request.side is Side.BUY
        terms["stop_price"] = amount("stop price", request.stop_price)
        terms["stop_direction"] = "STOP_DIRECTION_STOP_UP" if is_buy else "STOP_DIRECTION_STOP_DOWN"
    elif request.order_type is OrderType.BRACKET:
        terms["stop_trigger_price"] = amount("stop price", request.stop_price)
    elif request.order_type is OrderType.TWAP:
        terms |= _slices(request, now)
    elif request.time_in_force in CAPABILITIES.post_only_with:
        terms["post_only"] = request.post_only
    return {_MEMBERS[request.order_type, request.time_in_force]: terms}


def _slices(request: OrderRequest, now: datetime) -> dict[str, object]:
    """Cut a TWAP into equal parts of whole seconds: the venue takes no others."""
    start, end, count = request.starts_at or now, _end(request), request.slices or 0
    if count < 1 or start >= end or request.quantity is None:
        message = "a TWAP names its slices and ends after it begins"
        raise invalid(message)
    return {
        "start_time": to_rfc3339(start),
        "number_buckets": str(count),
        "bucket_size": plain(equal_parts(request.quantity, count)),
        "bucket_duration": f"{max(int((end - start).total_seconds() // count), 1)}s",
    }


def _end(request: OrderRequest) -> datetime:
    if request.expires_at is None:
        message = "a good-till-date order names its end"
        raise invalid(message)
    return request.expires_at
