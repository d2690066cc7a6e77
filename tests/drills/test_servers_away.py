"""Redis stands still, PostgreSQL restarts: pages say so and recover, and nothing is lost."""

import os
import signal
import time
from contextlib import closing

import httpx
import pytest

from tests.drills.flow import (
    Flow,
    assert_nothing_lost,
    await_green,
    await_status,
)

# A minute shows no more than this; REDIS_STOPPED_SECONDS=60 is for whoever wants to see it.
STOPPED_SECONDS = float(os.environ.get("REDIS_STOPPED_SECONDS", "20"))
WORK = 4.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def enter(desk, username):
    """Enter as a demo person, the way the button of the sign-in page does."""
    person = httpx.Client(base_url=desk.url, follow_redirects=True, timeout=20)
    person.get("/sign-in/")
    token = person.cookies["cqops_csrf"]
    answer = person.post(f"/enter-as/{username}/", data={"csrfmiddlewaretoken": token})
    assert answer.status_code == 200, answer.text
    return person


def test_redis_stands_still_while_orders_flow(desk):
    await_green(desk.url)
    with Flow(desk.url, desk.access["token"]) as flow, closing(enter(desk, "tom")) as tom:
        time.sleep(WORK)
        redis = desk.pids()["redis"]
        os.kill(redis, signal.SIGSTOP)
        stopped_at = time.monotonic()
        try:
            await_status(desk.url, 503, words='"redis": {"ok": false')
            ticket = tom.get("/markets/coinbase_advanced/ETH-USD/")
            assert ticket.status_code == 200
            assert 'data-book="state">Live' not in ticket.text
            assert tom.get("/orders/").status_code == 200
            time.sleep(max(0.0, STOPPED_SECONDS - (time.monotonic() - stopped_at)))
            assert flow.client.get("/api/v1/positions").status_code == 200
        finally:
            os.kill(redis, signal.SIGCONT)
        await_green(desk.url)
        assert desk.pids()["redis"] == redis
        placed = len(flow.placed)
        time.sleep(WORK)
        assert len(flow.placed) > placed
        orders = assert_nothing_lost(flow, desk.folder)
        assert sum(order["state"] == "filled" for order in orders) > 10


def test_postgresql_restarts_while_orders_flow(desk):
    await_green(desk.url)
    with Flow(desk.url, desk.access["token"]) as flow, closing(enter(desk, "tom")) as tom:
        time.sleep(WORK)
        old = desk.pids()["postgres"]
        # A restart that takes its time: nobody is there to start it again.
        os.kill(desk.process.pid, signal.SIGSTOP)
        try:
            os.kill(old, signal.SIGINT)  # its fast shutdown: open transactions are rolled back
            assert "The database is away for the moment" in said_while_away(tom)
        finally:
            os.kill(desk.process.pid, signal.SIGCONT)
        await_green(desk.url)
        assert desk.pids()["postgres"] != old
        assert tom.get("/orders/").status_code == 200
        time.sleep(WORK)
        orders = assert_nothing_lost(flow, desk.folder)
        assert sum(order["state"] == "filled" for order in orders) > 10


def said_while_away(person):
    """Read a page until it says something else than usual."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = person.get("/orders/")
        if answer.status_code == 503:
            return answer.text
    pytest.fail("the page never noticed that the database was away")
