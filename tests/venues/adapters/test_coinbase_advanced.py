"""What only Coinbase Advanced does, over real sockets; what all venues do is in `conformance`."""

from __future__ import annotations

import hmac
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.venues.adapters.conformance.stage import OTHER_KEYS, SYMBOL, Desk, Tape, ref, staged
from venues.adapters.coinbase_advanced.signer import signer_of
from venues.adapters.registry import ApiKey, build_client
from venues.interface.errors import Cause, NotSent, Rejected
from venues.interface.types import BookEvent, OrderStatus, OrderType, OrderUpdate, Side
from venues.marketdata.assembler import Assembler
from venues.simulator.demo_keys import DemoKey, generate_demo_key, register_key
from venues.simulator.faults import Kind


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with staged("coinbase_advanced", tmp_path) as desk:
        yield desk


OLD_KEY = ApiKey("old", "dummyLegacySecret0123456789abcdef", {"scheme": "hmac"})
AT = 1735689600
ORDER = (
    b'{"client_order_id":"11111111-2222-4333-8444-555555555555","product_id":"BTC-USD","side":"BUY",'
    b'"order_configuration":{"limit_limit_gtc":{"base_size":"0.001","limit_price":"10000.00",'
    b'"post_only":false}}}'
)


def signer(key: ApiKey) -> Any:
    return signer_of(key, clock=lambda: AT + 0.9, nonce=lambda: "n")


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        (
            "GET",
            "/api/v3/brokerage/accounts?limit=49",
            b"",
            "52fe938a5ad49c063f8316076175be196624cf84ac9bdd2b8f43cdf6fdddbaef",
        ),
        (
            "POST",
            "/api/v3/brokerage/orders",
            ORDER,
            "5839cd039915de3d33c73c1e1c90eaeda83daa0d18d5cbcd4a9d93d3235d88b7",
        ),
    ],
    ids=["A6", "A7"],
)
def test_a_key_of_the_older_kind_signs_as_the_sheet_says(method, target, body, signature):
    request = httpx.Request(method, f"https://api.coinbase.com{target}", content=body)

    signed = next(signer(OLD_KEY).auth_flow(request))

    found = {name: signed.headers[name] for name in signed.headers if name.startswith("cb-")}
    assert found == {
        "cb-access-key": "old",
        "cb-access-sign": signature,
        "cb-access-timestamp": str(AT),
    }
    assert "authorization" not in signed.headers


def test_a_key_of_the_older_kind_signs_a_subscription_by_channel_and_products():
    said = signer(OLD_KEY).subscription("user", ["BTC-USD", "ETH-USD"])
    signature = hmac.new(
        OLD_KEY.secret.encode(), f"{AT}userBTC-USD,ETH-USD".encode(), "sha256"
    ).hexdigest()

    assert said == {"api_key": "old", "timestamp": str(AT), "signature": signature}


@pytest.mark.parametrize("more", [{}, {"scheme": "cdp"}, {"scheme": ""}])
def test_a_key_of_no_other_kind_signs_tokens(more):
    key = generate_demo_key()

    said = signer(ApiKey(key.key_id, key.secret, more)).subscription("user", [])

    assert said.keys() == {"jwt"}
    with pytest.raises(NotSent):
        signer(ApiKey(OLD_KEY.key_id, OLD_KEY.secret, more))


async def test_the_venue_lets_a_key_of_the_older_kind_in_by_its_signature_alone(tmp_path: Path):
    async with staged("coinbase_advanced", tmp_path, OTHER_KEYS["coinbase_advanced"]) as desk:
        assert (await desk.client.get_key_rights()).can_trade
        signed = signer_of(
            ApiKey(desk.key.key_id, desk.key.secret, desk.key.more),
            clock=lambda: time.time() - 31,
            nonce=lambda: "n",
        )
        late = httpx.Request("GET", f"{desk.config.rest_url}/api/v3/brokerage/accounts")
        async with httpx.AsyncClient() as http:
            assert (await http.send(next(signed.auth_flow(late)))).status_code == 401
            for timestamp in ("", "soon", "1e9", "-1"):
                late.headers["CB-ACCESS-TIMESTAMP"] = timestamp
                assert (await http.send(late)).status_code == 401
        # The public half of a key that signs tokens is no shared secret.
        other = generate_demo_key()
        register_key(desk.data_dir, other.entry)
        client = desk.connect(
            DemoKey(other.key_id, other.entry.public_key, other.entry, desk.key.more)
        )
        with pytest.raises(Rejected) as refused:
            await client.get_balance()
        assert refused.value.cause is Cause.AUTH
        await client.aclose()


