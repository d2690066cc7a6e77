"""What the worked example shows beside conformance: a vector, its tables, its fuzz, its size."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest

from checks.adapters import sizes
from tests.venues.adapters.fuzz.decoders import NOW, QUERY, REF, REQUEST, SYMBOL, _answer, _stream
from tests.venues.adapters.fuzz.judging import Tally, fuzz, judge
from tests.venues.adapters.planting import planted
from tests.venues.fictional.adapter import ADAPTER, feed
from tests.venues.fictional.adapter.normalizer import STATES, read_order
from tests.venues.fictional.adapter.orders import CAPABILITIES, CAUSES, LIVES
from tests.venues.fictional.adapter.signer import HarbourAuth
from tests.venues.fictional.simulator import shapes
from venues.adapters.contract import ApiKey
from venues.interface.types import OrderStatus
from venues.simulator.terms import Refusal, State

ROUNDS = 2_000
AT = 1767225600000
ORDER = {
    "id": "1",
    "ref": REQUEST.client_order_id,
    "market": SYMBOL,
    "way": "buy",
    "kind": "limit",
    "amount": "2",
    "price": "10",
    "state": "resting",
    "done": "1",
    "paid": "9.5",
    "fee": "0.1",
    "at": AT,
}
FILL = {
    "id": "E1",
    "order": "1",
    "ref": "C-1",
    "market": SYMBOL,
    "way": "sell",
    "price": "9.5",
    "amount": "1",
    "fee": "0.1",
    "made": True,
    "at": AT,
}
BOOK = {"bids": [["9", "1"]], "asks": [["10", "2"]]}
MARKET = {
    "market": SYMBOL,
    "base": "BTC",
    "quote": "USD",
    "tick": "0.01",
    "step": "0.1",
    "open": True,
}
TRADE = {"id": "T1", "price": "10", "amount": "1", "way": "buy", "at": AT}


def _socket(what: str, **more: object) -> dict[str, object]:
    return {"n": 1, "what": what, "market": SYMBOL, **more}


DECODERS = {
    "time": _answer(ADAPTER, {"now": AT}, lambda client: client._venue_time()),
    "order": _answer(ADAPTER, ORDER, lambda client: client.get_order(REF)),
    "orders": _answer(ADAPTER, {"rows": [ORDER]}, lambda client: client.get_orders(QUERY)),
    "fills": _answer(ADAPTER, {"rows": [FILL]}, lambda client: client.get_fills(QUERY)),
    "wallet": _answer(
        ADAPTER,
        [{"coin": "BTC", "free": "1", "locked": "2"}],
        lambda client: client.get_balance(),
    ),
    "markets": _answer(ADAPTER, [MARKET], lambda client: client.get_instruments()),
    "book": _answer(ADAPTER, {**BOOK, "at": AT}, lambda client: client.get_order_book(SYMBOL, 5)),
    "taken": _answer(
        ADAPTER,
        {"id": "1", "ref": REQUEST.client_order_id},
        lambda client: client.place_order(REQUEST),
    ),
    "stream book": _stream(_socket("book", **BOOK), lambda around: feed.Books([SYMBOL], around)),
    "stream trade": _stream(
        _socket("trade", trade=TRADE), lambda around: feed.Trades([SYMBOL], around)
    ),
    "stream order": _stream(
        _socket("order", order=ORDER), lambda around: feed.Executions([SYMBOL], around)
    ),
}


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_a_mutated_message_is_read_or_refused_and_reported(name):
    tally = fuzz(DECODERS[name], seed=name, rounds=ROUNDS)
    assert ROUNDS / 20 < tally.refused < ROUNDS * 0.98


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_a_member_nobody_knows_is_reported_once_and_moves_nothing(name):
    planted(DECODERS[name], unread=())


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_the_sound_message_of_every_decoder_is_read(name):
    tally = Tally()
    judge(DECODERS[name], json.dumps(DECODERS[name].sample).encode(), tally)
    assert (tally.read, tally.refused) == (1, 0)


def test_the_signature_is_that_of_the_documents():
    """The vector was made by openssl: `printf %s TEXT | openssl dgst -sha256 -hmac lantern`."""
    auth = HarbourAuth(ApiKey("berth-7", "lantern"), lambda: 1767225600.0)
    request = httpx.Request("POST", "https://harbour.invalid/orders?x=1", content=b'{"ref":"C-1"}')
    signed = next(auth.auth_flow(request))

    assert signed.headers["X-Harbour-Time"] == "1767225600000"
    assert (
        signed.headers["X-Harbour-Sign"]
        == "f307277d8a8bb5e46933a6151df99f8242f02dfc895c58207bf56f4215068d5c"
    )
    assert auth.following("orders") == {
        "key": "berth-7",
        "time": "1767225600000",
        "sign": "83a0cca97952e4303966ee3dd2fea64312226cb3c93b670690cdee61118749d7",
    }


def test_every_word_the_venue_has_is_in_a_table():
    assert set(shapes.STATES.values()) <= STATES.keys()
    assert all(CAUSES.known(code) for code in shapes.CODES.values())
    assert set().union(*CAPABILITIES.times_in_force.values()) == LIVES.keys()
    assert State.OPEN not in shapes.STATES
    assert Refusal.HALTED in shapes.CODES


def test_an_order_is_read_whole():
    order = read_order(msgspec.Raw(json.dumps(ORDER).encode()), NOW)
    assert (order.status, order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, 1)
    assert (order.average_price, order.fees) == (Decimal("9.5"), Decimal("0.1"))
    assert order.raw["state"] == "resting"


def test_a_whole_adapter_is_short():
    adapter = next(one for one in sizes(Path(__file__).parent) if one.name == "adapter")
    assert adapter.statements < 350
