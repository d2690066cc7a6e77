"""The real desk, started the way a user starts it: green, enterable, and back after any kill."""

import http.client
import os
import signal

import pytest

from cqops.platform.access.policy import Role
from cqops.platform.local import readiness
from cqops.platform.local.processes import PROCESSES
from tests.platform.local.conftest import alive, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def ask(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers={"Host": "localhost", **headers})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_every_part_of_the_list_runs(desk):
    expected = {process.name for process in PROCESSES if process.local}
    assert set(desk.pids()) == expected | {"postgres", "redis"}
    assert readiness.ask(desk.port).is_green


def test_the_token_that_is_printed_opens_the_interface_and_no_other_does(desk):
    token = f"Bearer {desk.access['token']}"
    assert ask(desk.port, "/api/v1/positions", Authorization=token) == 200
    assert ask(desk.port, "/api/v1/positions", Authorization="Bearer nobody") in {401, 403}


def test_there_is_one_sign_in_for_each_role(desk):
    names = [user["username"] for user in desk.access["users"]]
    assert {user["role"] for user in desk.access["users"]} == set(Role)
    assert len(names) == len(set(names))


def test_everything_returns_after_every_process_was_killed_at_once(desk):
    before = desk.pids()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(alive(pid) for pid in before.values()), "the kill")
    wait_for(lambda: set(desk.pids()) == set(before), "every process to be started again")
    wait_for(lambda: readiness.ask(desk.port).is_green, "every part to turn green", 120)
    assert not set(before.values()) & set(desk.pids().values())
