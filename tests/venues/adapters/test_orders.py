from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.orders import (
    CAUSES,
    order_body,
    read_refusal,
    refusal_in,
)
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Unsupported
from venues.interface.types import OrderRequest, OrderType, Side, TimeInForce

LIMIT = OrderRequest(
    client_order_id="11111111-2222-4333-8444-555555555555",
    symbol="BTC-USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal("0.001"),
    limit_price=Decimal("10000.00"),
)
STOP = replace(LIMIT, order_type=OrderType.STOP_LIMIT, stop_price=Decimal(9000))
MARKET = replace(LIMIT, order_type=OrderType.MARKET, limit_price=None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
TWAP = replace(
    LIMIT,
    order_type=OrderType.TWAP,
    time_in_force=TimeInForce.GTD,
    expires_at=NOW + timedelta(hours=1),
    slices=4,
)
PRICED = {"base_size": "0.001", "limit_price": "10000"}


@pytest.mark.parametrize(
    ("request_", "configuration"),
    [
        (MARKET, {"market_market_ioc": {"base_size": "0.001"}}),
        (
            replace(MARKET, quantity=None, notional=Decimal("25.50")),
            {"market_market_ioc": {"quote_size": "25.5"}},
        ),
        (LIMIT, {"limit_limit_gtc": {**PRICED, "post_only": False}}),
        (replace(LIMIT, post_only=True), {"limit_limit_gtc": {**PRICED, "post_only": True}}),
        (
            replace(LIMIT, time_in_force=TimeInForce.GTD, expires_at=END),
            {
                "limit_limit_gtd": {
                    **PRICED,
                    "end_time": "2027-01-01T00:00:00.000000Z",
                    "post_only": False,
                }
            },
        ),
        (replace(LIMIT, time_in_force=TimeInForce.IOC), {"sor_limit_ioc": PRICED}),
        (replace(LIMIT, time_in_force=TimeInForce.FOK), {"limit_limit_fok": PRICED}),
        (
            STOP,
            {
                "stop_limit_stop_limit_gtc": {
                    **PRICED,
                    "stop_price": "9000",
                    "stop_direction": "STOP_DIRECTION_STOP_UP",
                }
            },
        ),
        (
            replace(STOP, side=Side.SELL, time_in_force=TimeInForce.GTD, expires_at=END),
            {
                "stop_limit_stop_limit_gtd": {
                    **PRICED,
                    "end_time": "2027-01-01T00:00:00.000000Z",
                    "stop_price": "9000",
                    "stop_direction": "STOP_DIRECTION_STOP_DOWN",
                }
            },
        ),
    ],
)
def test_every_supported_order_is_written_as_the_venue_wants_it(request_, configuration):
    body = order_body(request_, NOW)

    assert body["order_configuration"] == configuration
    assert body["client_order_id"] == request_.client_order_id
    assert body["product_id"] == "BTC-USD"
    assert body["side"] == request_.side.value.upper()


def test_small_numbers_are_written_without_exponent():
    body = order_body(replace(LIMIT, quantity=Decimal("1E-8")), NOW)

    assert '"base_size": "0.00000001"' in str(body).replace("'", '"')


def test_a_bracket_takes_its_profit_at_the_limit_and_stops_its_loss_at_the_stop():
    bracket = replace(LIMIT, order_type=OrderType.BRACKET, stop_price=Decimal(9000))

    assert order_body(bracket, NOW)["order_configuration"] == {
        "trigger_bracket_gtc": {**PRICED, "stop_trigger_price": "9000"}
    }


def test_a_twap_begins_now_and_is_cut_into_equal_parts():
    assert order_body(TWAP, NOW)["order_configuration"] == {
        "twap_limit_gtd": {
            **PRICED,
            "start_time": "2026-01-01T00:00:00.000000Z",
            "end_time": "2026-01-01T01:00:00.000000Z",
            "number_buckets": "4",
            "bucket_size": "0.00025",
            "bucket_duration": "900s",
        }
    }


@pytest.mark.parametrize(
    "request_",
    [
        *(replace(LIMIT, order_type=kind) for kind in (OrderType.VWAP, OrderType.RFQ)),
        replace(LIMIT, order_type=OrderType.TWAP),
        replace(LIMIT, order_type=OrderType.BRACKET, time_in_force=TimeInForce.IOC),
        replace(MARKET, time_in_force=TimeInForce.FOK),
        replace(STOP, time_in_force=TimeInForce.IOC),
        replace(LIMIT, post_only=True, time_in_force=TimeInForce.FOK),
        replace(LIMIT, post_only=True, time_in_force=TimeInForce.IOC),
        replace(STOP, post_only=True),
        replace(LIMIT, quantity=None, notional=Decimal(10)),
        replace(MARKET, side=Side.SELL, quantity=None, notional=Decimal(10)),
    ],
)
def test_what_the_venue_does_not_offer_is_said_in_words(request_):
    with pytest.raises(Unsupported, match=r"Coinbase Advanced|market buys"):
        order_body(request_, NOW)


@pytest.mark.parametrize(
    "request_",
    [
        replace(LIMIT, limit_price=None),
        replace(LIMIT, limit_price=Decimal(0)),
        replace(LIMIT, quantity=Decimal(-1)),
        replace(LIMIT, quantity=Decimal("NaN")),
        replace(LIMIT, time_in_force=TimeInForce.GTD),
        replace(STOP, stop_price=None),
        replace(LIMIT, client_order_id=""),
        replace(LIMIT, order_type=OrderType.BRACKET),
        replace(TWAP, slices=None),
        replace(TWAP, slices=0),
        replace(TWAP, starts_at=END),
        replace(TWAP, slices=7),
    ],
)
def test_a_malformed_request_is_not_sent(request_):
    with pytest.raises(NotSent) as refused:
        order_body(request_, NOW)

    assert refused.value.cause is Cause.INVALID


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("INSUFFICIENT_FUND", Cause.INSUFFICIENT_FUNDS),
        ("INSUFFICIENT_FUNDS", Cause.INSUFFICIENT_FUNDS),
        ("PREVIEW_INSUFFICIENT_FUND", Cause.INSUFFICIENT_FUNDS),
        ("PREVIEW_INSUFFICIENT_FUNDS_FOR_FUTURES", Cause.INSUFFICIENT_FUNDS),
        ("INVALID_LEDGER_BALANCE", Cause.INSUFFICIENT_FUNDS),
        ("INVALID_PRODUCT_ID", Cause.INVALID),
        ("INVALID_SIZE_PRECISION", Cause.INVALID),
        ("INVALID_LIMIT_PRICE_POST_ONLY", Cause.INVALID),
        ("PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", Cause.INVALID),
        ("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", Cause.INVALID),
        ("PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE", Cause.INVALID),
        ("PREVIEW_END_TIME_IS_IN_THE_PAST", Cause.INVALID),
        ("INELIGIBLE_PAIR", Cause.PERMANENT),
        ("UNTRADABLE_PRODUCT", Cause.PERMANENT),
        ("GEOFENCING_RESTRICTION", Cause.PERMANENT),
        ("INVALID_FCM_TRADING_SESSION", Cause.PERMANENT),
        ("ORDER_ENTRY_DISABLED", Cause.TEMPORARY),
        ("PREVIEW_PRODUCT_TRADING_HALTED", Cause.TEMPORARY),
        ("INVALID_NO_LIQUIDITY", Cause.TEMPORARY),
        ("COMMANDER_REJECTED_NEW_ORDER", Cause.TEMPORARY),
        ("UNKNOWN_CANCEL_ORDER", Cause.NOT_FOUND),
        ("NOT_ALLOWED_TO_CANCEL", Cause.PERMANENT),
        ("COMMANDER_REJECTED_CANCEL_ORDER", Cause.TEMPORARY),
        ("INVALID_CANCEL_REQUEST", Cause.INVALID),
        ("PERMISSION_DENIED", Cause.AUTH),
        ("SOMETHING_NEW", Cause.PERMANENT),
    ],
)
def test_each_refusal_has_its_cause(code, cause):
    assert CAUSES.of(code) is cause


