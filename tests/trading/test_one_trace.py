"""From the ticket to the fill in one trace, against the simulated venue over its own wire protocol."""

import asyncio
import queue
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from channels.db import database_sync_to_async
from django.test import Client

from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from cqops.platform.background import doorbells
from cqops.platform.telemetry import signals
from cqops.platform.telemetry.spans import flush, name_process
from cqops.platform.telemetry.trace import begin
from tests import cast
from tests.collector import collecting
from trading import doorbell
from trading.models import Order
from trading.reports import Reports
from trading.services.submission import look_up, submit
from trading.services.sweep import sweep
from trading.states import State
from trading.tasks import submit_order
from venues.interface.errors import Cause, OutcomeUnknown
from venues.interface.types import OrderStatus, OrderUpdate
from venues.models import Venue
from venues.services import clients
from venues.services.keys import seed_credential
from venues.simulator.app import Simulator, free_socket, make_server
from venues.simulator.demo_keys import generate_demo_key, register_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(30)]
TRACE, CALLER = "a" * 32, "b" * 16


@pytest.fixture
def collector(settings):
    with collecting() as (found, address):
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = address
        yield found
        name_process("cqops")
    begin()


@pytest.fixture
def simulated(tmp_path, monkeypatch):
    """Serve the simulated venue beside the test, and give the account of the cast a key for it."""
    key = generate_demo_key()
    register_key(tmp_path, key.entry)
    bound = free_socket()
    port = bound.getsockname()[1]
    servers = queue.Queue()

    def serve():
        # Its store belongs to the thread that opened it.
        servers.put(make_server(Simulator(tmp_path, 1), "127.0.0.1", port))
        asyncio.run(servers.queue[0].serve(sockets=[bound]))

    thread = threading.Thread(target=serve)
    thread.start()
    base = f"127.0.0.1:{port}/coinbase_advanced"
    cast.account()
    Venue.objects.update(
        rest_url=f"http://{base}", ws_url=f"ws://{base}/ws", ws_user_url=f"ws://{base}/ws-user"
    )
    seed_credential(account=cast.account(), key_id=key.key_id, secret=key.secret)
    monkeypatch.setattr(clients, "_clients", {})
    yield
    for client in clients._clients.values():
        clients.bridge.run(client.aclose(), timeout=5)
    servers.get().should_exit = True
    thread.join()


@pytest.fixture
def rung(monkeypatch):
    """Catch the messages that would wake a worker, with everything they carry."""
    caught = []

    def send(task, *, args, **_):
        headers = {}
        signals._pack(headers=headers)
        caught.append((task, args, headers))

    monkeypatch.setattr(doorbell.current_app, "send_task", send, raising=False)
    return caught


@pytest.fixture
def token(db):
    cast.desk_switch()
    cast.publish_book(cast.symbol(), bid="64990.00", ask="65010.00")
    return issue(user=cast.person(Role.TRADER), name="test")


def place(token):
    order = {
        "client_order_id": "the-traced-order",
        "venue": cast.venue().slug,
        "symbol": "BTC-USD",
        "account": cast.account().name,
        "portfolio": cast.portfolio().name,
        "side": "buy",
        "order_type": "market",
        "quantity": "0.1",
    }
    headers = {"Authorization": f"Bearer {token}", "Traceparent": f"00-{TRACE}-{CALLER}-01"}
    answer = Client().post(
        "/api/v1/orders", order, content_type="application/json", headers=headers
    )
    assert answer.status_code == 202, answer.content
    doorbells.wait()
    return Order.objects.with_names().get()


def carry_out(rung):
    """Be the worker: take the message, with the headers it came with."""
    ((task, args, headers),) = rung
    assert task == submit_order.name
    submit_order.push_request(id="1", **headers)
    signals._begin(task_id="1", task=submit_order)
    try:
        submit_order.run(*args)
    finally:
        signals._end(task_id="1", task=submit_order, state="SUCCESS")
        submit_order.pop_request()


async def follow_until_filled():
    process = asyncio.create_task(Reports().run())

    def is_filled():
        return Order.objects.get().state == State.FILLED

    async with asyncio.timeout(10):
        while not await database_sync_to_async(is_filled)():
            await asyncio.sleep(0.05)
    process.cancel()
    await asyncio.gather(process, return_exceptions=True)


def test_one_trace_goes_from_the_ticket_through_web_worker_and_reports_to_the_fill(
    collector, simulated, token, rung
):
    name_process("web")
    order = place(token)
    begin()
    name_process("worker")
    carry_out(rung)
    begin()
    name_process("reports")
    asyncio.run(follow_until_filled())
    assert flush()

    ours = {one.span: one for one in collector.spans if one.trace == TRACE}
    assert {one.process for one in ours.values()} == {"web", "worker", "reports"}
    request = collector.one("POST /api/v1/orders")
    assert request.parent == CALLER

    def way_up(one):
        return [one.name, *(way_up(ours[one.parent]) if one.parent in ours else [])]

    placing = ["order.place", "POST /api/v1/orders"]
    working = ["order.submit", "task trading.submit_order", *placing]
    sent = collector.one("venue place")
    booked = collector.one("executions.book")
    assert (sent.process, way_up(sent)) == ("worker", [sent.name, *working])
    assert (booked.process, way_up(booked)[-2:]) == ("reports", placing)
    assert booked.attributes["order_id"] == str(order.pk)
    moves = [one for one in ours.values() if one.name == "order.move"]
    assert [one.attributes["there"] for one in moves][-1] == "filled"
    assert all(request.span in {one.span, *_parents(one, ours)} for one in ours.values())


def _parents(one, known):
    return [one.parent, *(_parents(known[one.parent], known) if one.parent in known else [])]


def test_what_a_sweep_and_a_look_up_do_is_in_the_order_s_own_trace(
    collector, token, rung, scripted_venue
):
    def silent(_):
        raise OutcomeUnknown("no answer", cause=Cause.TEMPORARY)  # noqa: EM101 -- the venue's words

    order = place(token)
    scripted_venue.on_answer = silent
    begin()
    Order.objects.update(placed_at=cast.NOON)
    sweep()
    begin()
    look_up(order.pk)
    assert flush()

    for name in ("order.submit", "order.look_up"):
        seen = collector.one(name)
        assert (seen.trace, seen.parent) == (TRACE, collector.one("order.place").span)
    assert Order.objects.get().state == State.ACKNOWLEDGED


async def test_a_message_of_the_stream_leads_into_the_trace_of_its_order(
    collector, token, rung, scripted_venue
):
    order = await database_sync_to_async(place)(token)
    await database_sync_to_async(submit)(order.pk)
    told = cast.venue_order(order, OrderStatus.FILLED, filled_quantity=Decimal("0.1"))
    scripted_venue.fills = [cast.fill(order, number=1, quantity="0.1")]
    begin()
    message = OrderUpdate(order=told, is_snapshot=False, received_at=cast.NOON)
    await Reports()._take(order.account, scripted_venue, message)
    stranger = replace(told, client_order_id="nobody", venue_order_id="nobody")
    await Reports()._take(order.account, scripted_venue, replace(message, order=stranger))
    assert await asyncio.to_thread(flush)

    placed, read = collector.one("order.place"), collector.one("reports.read_fills")
    assert (read.trace, read.parent) == (TRACE, placed.span)
    assert collector.one("executions.book").parent == read.span


def test_an_order_remembers_its_trace_also_while_nobody_records(token, rung, scripted_venue):
    order = place(token)

    assert order.traceparent == f"00-{TRACE}-{CALLER}-01"
