"""A killed simulator forgets nothing it acknowledged."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.coinbase_advanced.products import FEES, PRODUCTS, STREETS
from venues.simulator.exchange import Exchange
from venues.simulator.market import SyntheticMarket
from venues.simulator.store import Store
from venues.simulator.terms import Instruction, SimOrder, State

START = datetime(2026, 1, 1, tzinfo=UTC)
D = Decimal


def open_exchange(store: Store) -> Exchange:
    marks = store.load().marks
    numbers = itertools.count(len(store.load().orders) + len(store.load().fills) + 1)
    exchange = Exchange(
        products=PRODUCTS,
        markets={s.symbol: SyntheticMarket(s, 1, price=marks.get(s.symbol)) for s in STREETS},
        fees=FEES,
        store=store,
        now=lambda: START,
        new_id=lambda: f"id-{next(numbers)}",
    )
    exchange.open_account("alice", {"USD": D(1_000_000), "BTC": D(10)})
    return exchange


def limit(client_order_id: str, price: str = "60000") -> Instruction:
    return Instruction(
        client_order_id=client_order_id,
        symbol="BTC-USD",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=D(1),
        limit_price=D(price),
        time_in_force=TimeInForce.GTC,
    )


def market(client_order_id: str) -> Instruction:
    return Instruction(
        client_order_id=client_order_id,
        symbol="BTC-USD",
        side=Side.SELL,
        order_type=OrderType.MARKET,
        quantity=D(2),
    )


def test_orders_fills_and_money_come_back(tmp_path: Path):
    first = open_exchange(Store(tmp_path / "venue.sqlite3"))
    resting = first.place("alice", limit("rests"))
    filled = first.place("alice", market("fills"))
    first.cancel("alice", first.place("alice", limit("cancelled")).order_id)
    first.mark()

    # The first one is never closed: nothing may depend on a clean end.
    second = open_exchange(Store(tmp_path / "venue.sqlite3"))

    assert second.orders[resting.order_id].state is State.OPEN
    assert second.orders[filled.order_id].filled_quantity == 2
    assert [fill.fill_id for fill in second.fills] == [fill.fill_id for fill in first.fills]
    assert second.ledger.wallets == first.ledger.wallets
    assert second.ledger.imbalance() == {}
    assert second.place("alice", limit("rests")).order_id == resting.order_id
    assert [order.order_id for order in second.open_orders("alice")] == [resting.order_id]
    assert any(level.price == 60_000 for level in second.book("BTC-USD")[0])
    first.close()
    second.close()


def test_a_resting_order_is_filled_after_the_restart(tmp_path: Path):
    first = open_exchange(Store(tmp_path / "venue.sqlite3"))
    order_id = first.place("alice", limit("rests")).order_id
    second = open_exchange(Store(tmp_path / "venue.sqlite3"))
    second.jump("BTC-USD", D(59_000))

    assert second.orders[order_id].state is State.FILLED
    assert second.ledger.imbalance() == {}
    assert len({fill.sequence for fill in second.fills}) == len(second.fills)
    first.close()
    second.close()


def test_the_market_goes_on_near_where_it_was(tmp_path: Path):
    first = open_exchange(Store(tmp_path / "venue.sqlite3"))
    first.jump("BTC-USD", D(70_000))
    first.step()
    first.place("alice", market("prints"))
    first.mark()
    second = open_exchange(Store(tmp_path / "venue.sqlite3"))

    assert abs(second.markets["BTC-USD"].last_price - 70_000) < 100
    first.close()
    second.close()


def test_nothing_is_told_that_could_not_be_written(tmp_path: Path):
    store = Store(tmp_path / "venue.sqlite3")
    exchange = open_exchange(store)
    store.close()

    with pytest.raises(Exception, match="closed"):
        exchange.place("alice", limit("lost"))
    assert exchange.news.orders == {}
    with pytest.raises(RuntimeError, match="journal"):
        exchange.place("alice", limit("lost"))


CHILD = """
import itertools, json, sys
from pathlib import Path
from tests.venues.simulator.test_restart import limit, market, open_exchange
from venues.simulator.store import Store
exchange = open_exchange(Store(Path(sys.argv[1]) / "venue.sqlite3"))
for number in itertools.count():
    make = market if number % 5 == 4 else limit
    order = exchange.place("alice", make(f"c{number}"))
    if number % 5 == 4:
        exchange.ledger.deposit("alice", "BTC", order.filled_quantity)
        exchange.ledger.deposit("alice", "USD", -order.filled_value + order.fees)
    else:
        exchange.cancel("alice", order.order_id)
    print(json.dumps([order.order_id, order.state, order.fill_count]), flush=True)
"""


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert child.stdout is not None
    heard = [child.stdout.readline() for _ in range(40)]
    child.send_signal(signal.SIGKILL)
    heard += child.stdout.read().splitlines(keepends=True)
    child.stdout.close()
    child.wait()
    told = [json.loads(line) for line in heard if line.endswith(b"\n")]

    exchange = open_exchange(Store(tmp_path / "venue.sqlite3"))
    assert len(told) >= 40
    for order_id, state, fill_count in told:
        order: SimOrder = exchange.orders[order_id]
        assert (order.state, order.fill_count) == (state, fill_count)
        assert sum(fill.order_id == order_id for fill in exchange.fills) == fill_count
    assert exchange.ledger.imbalance() == {}
    exchange.close()
