"""Every process is killed in turn while orders flow, and nothing may be lost or doubled."""

import os
import signal
import time
from decimal import Decimal

import httpx
import pytest

from tests.drills.flow import Flow, VenueBooks, compare, missed, told_outside

BACK_WITHIN = 60.0
WORK_BETWEEN_KILLS = 4.0
CHILDREN = [
    *("web", "worker", "beat", "feeds", "reports", "relay", "simulator", "redis", "postgres"),
]


def await_green(desk, *, within=BACK_WITHIN):
    """Wait for /statusz, and say what is missing when it stays red."""
    deadline = time.monotonic() + within
    words = "no answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{desk.url}/statusz", timeout=5)
        except httpx.TransportError as error:
            words = repr(error)
        else:
            if answer.status_code == 200:
                return
            words = answer.text
        time.sleep(0.3)
    pytest.fail(f"not green within {within:.0f} s: {words}")


def kill(desk, name):
    """Kill one child and wait until the supervisor has put another in its place."""
    before = desk.pids()[name]
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + BACK_WITHIN
    while desk.pids().get(name, before) == before:
        assert time.monotonic() < deadline, f"{name} was not started again"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_when_each_child_is_killed_in_turn(desk):
    await_green(desk)
    with Flow(desk.url, desk.access["token"]) as flow:
        for name in CHILDREN:
            time.sleep(WORK_BETWEEN_KILLS)
            kill(desk, name)
            await_green(desk)
        time.sleep(WORK_BETWEEN_KILLS)
        flow.stop()
        orders = flow.settle()
        assert len(orders) > 50
        assert compare(orders, VenueBooks.read(desk.folder)) == []
        assert sum(order["state"] == "filled" for order in orders) > 30
        assert position(flow) == booked(orders)
        await_green(desk)
        assert missed(orders, told_outside(desk.folder)) == []


def booked(orders):
    signs = {"buy": 1, "sell": -1}
    return sum(
        (
            signs[order["side"]] * Decimal(one["quantity"])
            for order in orders
            for one in order["executions"]
        ),
        Decimal(0),
    )


def position(flow):
    """Wait a moment: positions are absorbed right after the executions."""
    time.sleep(1)
    rows = flow.client.get("/api/v1/positions").json()["results"]
    mine = [row for row in rows if row["portfolio"] == "Treasury book" and row["asset"] == "ETH"]
    return sum((Decimal(row["quantity"]) for row in mine), Decimal(0))
