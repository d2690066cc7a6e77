"""How an order is written for Harbour, and what each of its refusals means."""

from __future__ import annotations

from tests.venues.fictional.adapter import wire
from venues.adapters.contract import Capabilities
from venues.adapters.kit.reading import Unreadable, decode
from venues.adapters.kit.refusals import Causes, plain_refusal
from venues.adapters.kit.writing import amount, check
from venues.interface.errors import Cause
from venues.interface.types import OrderRequest, OrderType, TimeInForce
from venues.transport.http import Refusal

CAPABILITIES = Capabilities(
    venue="Harbour",
    times_in_force={
        OrderType.MARKET: frozenset({TimeInForce.GTC, TimeInForce.IOC}),
        OrderType.LIMIT: frozenset({TimeInForce.GTC, TimeInForce.IOC}),
    },
    post_only_with=frozenset({TimeInForce.GTC}),
    notional_with=frozenset(),
)

LIVES = {TimeInForce.GTC: "stay", TimeInForce.IOC: "touch"}
DONE = "order_done"
CAUSES = Causes(
    {
        Cause.AUTH: "no_key bad_time bad_sign",
        Cause.INSUFFICIENT_FUNDS: "no_funds",
        Cause.NOT_FOUND: "no_order no_market no_such_call order_done",
        Cause.INVALID: "bad_order would_take",
        Cause.TEMPORARY: "nobody_there harbour_closed",
        Cause.RATE_LIMITED: "slow_down",
    }
)


def read_refusal(status: int, body: bytes) -> Refusal:
    try:
        said = decode(body, wire.No)
    except Unreadable:
        return plain_refusal(status, body)
    return Refusal(CAUSES.of(said.code), said.code, said.text or said.code)


def order_body(request: OrderRequest) -> dict[str, object]:
    check(request, CAPABILITIES)
    body: dict[str, object] = {
        "ref": request.client_order_id,
        "market": request.symbol,
        "way": request.side.value,
        "kind": request.order_type.value,
        "amount": amount("quantity", request.quantity),
    }
    if request.order_type is OrderType.LIMIT:
        body["price"] = amount("limit price", request.limit_price)
        body["life"] = LIVES[request.time_in_force]
        body["only_make"] = request.post_only
    return body
