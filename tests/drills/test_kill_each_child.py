"""Every process is killed in turn while orders flow, and nothing may be lost or doubled."""

import os
import signal
import time

import pytest

from tests.drills.flow import BACK_WITHIN, Flow, assert_nothing_lost, await_green

WORK_BETWEEN_KILLS = 4.0
CHILDREN = [
    *("web", "worker", "beat", "feeds", "reports", "relay", "simulator", "redis", "postgres"),
]


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
    await_green(desk.url)
    with Flow(desk.url, desk.access["token"]) as flow:
        for name in CHILDREN:
            time.sleep(WORK_BETWEEN_KILLS)
            kill(desk, name)
            await_green(desk.url)
        time.sleep(WORK_BETWEEN_KILLS)
        orders = assert_nothing_lost(flow, desk.folder)
        assert len(orders) > 50
        assert sum(order["state"] == "filled" for order in orders) > 30
