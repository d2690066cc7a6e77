"""Libraries that know the venues from elsewhere trade with the simulator, over HTTPS and WSS.

Nothing in them is edited: they are given an address, a key and a CA bundle.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from venues.simulator.demo_keys import DemoKey, generate_demo_key, generate_shared_key

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60, func_only=True)]

LISTENS_FOR = 20


def ed25519_key() -> DemoKey:
    return generate_demo_key(str(uuid.uuid4()))


def p256_key() -> DemoKey:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    form = PrivateFormat.TraditionalOpenSSL
    key = ed25519_key()
    entry = msgspec.structs.replace(key.entry, public_key="", public_key_pem=public.decode())
    secret = private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    return key._replace(secret=secret, entry=entry)


# Coinbase Advanced


@pytest.fixture(params=[ed25519_key, p256_key], ids=["Ed25519", "P-256"])
def advanced(sdks, stage, request) -> dict[str, Any]:
    """Return what the official SDK saw while it traded."""
    key = stage.admit(request.param())
    base = f"{stage.host}/coinbase_advanced"
    asked = {"key": key.key_id, "secret": key.secret, "base": base}
    return sdks.ask("advanced_rest", asked, bundle=stage.bundle)


def money(accounts: dict[str, Any], currency: str) -> tuple[Decimal, Decimal]:
    """Return what is available and what is held."""
    (row,) = [one for one in accounts["accounts"] if one["currency"] == currency]
    return Decimal(row["available_balance"]["value"]), Decimal(row["hold"]["value"])


def test_the_official_sdk_trades_on_coinbase_advanced_and_its_money_adds_up(advanced):
    placed = advanced["resting"]
    order_id = placed["success_response"]["order_id"]
    found, cancelled = advanced["found"]["order"], advanced["cancelled"]["order"]
    assert placed["success"] is True
    assert found["order_id"] == order_id
    assert found["client_order_id"] == "judge-resting"
    assert found["status"] == "OPEN"
    assert [one["order_id"] for one in advanced["open"]["orders"]] == [order_id]

    available, held = money(advanced["held"], "USD")
    assert held >= Decimal(1)
    assert available + held == Decimal(2_000_000)
    assert advanced["cancel"]["results"][0]["success"] is True
    assert cancelled["status"] == "CANCELLED"
    assert advanced["still_open"]["orders"] == []

    taken, fills = advanced["taken"]["order"], advanced["fills"]["fills"]
    cost = sum(Decimal(one["price"]) * Decimal(one["size"]) for one in fills)
    fees = sum(Decimal(one["commission"]) for one in fills)
    assert taken["status"] == "FILLED"
    assert Decimal(taken["filled_size"]) == Decimal("0.02")
    assert {one["order_id"] for one in fills} == {taken["order_id"]}
    assert sum(Decimal(one["size"]) for one in fills) == Decimal("0.02")
    assert fees > 0
    assert money(advanced["accounts"], "BTC") == (Decimal("25.02"), Decimal(0))
    assert money(advanced["accounts"], "USD") == (Decimal(2_000_000) - cost - fees, Decimal(0))


def test_the_official_sdk_places_every_kind_of_order_and_edits_one(advanced):
    kinds = ["limit_ioc", "limit_fok", "limit_gtd", "stop_limit", "bracket", "market_in_quote"]
    edited = advanced["edited"]["order"]

    assert advanced["kinds"] == dict.fromkeys(kinds, True)
    assert advanced["edit"]["success"] is True
    assert edited["order_configuration"]["limit_limit_gtc"]["base_size"] == "0.02"
    assert Decimal(edited["order_configuration"]["limit_limit_gtc"]["limit_price"]) == 101


def test_the_official_sdk_reads_a_refusal_as_an_answer_and_not_as_an_error(advanced):
    refused = advanced["too_dear"]

    assert refused["success"] is False
    assert (
        refused["error_response"]["preview_failure_reason"] == "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"
    )


def test_the_official_sdk_streams_a_snapshot_and_what_came_after(sdks, stage):
    key = stage.admit(ed25519_key())
    base = f"{stage.host}/coinbase_advanced"
    asked = {
        "key": key.key_id,
        "secret": key.secret,
        "base": base,
        "socket": f"wss://{base}/ws",
        "patience": LISTENS_FOR,
    }
    said = sdks.ask("advanced_socket", asked, bundle=stage.bundle)
    heard, placed = said["heard"], said["placed"]["success_response"]["order_id"]
    kinds = {
        channel: [event.get("type") for one in messages for event in one["events"]]
        for channel, messages in heard.items()
    }
    numbers = sorted(
        one["sequence_num"] for one in [*(m for ms in heard.values() for m in ms), *said["others"]]
    )

    assert numbers == list(range(len(numbers)))
    for channel in ("l2_data", "user"):
        assert kinds[channel][0] == "snapshot"
        assert set(kinds[channel][1:]) == {"update"}
    assert heard["l2_data"][0]["events"][0]["updates"]
    assert all(event["trades"] for one in heard["market_trades"] for event in one["events"])
    beats = [one["events"][0]["heartbeat_counter"] for one in heard["heartbeats"]]
    assert beats == list(range(1, len(beats) + 1))
    assert len(beats) > 1
    assert heard["user"][0]["events"][0]["orders"] == []
    streamed = heard["user"][1]["events"][0]["orders"][0]
    assert (streamed["order_id"], streamed["client_order_id"]) == (placed, "judge-streamed")
    assert streamed["status"] == "OPEN"


# Coinbase Exchange


def exchange_question(stage) -> dict[str, Any]:
    key = stage.admit(generate_shared_key(str(uuid.uuid4())))
    base = f"{stage.host}/coinbase_exchange"
    return {
        "key": {"apiKey": key.key_id, "secret": key.secret, "password": key.more["passphrase"]},
        "bundle": str(stage.bundle),
        "base": f"https://{base}",
        "socket": f"wss://{base}",
        "patience": LISTENS_FOR,
    }


@pytest.fixture
def exchange(ccxt, stage) -> dict[str, Any]:
    """Return what ccxt saw while it traded."""
    return ccxt.ask("exchange_rest", exchange_question(stage))


def near(value: float) -> Any:
    # ccxt counts in floats, so its sums are compared as such
    return pytest.approx(value, rel=1e-12)


def test_ccxt_trades_on_coinbase_exchange_and_its_money_adds_up(exchange):
    market = exchange["markets"]["BTC/USD"]
    assert (market["id"], market["active"]) == ("BTC-USD", True)
    assert market["precision"] == {"amount": 1e-8, "price": 0.01}
    assert exchange["book"]["bids"][0][0] < exchange["book"]["asks"][0][0]

    order_id = exchange["resting"]["id"]
    for view in ("resting", "found", "by_client_id"):
        order = exchange[view]
        assert order["id"] == order_id
        assert order["clientOrderId"] == "11111111-2222-4333-8444-555555555555"
        assert (order["status"], order["side"], order["type"]) == ("open", "buy", "limit")
        assert (order["price"], order["amount"], order["postOnly"]) == (100, 0.01, True)
    assert [one["id"] for one in exchange["open"]] == [order_id]
    held = exchange["held"]["USD"]
    assert held["used"] >= 1
    assert held["free"] + held["used"] == near(exchange["before"]["USD"]["total"])
    assert exchange["still_open"] == []

    taken, fills = exchange["taken"], exchange["fills"]
    cost = sum(one["cost"] for one in fills)
    fees = sum(one["fee"]["cost"] for one in fills)
    assert (taken["status"], taken["filled"]) == ("closed", 0.02)
    assert taken["cost"] == near(cost)
    assert {(one["order"], one["takerOrMaker"]) for one in fills} == {(taken["id"], "taker")}
    assert fees > 0
    assert exchange["after"]["BTC"]["free"] == near(exchange["before"]["BTC"]["free"] + 0.02)
    assert exchange["after"]["USD"]["free"] == near(exchange["before"]["USD"]["free"] - cost - fees)


def test_ccxt_knows_the_simulated_refusals_as_the_venues(exchange):
    assert exchange["refused"] == {
        "too_dear": "InsufficientFunds",
        "gone": "OrderNotFound",
        "done": "OrderNotFound",
        "stranger": "AuthenticationError",
    }


def test_ccxt_watches_a_book_trades_and_its_own_orders_move(ccxt, stage):
    seen = ccxt.ask("exchange_socket", exchange_question(stage))

    first, *later = seen["books"]
    assert all(book["bids"][0][0] < book["asks"][0][0] for book in seen["books"])
    assert any(book != first for book in later)
    numbers = [int(one["id"]) for one in seen["trades"]]
    assert numbers == sorted(set(numbers))
    assert all(one["symbol"] == "BTC/USD" and one["amount"] > 0 for one in seen["trades"])
    opened, *_, cancelled = seen["orders"]
    assert (opened["status"], cancelled["status"]) == ("open", "canceled")
    assert opened["id"] == cancelled["id"]
    assert (opened["price"], opened["amount"]) == (100, 0.01)
