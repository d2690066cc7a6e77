"""How an order is written for this venue, and what each of its refusals means."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from venues.adapters.coinbase_exchange import wire
from venues.adapters.contract import Capabilities
from venues.adapters.kit.reading import Unreadable, decode
from venues.adapters.kit.refusals import Phrases, plain_refusal
from venues.adapters.kit.writing import amount, check, end_of, invalid
from venues.interface.errors import Cause, Unsupported
from venues.interface.types import OrderRequest, OrderType, Side, TimeInForce
from venues.transport.http import Refusal

CAPABILITIES: Final = Capabilities(
    venue="Coinbase Exchange",
    times_in_force={
        OrderType.MARKET: frozenset({TimeInForce.GTC, TimeInForce.IOC}),
        OrderType.LIMIT: frozenset(TimeInForce),
        OrderType.STOP_LIMIT: frozenset({TimeInForce.GTC}),
    },
    post_only_with=frozenset({TimeInForce.GTC, TimeInForce.GTD}),
    notional_with=frozenset({OrderType.MARKET}),
    sells_by_notional=True,
    repeats_are_safe=False,
    lists_by_symbol=True,
    absence_seconds=30.0,
)

_TIMES: Final = {
    TimeInForce.GTC: "GTC",
    TimeInForce.GTD: "GTT",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
}
_SPANS: Final = {
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
# How far the end asked for may lie from the one the venue will count from its own clock.
_SPAN_TOLERANCE: Final = timedelta(seconds=5)
# The venue drops any other client id without a word, and an order we cannot find is worse than none.
_UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

ALREADY_DONE: Final = "order already done"
PHRASES: Final = Phrases(
    {
        "insufficient funds": Cause.INSUFFICIENT_FUNDS,
        "invalid signature": Cause.AUTH,
        "invalid api key": Cause.AUTH,
        "invalid passphrase": Cause.AUTH,
        "invalid timestamp": Cause.AUTH,
        "request timestamp expired": Cause.AUTH,
        "forbidden": Cause.AUTH,
        "notfound": Cause.NOT_FOUND,
        "order not found": Cause.NOT_FOUND,
        "product not found": Cause.NOT_FOUND,
        ALREADY_DONE: Cause.NOT_FOUND,
        "cancel only mode": Cause.TEMPORARY,
        "under maintenance": Cause.TEMPORARY,
        "insufficient liquidity": Cause.TEMPORARY,
        "trading pair not available": Cause.PERMANENT,
        "rate limit exceeded": Cause.RATE_LIMITED,
    }
)


def read_refusal(status: int, body: bytes) -> Refusal:
    """Read an HTTP error: one sentence and no code, or a page of somebody in between."""
    try:
        sentence = decode(body, wire.ErrorBody).message or f"HTTP {status}"
    except Unreadable:
        return plain_refusal(status, body)
    return refusal_of(sentence)


def refusal_of(sentence: str) -> Refusal:
    cause = PHRASES.find(sentence) or Cause.INVALID
    is_untimely = cause is Cause.AUTH and "timestamp" in sentence
    return Refusal(cause, sentence[:60], sentence, is_untimely=is_untimely)


def order_body(request: OrderRequest, now: datetime) -> dict[str, object]:
    """Write the create call, or say in words what this venue cannot do."""
    check(request, CAPABILITIES)
    if not _UUID4.fullmatch(request.client_order_id):
        message = "this venue keeps only client order ids that are UUIDv4 in lower case"
        raise invalid(message)
    body: dict[str, object] = {
        "client_oid": request.client_order_id,
        "product_id": request.symbol,
        "side": request.side.value,
        "type": "market" if request.order_type is OrderType.MARKET else "limit",
    }
    if request.notional is not None:
        body["funds"] = amount("notional", request.notional)
    else:
        body["size"] = amount("quantity", request.quantity)
    if request.order_type is OrderType.MARKET:
        return body
    body["price"] = amount("limit price", request.limit_price)
    body["time_in_force"] = _TIMES[request.time_in_force]
    if request.time_in_force in CAPABILITIES.post_only_with:
        body["post_only"] = request.post_only
    if request.time_in_force is TimeInForce.GTD:
        body["cancel_after"] = _span(end_of(request), now)
    if request.order_type is OrderType.STOP_LIMIT:
        body["stop"] = "entry" if request.side is Side.BUY else "loss"
        body["stop_price"] = amount("stop price", request.stop_price)
    return body


def _span(expires_at: datetime, now: datetime) -> str:
    for name, span in _SPANS.items():
        if abs(expires_at - now - span) <= _SPAN_TOLERANCE:
            return name
    message = (
        "Coinbase Exchange ends an order a minute, an hour or a day from now, at no other time"
    )
    raise Unsupported(message)
