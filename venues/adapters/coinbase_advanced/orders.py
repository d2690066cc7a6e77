"""How an order is written for this venue, and what each of its refusals means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from venues.adapters.coinbase_advanced import wire
from venues.adapters.contract import Capabilities
from venues.adapters.kit.reading import Unreadable, decode, first
from venues.adapters.kit.refusals import Causes, plain_refusal
from venues.adapters.kit.rest import unknown
from venues.adapters.kit.writing import amount, check, end_of, slices_of
from venues.interface.errors import Cause
from venues.interface.times import to_rfc3339
from venues.interface.types import CancelAnswer, OrderRequest, OrderType, Side, TimeInForce
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
# What the venue's words on a cancel come to; any other word is a refusal.
CANCEL_ANSWERS: Final = {
    "": CancelAnswer(is_accepted=True),
    "DUPLICATE_CANCEL_REQUEST": CancelAnswer(is_accepted=True),
    "ORDER_IS_FULLY_FILLED": CancelAnswer(is_accepted=False, is_already_done=True),
    "ORDER_IS_BEING_REPLACED": CancelAnswer(is_accepted=False),
}


def refusal_in(answer: wire.Acted) -> Refusal:
    """Find the reason inside a `success:false`."""
    said = answer.error_response or next(iter(answer.errors or ()), wire.Complaint())
    reasons = (
        said.error,
        said.edit_failure_reason,
        said.preview_failure_reason,
        said.new_order_failure_reason,
        answer.failure_reason,
    )
    code = next((reason for reason in reasons if reason and not is_zero_value(reason)), None)
    if code is None:
        message = "the venue said no without a reason, which proves nothing"
        raise unknown(message)
    return Refusal(CAUSES.of(code), code, first(said.message, said.error_details, code))


def is_zero_value(code: str | None) -> bool:
    """Tell the zero value of each of the venue's enums, which names no reason, from a reason."""
    text = code or ""
    return not text or (text.startswith("UNKNOWN_") and text.endswith(("_REASON", "_FAILURE")))


def read_refusal(status: int, body: bytes) -> Refusal:
    """Read an HTTP error body in any of its four forms, the last being plain text or a page."""
    try:
        said = decode(body, wire.Complaint)
    except Unreadable:
        return plain_refusal(status, body)
    item = said.errors[0] if said.errors else wire.ErrorItem()
    code = said.error or item.id or ""
    words = first(said.message, said.error_details, item.message, code, f"HTTP {status}")
    return Refusal(CAUSES.known(code) or Cause.INVALID, code, words)


# How each term is written, by the venue's own name for it.
_TERMS: Final[Mapping[str, Callable[[OrderRequest], object]]] = {
    "base_size": lambda one: amount("quantity", one.quantity),
    "quote_size": lambda one: amount("notional", one.notional),
    "limit_price": lambda one: amount("limit price", one.limit_price),
    "stop_price": lambda one: amount("stop price", one.stop_price),
    "stop_trigger_price": lambda one: amount("stop price", one.stop_price),
    "stop_direction": lambda one: f"STOP_DIRECTION_STOP_{'UP' if one.side is Side.BUY else 'DOWN'}",
    "end_time": lambda one: to_rfc3339(end_of(one)),
    "post_only": lambda one: one.post_only,
}
# The venue's name for each kind of order, and what it says beside its size.
_CONFIGURATIONS: Final = {
    (OrderType.MARKET, TimeInForce.GTC): ("market_market_ioc", ""),
    (OrderType.MARKET, TimeInForce.IOC): ("market_market_ioc", ""),
    (OrderType.LIMIT, TimeInForce.GTC): ("limit_limit_gtc", "limit_price post_only"),
    (OrderType.LIMIT, TimeInForce.GTD): ("limit_limit_gtd", "limit_price end_time post_only"),
    (OrderType.LIMIT, TimeInForce.IOC): ("sor_limit_ioc", "limit_price"),
    (OrderType.LIMIT, TimeInForce.FOK): ("limit_limit_fok", "limit_price"),
    (OrderType.STOP_LIMIT, TimeInForce.GTC): (
        "stop_limit_stop_limit_gtc",
        "limit_price stop_price stop_direction",
    ),
    (OrderType.STOP_LIMIT, TimeInForce.GTD): (
        "stop_limit_stop_limit_gtd",
        "limit_price end_time stop_price stop_direction",
    ),
    (OrderType.BRACKET, TimeInForce.GTC): (
        "trigger_bracket_gtc",
        "limit_price stop_trigger_price",
    ),
    (OrderType.BRACKET, TimeInForce.GTD): (
        "trigger_bracket_gtd",
        "limit_price end_time stop_trigger_price",
    ),
    (OrderType.TWAP, TimeInForce.GTD): ("twap_limit_gtd", "limit_price end_time"),
}


def order_body(request: OrderRequest, now: datetime) -> dict[str, object]:
    """Write the create call, or say in words what this venue cannot do."""
    check(request, CAPABILITIES)
    name, terms = _CONFIGURATIONS[request.order_type, request.time_in_force]
    said = ["base_size" if request.notional is None else "quote_size", *terms.split()]
    slices = _slices(request, now) if request.order_type is OrderType.TWAP else {}
    return {
        "client_order_id": request.client_order_id,
        "product_id": request.symbol,
        "side": request.side.value.upper(),
        "order_configuration": {name: {term: _TERMS[term](request) for term in said} | slices},
    }


def _slices(request: OrderRequest, now: datetime) -> dict[str, object]:
    cut = slices_of(request, now)
    return {
        "start_time": to_rfc3339(cut.starts_at),
        "number_buckets": str(cut.count),
        "bucket_size": cut.size,
        "bucket_duration": f"{cut.seconds}s",
    }
