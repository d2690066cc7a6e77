"""The benchmark of messages reads every kind of them; what it measures is judged by whoever runs it."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks._messages import messages
from benchmarks._readers import FLOORS, READERS, hold
from benchmarks.normalize import GOALS, HELD, Case, compare
from venues.interface.types import BookEvent, Page, StreamReset

SMALL = messages(levels=20, page=2)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_every_message_is_read_by_both_ways(name):
    read = READERS[name](SMALL[name])

    assert msgspec.json.decode(SMALL[name], type=FLOORS[name])
    found = read.items if isinstance(read, Page) else read
    assert found
    assert not any(isinstance(one, StreamReset) for one in found)
    if "book" in name:
        assert isinstance(found[0], BookEvent)
    assert READERS.keys() == FLOORS.keys() == SMALL.keys()


def test_it_runs_without_ccxt_and_says_what_it_saw(capsys):
    compare({name: SMALL[name] for name in list(SMALL)[:2]}, None, rounds=1, holds=1)

    said = capsys.readouterr().out
    assert "advanced book snapshot" in said
    assert "load of this machine" in said
    assert hold("exchange book snapshot", SMALL["exchange book snapshot"]) > 0


def test_a_goal_that_is_missed_is_named():
    slow = Case("advanced book update", ours=[30.0], floor=[10.0], ccxt=[60.0])
    quick = Case("advanced book update", ours=[15.0], floor=[10.0], ccxt=[75.0])
    orders = Case("advanced orders by REST", ours=[10.0], floor=[1.0], ccxt=[100.0])

    assert len(list(slow.misses(GOALS))) == 2
    assert list(quick.misses(GOALS)) == []
    assert list(orders.misses(GOALS)) == ["advanced orders by REST: 10.0 times under ccxt, not 15"]
    assert list(orders.misses(HELD)) == []
