"""What the simulated venues count, read through the same door as everybody's numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from venues.management.commands import simulator as command
from venues.simulator.app import Simulator
from venues.simulator.metrics import ANSWERS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def answered(venue, status):
    """Read the one counter: the whole registry asks the database for some, and holds up the loop."""
    labels = {"venue": venue, "status": str(status)}
    found = [one for metric in ANSWERS.collect() for one in metric.samples]
    return sum(one.value for one in found if one.name.endswith("_total") and one.labels == labels)


@pytest.fixture
def simulated(tmp_path):
    made = Simulator(tmp_path, 1, now=lambda: NOW, is_ticking=False)
    yield made
    made.close()


async def ask(app, path):
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message):
        return None

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await app(scope, receive, send)


async def test_answers_are_counted_by_venue_and_made_up_addresses_are_one(simulated):
    before = answered("coinbase_advanced", 200), answered("none", 404)

    await ask(simulated, "/coinbase_advanced/api/v3/brokerage/market/products")
    for number in range(3):
        await ask(simulated, f"/nowhere-{number}/x")

    after = answered("coinbase_advanced", 200), answered("none", 404)
    assert (after[0] - before[0], after[1] - before[1]) == (1, 3)


def test_the_command_gives_it_a_port_before_it_serves(monkeypatch, tmp_path):
    steps = []
    monkeypatch.setattr(command, "serve_metrics", steps.append)
    monkeypatch.setattr(command, "serve", lambda **_: steps.append("serves"))

    call_command(command.Command(), port=1, data_dir=tmp_path)

    assert steps == ["simulator", "serves"]
