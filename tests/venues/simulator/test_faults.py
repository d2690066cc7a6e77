"""What can be made to go wrong, and that it ends when it was said to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.venues.simulator.test_exchange import World
from venues.interface.types import Side, TimeInForce
from venues.simulator.app import Simulator
from venues.simulator.delivery import Line
from venues.simulator.faults import BEFORE, Fault, Faults, Kind
from venues.simulator.scenario import BadScenario, Halt, Move, Scenario, TimedFault, load, names
from venues.simulator.terms import State
from venues.simulator.web import Socket

START = datetime(2026, 1, 1, tzinfo=UTC)
D = Decimal
BROKERAGE = "/coinbase_advanced/api/v3/brokerage"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Driven:
    """A simulator whose time passes only when a test says so."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.app = Simulator(folder, 1, now=self.clock, is_ticking=False)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("127.0.0.1", 1)),
            base_url="http://127.0.0.1:8600",
        )

    async def status(self, path: str = f"{BROKERAGE}/time") -> int:
        return (await self.http.get(path)).status_code

    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.app.step()


@pytest.fixture
async def driven(tmp_path):
    driven = Driven(tmp_path)
    yield driven
    await driven.http.aclose()
    driven.app.close()


class Frames:
    """A socket that only remembers what was written to it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.socket = Socket(self.heard.get, self._send)

    async def _send(self, message: Any) -> None:
        self.sent.append(dict(message))

    async def deliver(self, *messages: tuple[bytes, Kind | None]) -> list[str]:
        line = Line(self.socket)
        for message, kind in messages:
            line.send(message, Fault(kind=kind) if kind else None)
        self.heard.put_nowait({"type": "websocket.connect"})
        running = asyncio.create_task(self.socket.run(lambda _: None))
        for _ in range(10):
            await asyncio.sleep(0)
        self.heard.put_nowait({"type": "websocket.disconnect"})
        await running
        return [one["text"] if "text" in one else one["type"] for one in self.sent[1:]]


async def test_two_messages_swap():
    told = await Frames().deliver((b"1", None), (b"2", Kind.REORDER), (b"3", None), (b"4", None))

    assert told == ["1", "3", "2", "4"]


async def test_a_half_open_socket_says_nothing_and_does_not_close():
    told = await Frames().deliver((b"1", None), (b"2", Kind.HALF_OPEN), (b"3", Kind.DISCONNECT))

    assert told == ["1"]


async def test_a_socket_told_to_close_closes():
    assert await Frames().deliver((b"1", Kind.DISCONNECT), (b"2", None)) == ["websocket.close"]


def test_a_fault_for_one_venue_leaves_the_others_alone():
    faults = Faults()
    faults.add(Fault(kind=Kind.CUT_BEFORE, venue="one"))

    assert faults.of("two").take_http(BEFORE, "GET", "/") is None
    assert faults.of("one").take_http(BEFORE, "GET", "/") is not None
    assert faults.waiting == []


def test_a_rate_is_kept_and_is_the_same_under_the_same_seed():
    def hits(seed: int) -> list[int]:
        faults = Faults(seed=seed).of("venue")
        faults.add(Fault(kind=Kind.STATUS_BEFORE, rate=0.01))
        return [n for n in range(20_000) if faults.take_http(BEFORE, "GET", "/")]

    assert 140 < len(hits(1)) < 260
    assert hits(1) == hits(1) != hits(2)


def test_the_next_checksum_is_spoilt_once():
    faults = Faults().of("venue")
    faults.add(Fault(kind=Kind.BAD_CHECKSUM, channel="book"))

    assert [faults.spoils_checksum(name) for name in ("trades", "book", "book")] == [
        False,
        True,
        False,
    ]


async def test_a_storm_says_truly_when_it_is_over(driven):
    driven.app.faults.add(Fault(kind=Kind.RATE_LIMIT, lasts=30, venue="coinbase_advanced"))
    driven.forward(10.5)
    answers = [await driven.http.get(f"{BROKERAGE}/time") for _ in range(3)]

    assert {one.status_code for one in answers} == {429}
    assert answers[0].headers["retry-after"] == "20"
    assert await driven.status("/coinbase_exchange/time") == 200
    driven.forward(20)
    assert await driven.status() == 200
    assert driven.app.faults.waiting == []


async def test_a_skewed_venue_tells_the_wrong_time_until_it_is_cleared(driven):
    driven.app.faults.add(Fault(kind=Kind.SKEW, seconds=45, venue="coinbase_advanced"))

    assert (
        (await driven.http.get(f"{BROKERAGE}/time")).json()["iso"].startswith("2026-01-01T00:00:45")
    )
    assert (await driven.http.get("/coinbase_exchange/time")).json()["epoch"] == START.timestamp()
    driven.app.faults.clear()
    assert (
        (await driven.http.get(f"{BROKERAGE}/time")).json()["iso"].startswith("2026-01-01T00:00:00")
    )


async def test_a_timed_out_call_was_not_processed(driven):
    driven.app.faults.add(Fault(kind=Kind.TIMEOUT_BEFORE, seconds=0))
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{BROKERAGE}/time",
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await driven.app(scope, receive, send)
    assert told[-1] == {"type": "http.response.body", "body": b"{", "more_body": True}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "gap", "rate": 2},
        {"kind": "gap", "rate": 0},
        {"kind": "gap", "lasts": -1},
        {"kind": "gap", "count": 0},
        {"kind": "gap", "cuont": 3},
        {"kind": "status_before", "status": 200},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(driven, fault):
    answer = await driven.http.post("/_control/faults", json=fault)

    assert answer.status_code == 400
    assert "$." in answer.json()["error"] or "unknown field" in answer.json()["error"]


# Orders


class Piecemeal:
    def fills_in_pieces(self, symbol: str) -> bool:
        return symbol == "BTC-USD"

    def fills_during_cancel(self, symbol: str) -> bool:
        return symbol == "BTC-USD"


@pytest.fixture
def world() -> World:
    world = World()
    world.exchange.trouble = Piecemeal()
    return world


def test_a_resting_order_fills_in_pieces_move_by_move(world):
    order = world.place(quantity=D(2), limit_price=D("60000.00"))
    seen = []
    for _ in range(4):
        world.exchange.jump("BTC-USD", D(59_000))
        seen.append(order.filled_quantity)
        bids, asks = world.exchange.book("BTC-USD")
        assert bids[0].price < asks[0].price

    assert seen == [D("0.5"), D(1), D("1.5"), D(2)]
    assert order.state is State.FILLED
    assert world.exchange.ledger.imbalance() == {}


def test_an_incoming_order_gets_a_part_and_rests_uncrossed(world):
    order = world.place(quantity=D(2), limit_price=world.best(1) + 5)

    assert (order.state, D(0) < order.filled_quantity <= D("0.5")) == (State.OPEN, True)
    bids, asks = world.exchange.book("BTC-USD")
    assert bids[0].price < asks[0].price


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_rest_fills_whole_in_more_pieces(world, tif):
    level = world.exchange.book("BTC-USD")[1][0]
    order = world.place(quantity=level.quantity, limit_price=level.price, time_in_force=tif)

    assert (order.state, order.fill_count) == (State.FILLED, 3)
    assert world.exchange.ledger.imbalance() == {}


def test_a_cancel_is_accepted_while_the_order_fills(world):
    order = world.place("alice", Side.SELL, quantity=D(1), limit_price=D("70000.00"))

    assert world.exchange.cancel("alice", order.order_id) is None
    assert (order.state, order.filled_value) == (State.FILLED, D(70_000))
    assert world.wallet("BTC") == (D(9), 0)
    assert world.exchange.ledger.imbalance() == {}


# Scenarios


@pytest.mark.parametrize("name", names())
async def test_every_scenario_plays_three_minutes_and_can_be_ended(driven, name):
    assert (await driven.http.post("/_control/scenario", json={"name": name})).status_code == 200
    for _ in range(18):
        driven.forward(10)
    ended = (await driven.http.post("/_control/scenario", json={"name": ""})).json()

    assert (ended["scenario"], ended["faults"]) == ("", [])
    assert await driven.status() == 200


async def test_an_outage_comes_and_goes_on_the_clock(driven):
    driven.app.director.start("venue_outage", venue="coinbase_advanced")
    exchange = driven.app.venues["coinbase_advanced"].exchange
    seen = []
    for _ in range(8):
        seen.append((await driven.status(), exchange.is_halted))
        driven.forward(10)

    assert seen == [(200, False), *[(503, True)] * 6, (200, False)]
    assert await driven.status("/coinbase_exchange/time") == 200


async def test_moves_and_repeated_faults_come_when_they_are_due(driven):
    director, market = driven.app.director, driven.app.venues["coinbase_advanced"].exchange
    before = market.markets["BTC-USD"].last_price
    again = Scenario(
        about="",
        faults=[TimedFault(kind=Kind.GAP, after=5, every=10)],
        moves=[Move(market="BTC-USD", percent=-10, after=5)],
        halts=[Halt(lasts=5, after=25)],
    )
    director.start("again", venue="coinbase_advanced", scenario=again)
    assert driven.app.faults.waiting == []
    driven.forward(5)
    assert [one.kind for one in driven.app.faults.waiting] == [Kind.GAP]
    assert abs(market.book("BTC-USD")[0][0].price / before - D("0.9")) < D("0.01")
    driven.forward(20)
    assert len(driven.app.faults.waiting) == 2, "what was missed twice over comes once"
    assert market.is_halted
    director.stop()
    assert (market.is_halted, driven.app.faults.waiting) == (False, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("volatility = 1.0", "missing required field `about`"),
        ('about = "x"\n[[faults]]\nkind = "gpa"', "$.faults[0].kind"),
        ('about = "x"\n[[fautls]]\nkind = "gap"', "unknown field `fautls`"),
        ('about = "x"\n[[halts]]\nlasts = -1', "$.halts[0].lasts"),
        ("about = ", "scenario mine"),
    ],
)
def test_a_wrong_file_says_what_is_wrong_and_where(tmp_path, text, words):
    (tmp_path / "mine.toml").write_text(text)

    with pytest.raises(BadScenario) as raised:
        load("mine", tmp_path)
    assert words in str(raised.value)


async def test_what_is_not_there_is_named_with_what_is(driven):
    unknown = await driven.http.post("/_control/scenario", json={"name": "../keys"})
    no_venue = await driven.http.post("/_control/scenario", json={"name": "calm", "venue": "x"})

    assert (unknown.status_code, "volatile" in unknown.text) == (400, True)
    assert (no_venue.status_code, "coinbase_exchange" in no_venue.text) == (400, True)
    listed = (await driven.http.get("/_control/scenarios")).json()
    assert list(listed) == names()
    nowhere = Scenario(about="", moves=[Move(market="XYZ", percent=1)])
    with pytest.raises(BadScenario, match="XYZ"):
        driven.app.director.start("nowhere", scenario=nowhere)


def test_a_venue_alone_runs_alone(tmp_path):
    app = Simulator(tmp_path, 1, is_ticking=False, venues=["coinbase_exchange"])

    assert list(app.venues) == ["coinbase_exchange"]
    app.close()


def test_a_scenario_file_round_trips_as_faults_of_the_control_endpoint():
    fault = load("flaky_network").faults[0]

    assert msgspec.json.decode(msgspec.json.encode(fault), type=TimedFault) == fault
