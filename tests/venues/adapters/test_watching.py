"""Members nobody knows: told once with a sample, seldom looked for, and never in the way."""

from __future__ import annotations

import gzip
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.venues.adapters.fuzz.decoders import DECODERS, QUERY
from tests.venues.adapters.planting import planted
from venues.adapters.coinbase_advanced import wire as advanced
from venues.adapters.coinbase_exchange import wire as exchange
from venues.adapters.contract import ApiKey, Noticed, Surroundings
from venues.adapters.kit.reading import Unreadable, Wire, inside
from venues.adapters.kit.watching import MOST_OF_A_LIST, MOST_TOLD, Known, Watcher
from venues.adapters.registry import ADAPTERS
from venues.interface.errors import VenueError
from venues.simulator.demo_keys import generate_demo_key, generate_shared_key
from venues.transport.http import Seams

RECORDED = os.environ.get("CQOPS_RECORDED", "")
needs_recordings = pytest.mark.skipif(not RECORDED, reason="CQOPS_RECORDED is not set")
READ = sorted(name for name in DECODERS if not name.endswith(" error"))
KEYS = {"coinbase_advanced": generate_demo_key, "coinbase_exchange": generate_shared_key}
# What an order was made of is named by its kind; what follows is kept for whoever looks.
UNREAD = {
    "coinbase_advanced order": [("order_configuration",), ("edit_history", 0)],
    "coinbase_advanced orders": [("order_configuration",), ("edit_history", 0)],
    "coinbase_advanced created": [("order_configuration",), ("limit_limit_gtc",)],
    "coinbase_advanced stream heartbeats": [("events", 0)],
}


class Inner(Wire):
    size: str


class Shoe(Wire):
    name: str
    sizes: list[Inner] = []
    by_country: dict[str, Inner | None] = {}


KNOWN = Known({Shoe: "colour", Inner: "unit"})


class Desk:
    """What a watcher tells, and how often it looks."""

    def __init__(self, **policy: int) -> None:
        self.told: list[tuple[str, str]] = []
        self.around = Surroundings(on_drift=self.tell, noticed=Noticed(**policy))

    def tell(self, kind: str, detail: str) -> None:
        self.told.append((kind, detail))

    def look(self, *messages: object) -> list[str]:
        """Look by a watcher of its own, as each connection has one."""
        watcher = Watcher(KNOWN, self.around)
        for message in messages:
            watcher.look(
                Shoe, message if isinstance(message, bytes) else json.dumps(message).encode()
            )
        return [detail for _, detail in self.told]


@pytest.mark.parametrize("name", READ)
def test_a_planted_member_is_reported_once_wherever_it_is_and_moves_nothing(name):
    planted(DECODERS[name], unread=UNREAD.get(name, ()))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("coinbase_advanced orders", ["Orders", "Order", "Terms", "Order", "Terms"]),
        ("coinbase_advanced created", ["Acted", "CreateSuccess"]),
        ("coinbase_advanced book", ["pricebook", "PriceBook", *["BookLevel"] * 3]),
        ("coinbase_advanced stream user", ["User", "UserEvent", "UserOrder"]),
        ("coinbase_advanced stream level2", ["Level2", "Level2Event", *["LevelUpdate"] * 2]),
        ("coinbase_exchange fills", ["Fill", "Fill"]),
        ("coinbase_exchange stream done", ["Done"]),
    ],
)
def test_the_report_names_the_kind_the_member_was_found_in(name, kinds):
    found = planted(DECODERS[name], unread=UNREAD.get(name, ()))
    assert [detail.partition(".")[0] for detail in found] == kinds


@pytest.mark.parametrize("venue", sorted(ADAPTERS))
async def test_the_body_of_an_error_is_looked_at_too(venue):
    drift: list[tuple[str, str]] = []
    key = KEYS[venue]()
    bodies = iter(
        [b'{"message":"no","shoe_size":43}', b"<html>", b'{"message":"no","shoe_size":4}']
    )
    wire = httpx.MockTransport(lambda _: httpx.Response(400, content=next(bodies)))
    client: Any = ADAPTERS[venue].build(
        config=ADAPTERS[venue].live,
        key=ApiKey(key.key_id, key.secret, key.more),
        around=Surroundings(
            seams=Seams(wire=wire), on_drift=lambda kind, detail: drift.append((kind, detail))
        ),
    )
    for _ in range(3):
        with pytest.raises(VenueError):
            await client.get_orders(QUERY)
    ((kind, detail),) = drift
    assert (kind, detail.partition(".")[2]) == ("unknown field", "shoe_size = 43")


def test_what_is_read_or_named_is_known_and_anything_else_is_told_once():
    desk = Desk()
    whole = {
        "name": "a",
        "colour": 1,
        "sizes": [{"size": "1", "unit": 2}],
        "by_country": {"x": None},
    }
    assert desk.look(whole) == []
    whole["sizes"] = [{"size": "1", "wide": True}]
    whole["by_country"] = {"x": {"size": "1", "tall": 1.5}, "y": None}
    assert desk.look(whole, whole) == ["Inner.wide = true", "Inner.tall = 1.5"]
    assert len(desk.look(whole)) == 2
    assert {kind for kind, _ in desk.told} == {"unknown field"}


