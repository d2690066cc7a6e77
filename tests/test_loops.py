"""The rules of the suite itself: complaints of event loops count, and nothing leaves this machine."""

import asyncio
import gc
import logging
import socket

import pytest
from pytest_socket import SocketConnectBlockedError

from tests.loops import HELD_UP, SLOW_CALLBACK_SECONDS

OUTSIDE = "192.0.2.1"  # reserved for examples, so nobody answers there


async def test_an_exception_that_nobody_looked_at_is_a_finding(loop_findings):
    async def fail():
        raise ZeroDivisionError

    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    found = loop_findings.take()
    assert len(found) == 1
    assert "Task exception was never retrieved" in found[0]
    assert "ZeroDivisionError" in found[0]


async def test_loops_of_tests_run_in_debug_mode():
    assert asyncio.get_running_loop().get_debug()


def test_a_callback_that_holds_up_its_loop_is_a_finding_when_no_load_explains_it(loop_findings):
    logger = logging.getLogger("asyncio")
    logger.warning(HELD_UP, "<Handle>", SLOW_CALLBACK_SECONDS / 2)
    assert loop_findings.take() == []
    logger.warning(HELD_UP, "<Handle>", SLOW_CALLBACK_SECONDS * 2)
    assert loop_findings.take() == ["Executing <Handle> took 2.000 seconds"]


async def test_these_are_the_words_a_held_up_loop_uses(loop_findings, caplog):
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 0.0
    await asyncio.sleep(0)
    assert any(record.msg == HELD_UP for record in caplog.records if record.name == "asyncio")
    loop.slow_callback_duration = 0.1
    loop_findings.take()


# The warning that comes first would be an error by itself.
@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_a_connection_to_outside_is_refused():
    with pytest.raises(SocketConnectBlockedError, match=OUTSIDE):
        socket.create_connection((OUTSIDE, 80), timeout=1)


@pytest.mark.filterwarnings("ignore:A test tried to use")
async def test_an_asynchronous_connection_to_outside_is_refused_too():
    with pytest.raises(SocketConnectBlockedError, match=OUTSIDE):
        await asyncio.open_connection(OUTSIDE, 80)


def test_a_name_outside_is_not_even_looked_up():
    with pytest.raises(RuntimeError, match="tests stay on this machine"):
        socket.create_connection(("venue.example", 443), timeout=1)
