"""What the client believes of each answer to an order, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from venues.adapters.registry import ADAPTERS, ApiKey, Surroundings, VenueConfig, build_client
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, Unsupported
from venues.interface.types import (
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from venues.simulator.demo_keys import generate_demo_key
from venues.transport.http import Seams

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = OrderRequest(
    client_order_id="c1",
    symbol="BTC-USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal("0.001"),
    limit_price=Decimal(10000),
)
ACCEPTED = {
    "success": True,
    "success_response": {
        "order_id": "v1",
        "product_id": "BTC-USD",
        "side": "BUY",
        "client_order_id": "c1",
    },
    "order_configuration": {"limit_limit_gtc": {"base_size": "0.001", "limit_price": "10000"}},
}
ORDER = {
    "order_id": "v1",
    "product_id": "BTC-USD",
    "side": "BUY",
    "client_order_id": "c1",
    "status": "FILLED",
    "filled_size": "0.001",
    "filled_value": "10",
}

Route = Callable[[httpx.Request], Any]


def client(route: Route, **changes: Any) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        said = route(request)
        if isinstance(said, httpx.Response):
            return said
        return httpx.Response(200, content=said if isinstance(said, bytes) else json.dumps(said))

    async def no_wait(_seconds: float) -> None:
        return None

    key = generate_demo_key()
    return build_client(
        "coinbase_advanced",
        config=VenueConfig(rest_url="https://venue.test", ws_url="", ws_user_url=""),
        key=ApiKey(key.key_id, key.secret),
        around=Surroundings(
            now=lambda: NOW,
            seams=Seams(wire=httpx.MockTransport(answer), sleep=no_wait),
            **changes,
        ),
    )


async def test_success_means_accepted_and_nothing_more():
    order = await client(lambda _: ACCEPTED).place_order(REQUEST)

    assert order.venue_order_id == "v1"
    assert order.status is OrderStatus.PENDING
    assert order.raw == ACCEPTED


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b'{"success":"yes"}',
        b'{"success":true}',
        b'{"success":true,"success_response":{}}',
        b'{"success":true,"success_response":{"order_id":"v9","client_order_id":"other"}}',
        b'{"success":true,"success_response":{"order_id":7}}',
        b'{"success":false}',
        b'{"success":false,"error_response":{"error":"UNKNOWN_FAILURE_REASON"}}',
        b'{"success":tr',
        b"\xff\xff",
    ],
)
async def test_an_answer_that_proves_nothing_is_unknown(answer):
    with pytest.raises(OutcomeUnknown):
        await client(lambda _: answer).place_order(REQUEST)


async def test_a_broken_member_nobody_reads_does_not_undo_an_accepted_order():
    drift: list[tuple[str, str]] = []
    answer = json.dumps(ACCEPTED).encode()[:-1] + b',"\xff":1}'

    order = await client(
        lambda _: answer, on_drift=lambda kind, detail: drift.append((kind, detail))
    ).place_order(REQUEST)

    assert order.venue_order_id == "v1"
    assert "unreadable" in order.raw
    assert [kind for kind, _ in drift] == ["unreadable answer"]


@pytest.mark.parametrize("act", ["place_order", "cancel_order"])
async def test_an_unreadable_answer_to_an_act_is_reported_as_drift(act):
    drift: list[str] = []
    acting = client(lambda _: b"<html>", on_drift=lambda kind, _: drift.append(kind))
    ref = OrderRef(symbol="BTC-USD", client_order_id="c1", venue_order_id="v1")

    with pytest.raises(OutcomeUnknown):
        await getattr(acting, act)(REQUEST if act == "place_order" else ref)
    assert drift == ["unreadable answer"]


async def test_older_answers_name_the_order_at_the_top():
    order = await client(
        lambda _: {
            "success": True,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": "v1",
        }
    ).place_order(REQUEST)

    assert order.venue_order_id == "v1"


async def test_a_duplicate_client_id_is_looked_up():
    def route(request: httpx.Request) -> Any:
        if request.method == "POST":
            return {
                "success": False,
                "error_response": {"error": "DUPLICATE_CLIENT_ORDER_ID", "message": "again"},
            }
        return {"orders": [{**ORDER, "client_order_id": "zz"}, ORDER], "has_next": False}

    order = await client(route).place_order(REQUEST)

    assert (order.venue_order_id, order.status) == ("v1", OrderStatus.FILLED)


async def test_a_duplicate_that_cannot_be_found_stays_in_doubt():
    def route(request: httpx.Request) -> Any:
        if request.method == "POST":
            return {"success": False, "error_response": {"error": "DUPLICATE_CLIENT_ORDER_ID"}}
        return {"orders": [], "has_next": False}

    with pytest.raises(OutcomeUnknown):
        await client(route).place_order(REQUEST)


async def test_an_unsupported_order_sends_nothing():
    calls: list[httpx.Request] = []

    with pytest.raises(Unsupported):
        await client(calls.append).place_order(replace(REQUEST, order_type=OrderType.TWAP))
    assert calls == []


async def test_the_scan_asks_by_product_and_time_and_reads_to_the_end():
    asked: list[dict[str, str]] = []

    def route(request: httpx.Request) -> Any:
        asked.append(dict(request.url.params))
        if "cursor" not in request.url.params:
            others = [{**ORDER, "order_id": f"o{n}", "client_order_id": f"x{n}"} for n in range(3)]
            return {"orders": others, "has_next": True, "cursor": "next"}
        return {"orders": [ORDER], "has_next": False, "cursor": ""}

    order = await client(route).get_order(
        OrderRef(symbol="BTC-USD", client_order_id="c1", sent_at=NOW)
    )

    assert order.venue_order_id == "v1"
    assert asked[0] == {
        "limit": "250",
        "product_ids": "BTC-USD",
        "start_date": "2025-12-31T23:58:00.000000Z",
    }
    assert asked[1]["cursor"] == "next"


async def test_the_scan_does_not_trust_the_product_of_a_symbol_with_two_names():
    asked: list[dict[str, str]] = []

    def route(request: httpx.Request) -> Any:
        asked.append(dict(request.url.params))
        return {"orders": [ORDER], "has_next": False}

    await client(route).get_order(OrderRef(symbol="BTC-USDC", client_order_id="c1"))

    assert "product_ids" not in asked[0]


@pytest.mark.parametrize("broken", [b"<html>", b'{"orders":[{"order_id":"v1"}],"has_next":false}'])
async def test_a_scan_that_cannot_read_a_page_never_says_not_found(broken):
    with pytest.raises(NotSent) as raised:
        await client(lambda _: broken).get_order(OrderRef(symbol="BTC-USD", client_order_id="c1"))

    assert raised.value.cause is Cause.TEMPORARY


async def test_a_scan_without_end_never_says_not_found():
    pages = iter(range(10**6))

    def route(_request: httpx.Request) -> Any:
        return {"orders": [], "has_next": True, "cursor": str(next(pages))}

    with pytest.raises(NotSent) as raised:
        await client(route).get_order(OrderRef(symbol="BTC-USD", client_order_id="c1"))
    assert raised.value.cause is Cause.TEMPORARY


@pytest.mark.parametrize(
    ("result", "accepted", "done"),
    [
        ({"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON"}, True, False),
        ({"success": False, "failure_reason": "DUPLICATE_CANCEL_REQUEST"}, True, False),
        ({"success": False, "failure_reason": "ORDER_IS_FULLY_FILLED"}, False, True),
        ({"success": False, "failure_reason": "ORDER_IS_BEING_REPLACED"}, False, False),
    ],
)
async def test_a_cancels_answer_is_read(result, accepted, done):
    answer = {"results": [{**result, "order_id": "v1"}]}

    said = await client(lambda _: answer).cancel_order(
        OrderRef(symbol="BTC-USD", client_order_id="c1", venue_order_id="v1")
    )

    assert (said.is_accepted, said.is_already_done) == (accepted, done)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("UNKNOWN_CANCEL_ORDER", Cause.NOT_FOUND),
        ("NOT_ALLOWED_TO_CANCEL", Cause.PERMANENT),
        ("COMMANDER_REJECTED_CANCEL_ORDER", Cause.TEMPORARY),
        ("INVALID_CANCEL_PRODUCT_ID", Cause.INVALID),
    ],
)
async def test_a_refused_cancel_says_why(reason, cause):
    answer = {"results": [{"success": False, "failure_reason": reason, "order_id": "v1"}]}

    with pytest.raises(Rejected) as refused:
        await client(lambda _: answer).cancel_order(
            OrderRef(symbol="BTC-USD", client_order_id="c1", venue_order_id="v1")
        )
    assert refused.value.cause is cause


@pytest.mark.parametrize("answer", [b"{}", b'{"results":[]}', b"<html>"])
async def test_a_cancel_without_a_word_on_the_order_is_unknown(answer):
    with pytest.raises(OutcomeUnknown):
        await client(lambda _: answer).cancel_order(
            OrderRef(symbol="BTC-USD", client_order_id="c1", venue_order_id="v1")
        )


@pytest.mark.parametrize(
    "end", [{"has_next": True}, {"has_next": True, "cursor": ""}], ids=["no cursor", "empty"]
)
async def test_a_listing_that_hides_its_rest_never_says_not_found(end):
    said = {"orders": [], "accounts": [], **end}

    with pytest.raises(NotSent):
        await client(lambda _: said).get_order(OrderRef(symbol="BTC-USD", client_order_id="c1"))
    with pytest.raises(NotSent):
        await client(lambda _: said).get_balance()


async def test_a_cursor_that_leads_back_to_its_own_page_is_an_error():
    with pytest.raises(NotSent):
        await client(lambda _: {"orders": [], "has_next": True, "cursor": "here"}).get_orders(
            OrderQuery(cursor="here")
        )


async def test_a_cursor_behind_an_empty_page_of_fills_ends_the_listing():
    page = {"fills": [], "cursor": "again"}

    assert (await client(lambda _: page).get_fills(OrderQuery())).cursor == ""


async def test_corrections_are_reported_and_not_booked():
    drift: list[str] = []
    fill = {
        "entry_id": "e1",
        "order_id": "v1",
        "product_id": "BTC-USD",
        "side": "BUY",
        "price": "1",
        "size": "1",
        "trade_time": "2026-01-01T00:00:00Z",
        "trade_type": "REVERSAL",
    }

    page = await client(
        lambda _: {"fills": [fill], "cursor": ""}, on_drift=lambda kind, _detail: drift.append(kind)
    ).get_fills(OrderQuery())

    assert page.items == ()
    assert drift == ["fill that is no fill"]


async def test_accounts_are_read_page_by_page():
    def account(currency: str) -> dict[str, Any]:
        return {
            "currency": currency,
            "available_balance": {"value": "1", "currency": currency},
            "hold": {"value": "0.5", "currency": currency},
        }

    def route(request: httpx.Request) -> Any:
        if request.url.params.get("cursor") == "2":
            return {"accounts": [account("ETH")], "has_next": False, "cursor": ""}
        return {"accounts": [account("BTC")], "has_next": True, "cursor": "2"}

    balances = await client(route).get_balance()

    assert [(one.currency, one.total) for one in balances] == [
        ("BTC", Decimal("1.5")),
        ("ETH", Decimal("1.5")),
    ]


async def test_health_tells_how_far_the_clocks_are_apart():
    millis = int(NOW.timestamp() * 1000) + 5000

    health = await client(lambda _: {"epochMillis": str(millis)}).health()

    assert health.is_up
    assert health.clock_offset_seconds == pytest.approx(5, abs=0.5)


async def test_health_never_raises():
    health = await client(lambda _: httpx.Response(503, content=b"<html>")).health()

    assert not health.is_up
    assert "503" in health.message


def test_every_adapter_says_what_its_key_consists_of_and_which_orders_it_takes():
    for slug, adapter in ADAPTERS.items():
        assert adapter.key_fields, slug
        assert {field.name for field in adapter.key_fields} >= {"key_id", "secret"}
        # What one of a few known words answers is no secret; everything typed but the id is one.
        typed = [field for field in adapter.key_fields if not field.choices]
        assert all(field.is_secret for field in typed if field.name != "key_id")
        assert OrderType.LIMIT in adapter.capabilities.order_types
        assert adapter.live.rest_url.startswith("https://")


def test_every_kind_of_order_is_sent_or_refused_as_the_capabilities_say():
    capabilities = ADAPTERS["coinbase_advanced"].capabilities

    assert capabilities.order_types == set(OrderType) - {OrderType.VWAP, OrderType.RFQ}
    assert capabilities.times_in_force[OrderType.LIMIT] == frozenset(TimeInForce)


def test_a_key_hides_its_secret():
    assert "s3cret" not in repr(ApiKey("id", "s3cret"))
