"""The supervisor itself is killed while orders flow: the next start cleans up, goes on, loses nothing."""

import signal
import time

import psutil
import pytest

from cqops.platform.local.ports import free_port
from tests.browsing import OwnDesk
from tests.drills.flow import Flow, assert_nothing_lost, await_green

WORK = 5.0


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_next_start_ends_what_a_killed_supervisor_left_and_goes_on():
    with OwnDesk("killed", free_port()) as own:
        first = own.start()
        left = first.pids()
        with Flow(first.url, first.access["token"]) as flow:
            time.sleep(WORK)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            assert all(psutil.pid_exists(pid) for pid in left.values())
            time.sleep(WORK)  # nobody watches them, and they go on
            second = own.start()
            assert second.access["token"] == first.access["token"]
            assert not set(left.values()) & set(second.pids().values())
            assert "of an earlier start" in own.said()
            await_green(second.url)
            placed = len(flow.placed)
            time.sleep(WORK)
            assert len(flow.placed) > placed
            orders = assert_nothing_lost(flow, second.folder)
            assert sum(order["state"] == "filled" for order in orders) > 10