async def test_a_client_id_used_for_something_else_returns_what_it_was_used_for(desk: Desk):
    first = await desk.client.place_order(request := desk.limit())
    other = replace(request, order_type=OrderType.MARKET, limit_price=None, side=Side.SELL)

    found = await desk.client.place_order(other)

    assert found.venue_order_id == first.venue_order_id
    assert (found.side, found.order_type) == (Side.BUY, OrderType.LIMIT)
    assert found.status is OrderStatus.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("change", "cause", "code"),
    [
        ({"quantity": Decimal(3000)}, Cause.INSUFFICIENT_FUNDS, "INSUFFICIENT_FUND"),
        ({"symbol": "NO-PE"}, Cause.INVALID, "INVALID_PRODUCT_ID"),
        ({"limit_price": Decimal("60000.001")}, Cause.INVALID, "INVALID_PRICE_PRECISION"),
        (
            {"quantity": Decimal("0.000000001")},
            Cause.INVALID,
            "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL",
        ),
        (
            {"limit_price": Decimal(70000), "post_only": True},
            Cause.INVALID,
            "INVALID_LIMIT_PRICE_POST_ONLY",
        ),
    ],
)
async def test_a_refusal_has_the_venues_code(desk: Desk, change, cause, code):
    with pytest.raises(Rejected) as refused:
        await desk.client.place_order(desk.limit(**change))

    assert (refused.value.cause, refused.value.venue_code) == (cause, code)


async def test_a_key_that_became_known_works_without_a_new_client(desk: Desk):
    stranger = generate_demo_key()
    client = desk.connect(stranger)
    with pytest.raises(Rejected):
        await client.place_order(desk.limit())

    register_key(desk.data_dir, stranger.entry)

    assert (await client.place_order(desk.limit())).venue_order_id
    await client.aclose()


async def test_a_key_that_may_not_trade_cannot(desk: Desk):
    viewer = generate_demo_key("viewer")
    entry = type(viewer.entry)(
        key_id=viewer.key_id,
        account_ref="viewer",
        public_key=viewer.entry.public_key,
        can_trade=False,
    )
    register_key(desk.data_dir, entry)
    client = desk.connect(DemoKey(viewer.key_id, viewer.secret, entry))

    assert not (await client.get_key_rights()).can_trade
    with pytest.raises(Rejected) as refused:
        await client.place_order(desk.limit())
    assert refused.value.cause is Cause.AUTH
    await client.aclose()


async def test_without_a_key_only_public_things_can_be_read(desk: Desk):
    client = build_client(desk.slug, config=desk.config, key=None)

    assert (await client.get_order_book(SYMBOL, 5)).bids
    assert (await client.health()).is_up
    for call in (
        client.place_order(desk.limit()),
        client.get_balance(),
        client.get_order(ref(desk.limit())),
    ):
        with pytest.raises(NotSent) as refused:
            await call
        assert refused.value.cause is Cause.AUTH
    await client.aclose()


async def test_a_symbol_with_two_names_has_its_own_money_and_the_others_book(desk: Desk):
    instruments = {one.symbol: one for one in await desk.client.get_instruments()}
    assert instruments["BTC-USDC"].quote == "USDC"
    assembler = Assembler("BTC-USDC")
    tape = Tape(desk.client.subscribe_order_book(["BTC-USDC", "ETH-USD"]))
    await tape.until(
        lambda items: (
            {i.symbol for i in items if isinstance(i, BookEvent)} == {"BTC-USDC", "ETH-USD"}
        )
    )
    desk.app.step()
    at = len(tape.items)
    desk.app.second()
    await tape.until(
        lambda items: any(isinstance(i, BookEvent) and not i.changes for i in items[at:])
    )
    for item in tape.items:
        if isinstance(item, BookEvent) and item.symbol == "BTC-USDC":
            assembler.apply(item)
    await tape.close()

    truth = await desk.client.get_order_book("BTC-USDC", 100)
    taken = assembler.snapshot(100)
    assert taken is not None
    assert (taken.bids, taken.asks) == (truth.bids, truth.asks)


async def test_executions_begin_with_what_is_open_and_follow_each_change(desk: Desk):
    for _ in range(51):
        await desk.client.place_order(desk.limit(quantity=Decimal("0.01")))
    tape = Tape(desk.client.subscribe_executions([SYMBOL]))
    await tape.until(lambda items: sum(isinstance(i, OrderUpdate) for i in items) == 51)
    assert all(i.is_snapshot for i in tape.items if isinstance(i, OrderUpdate))

    desk.exchange.jump(SYMBOL, Decimal(59000))
    desk.app.step()
    await tape.until(
        lambda items: (
            sum(isinstance(i, OrderUpdate) and i.order.status is OrderStatus.FILLED for i in items)
            == 51
        )
    )
    await tape.close()
    assert tape.resets == ["connected", "subscribed"]


async def test_a_gap_in_the_private_stream_asks_for_a_new_reading(desk: Desk):
    tape = Tape(desk.client.subscribe_executions([SYMBOL]))
    await tape.until(lambda items: "subscribed" in tape.resets)
    desk.fail(Kind.DROP, channel="user")
    await desk.client.place_order(desk.limit())
    await desk.client.place_order(desk.market())
    await tape.until(lambda items: any("sequence gap" in reason for reason in tape.resets))
    await tape.until(lambda items: any(isinstance(i, OrderUpdate) for i in items))
    await tape.close()