def test_the_zero_value_of_an_enum_is_not_a_reason():
    said = wire.Complaint(
        error="UNKNOWN_FAILURE_REASON",
        message="too small",
        preview_failure_reason="PREVIEW_INVALID_BASE_SIZE_TOO_SMALL",
        new_order_failure_reason="UNKNOWN_FAILURE_REASON",
    )
    empty = wire.Complaint(error="UNKNOWN_FAILURE_REASON")

    for answer in (
        wire.Acted(success=False, error_response=said, failure_reason="UNKNOWN_FAILURE_REASON"),
        wire.Acted(success=False, errors=[said]),
    ):
        assert refusal_in(answer).code == "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"
    for answer in (wire.Acted(success=False, error_response=empty), wire.Acted(success=False)):
        with pytest.raises(OutcomeUnknown):
            refusal_in(answer)


@pytest.mark.parametrize(
    ("body", "code", "cause", "words"),
    [
        (
            b'{"error":"PERMISSION_DENIED","error_details":"d","message":"Missing required scopes"}',
            "PERMISSION_DENIED",
            Cause.AUTH,
            "Missing required scopes",
        ),
        (b'{"error":"boom","code":3,"message":"m","details":[]}', "boom", Cause.INVALID, "m"),
        (
            b'{"errors":[{"id":"rate_limit_exceeded","message":"Too many requests"}]}',
            "rate_limit_exceeded",
            Cause.RATE_LIMITED,
            "Too many requests",
        ),
        (b"Unauthorized", "", Cause.INVALID, "Unauthorized"),
        (b"<html><body>Bad</body></html>", "", Cause.INVALID, "an HTML page"),
        (b"", "", Cause.INVALID, "HTTP 400"),
        (b"[1]", "", Cause.INVALID, "[1]"),
        (b'{"error":7}', "", Cause.INVALID, '{"error":7}'),
        (b"\xff\xfe", "", Cause.INVALID, "\ufffd\ufffd"),
    ],
)
def test_an_error_body_is_read_in_any_of_its_forms(body, code, cause, words):
    refusal = read_refusal(400, body)

    assert (refusal.code, refusal.cause, refusal.message) == (code, cause, words)
