"""How an order is written for this venue, and what each of its refusals means."""

from __future__ import annotations

from typing import Final

from venues.adapters._template import wire
from venues.adapters._template.missing import missing
from venues.adapters.contract import Capabilities
from venues.adapters.kit.reading import Unreadable, decode
from venues.adapters.kit.refusals import Causes, plain_refusal
from venues.adapters.kit.writing import check
from venues.interface.errors import Cause
from venues.interface.types import OrderRequest, OrderType, TimeInForce
from venues.transport.http import Refusal

# Whatever is not declared here is refused as `Unsupported` before anything is sent.
CAPABILITIES: Final = Capabilities(
    venue="Template",
    times_in_force={
        OrderType.MARKET: frozenset({TimeInForce.GTC}),
        OrderType.LIMIT: frozenset({TimeInForce.GTC}),
    },
    post_only_with=frozenset(),
    notional_with=frozenset(),
)

# Every code of the venue's documents under its cause. One that is not listed is a no for good.
CAUSES: Final = Causes({Cause.AUTH: "", Cause.INSUFFICIENT_FUNDS: "", Cause.NOT_FOUND: ""})


def read_refusal(status: int, body: bytes) -> Refusal:
    try:
        said = decode(body, wire.ErrorBody)
    except Unreadable:
        return plain_refusal(status, body)
    return Refusal(CAUSES.of(said.code), said.code, said.message or said.code)


def order_body(request: OrderRequest) -> dict[str, object]:
    """Write the create call, or say in words what this venue cannot do."""
    check(request, CAPABILITIES)
    missing("orders.order_body", "the members of the venue's create call, amounts by `amount`")