def test_a_sample_is_short_and_shows_no_secret():
    desk = Desk()
    told = desk.look(
        {"name": "a", "api_key": "hunter2"},
        {"name": "a", "more": {"deep": [{"passphrase": "hunter2"}]}},
        {"name": "a", "text": "Bearer hunter2", "x" * 500: "y" * 500},
        {"name": "a", "book": "z" * 50_000},
    )
    assert "hunter2" not in "".join(told)
    assert max(map(len, told)) < 300
    assert told[-1] == "Shoe.book = (50002 bytes)"


def test_the_first_are_looked_at_and_then_one_in_a_while(monkeypatch):
    looked: list[int] = []
    desk = Desk(first=2, every=5)
    watcher = Watcher(KNOWN, desk.around)
    monkeypatch.setattr(KNOWN, "strangers", lambda _kind, body: looked.append(body) or ())
    for number in range(1, 13):
        watcher.look(Shoe, number)  # type: ignore[arg-type]
        watcher.look(Inner, -number)  # type: ignore[arg-type]  # each kind has its own turn
    assert [number for number in looked if number > 0] == [1, 2, 5, 10]
    assert [-number for number in looked if number < 0] == [1, 2, 5, 10]


def test_a_stream_that_reconnects_does_not_begin_its_count_anew():
    desk = Desk(first=1, every=3)
    assert desk.look({"name": "a"}) == []
    assert desk.look({"name": "a", "late": 1}) == []
    assert desk.look({"name": "a", "late": 1}) == ["Shoe.late = 1"]


def test_of_a_long_list_a_few_items_are_looked_at_spread_evenly():
    sizes = [{"size": str(number), f"new_{number}": 1} for number in range(5000)]
    told = Desk().look({"name": "a", "sizes": sizes})
    assert len(told) in range(MOST_OF_A_LIST - 2, MOST_OF_A_LIST + 1)
    assert int(told[-1].partition("_")[2].split()[0]) > 4800


def test_a_venue_that_names_members_after_its_products_floods_no_report():
    told = Desk().look({"name": "a", **{f"coin_{number}": 1 for number in range(1000)}})
    assert len(told) == MOST_TOLD


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"7", b"\xff", b'{"\xff":1}', b'{"name":', b'{"sizes":7}']
)
def test_what_is_no_such_message_is_left_alone(body):
    assert Desk().look(body) == []


def test_a_report_that_cannot_be_kept_stops_nobody(caplog):
    def fail(_kind: str, _detail: str) -> None:
        raise OSError

    with caplog.at_level(logging.ERROR):
        Watcher(KNOWN, Surroundings(on_drift=fail)).look(Shoe, b'{"new":1}')
    assert "could not be looked for" in caplog.text


def test_a_large_book_is_looked_at_in_a_moment():
    levels = [{**_LEVEL, "price_level": str(number)} for number in range(5000)]
    event = {"type": "snapshot", "product_id": "BTC-USD", "updates": levels}
    body = json.dumps({"channel": "l2_data", "events": [event]}).encode()
    began = time.thread_time()
    assert list(advanced.KNOWN.strangers(advanced.Level2, body)) == []
    assert time.thread_time() - began < 0.01


_LEVEL = {"side": "bid", "event_time": "2026-01-01T00:00:00Z", "new_quantity": "1"}
ANSWERS = {
    "http_accounts.json": advanced.Accounts,
    "http_fills.json": advanced.Fills,
    "http_order.json": inside("order", advanced.Order),
    "http_orders_list.json": advanced.Orders,
    "http_product.json": advanced.Product,
    "http_product_book.json": inside("pricebook", advanced.PriceBook),
    "http_products.json": inside("products", list[advanced.Product]),
    "http_products_future.json": inside("products", list[advanced.Product]),
}
FIXTURES = {
    "rest__accounts__GET-200.json": list[exchange.Account],
    "rest__products__BTC-EUR__book__level-2.json": exchange.Book,
    "rest__products__BTC-USD__book__level-2.json": exchange.Book,
}


def _of_stream(messages: Any, frames: list[bytes]) -> Iterator[str]:
    for frame in frames:
        try:
            said = messages.read(frame)
        except Unreadable:
            continue  # of a channel that nobody subscribes to
        yield from map(str, messages.known.strangers(type(said), frame))


@needs_recordings
def test_recorded_messages_of_advanced_hold_no_stranger():
    folder = Path(RECORDED, "coinbase_advanced")
    for name, kind in ANSWERS.items():
        assert list(map(str, advanced.KNOWN.strangers(kind, (folder / name).read_bytes()))) == []
    lines = (folder / "ws_midstream_tail.jsonl").read_text().splitlines()
    frames = [json.loads(line)["data"].encode() for line in lines]
    frames += [path.read_bytes() for path in sorted(folder.glob("ws_*.json"))]
    assert list(_of_stream(advanced.MESSAGES, frames)) == []


@needs_recordings
def test_recorded_messages_of_exchange_hold_no_stranger():
    folder = Path(RECORDED, "coinbase_exchange")
    for name, kind in FIXTURES.items():
        body = (folder / "fixtures" / name).read_bytes()
        assert msgspec.json.decode(body)
        assert list(map(str, exchange.KNOWN.strangers(kind, body))) == []
    with gzip.open(next(folder.glob("*.jsonl.gz")), "rt") as lines:
        frames = [json.loads(line)["data"].encode() for line in lines]
    frames += [path.read_bytes() for path in sorted((folder / "fixtures").glob("ws__*.json"))]
    assert list(_of_stream(exchange.MESSAGES, frames)) == []
