"""The execution-report process: the stream is a hint, the list of fills is the proof."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from channels.db import database_sync_to_async

from cqops.platform.telemetry.forever import end
from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from trading import reports as module
from trading.models import ExecutionReport, Order, SweepMark
from trading.reports import Reports, read_mark, read_plan, working, write_mark
from trading.services.executions import record
from trading.services.submission import submit
from trading.services.tickets import place
from trading.states import State
from venues.interface.errors import Cause, NotSent, Rejected
from venues.interface.types import OrderStatus, OrderUpdate, Page, StreamReset
from venues.models import Account, Credential, Venue
from venues.services.keys import seed_credential

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(20)]


class StreamingVenue(cast.ScriptedVenue):
    """A scripted venue with a private stream that the test feeds."""

    def __init__(self):
        super().__init__()
        self.updates = asyncio.Queue()

    async def subscribe_executions(self, symbols):
        while True:
            yield await self.updates.get()


@pytest.fixture
def order(trader, live_book, scripted_venue):
    made = place(ticket=cast.ticket(trader), client_order_id="the-order", by=trader)
    submit(made.pk)
    return Order.objects.with_names().get(pk=made.pk)


async def until(condition):
    async with asyncio.timeout(8):
        while not await database_sync_to_async(condition)():
            await asyncio.sleep(0.02)


async def run_with(monkeypatch, venue, condition):
    monkeypatch.setattr(module, "open_client", lambda account: venue)
    process = Reports()
    task = asyncio.create_task(process.run())
    try:
        await until(condition)
    finally:
        await end(task)


def is_filled():
    return Order.objects.get().state == State.FILLED


def is_swept():
    """The first sweep is over, so that whatever comes now was not found by it."""
    return SweepMark.objects.exists()


async def test_a_stream_update_leads_to_the_fills_and_the_end(order, scripted_venue, monkeypatch):
    venue = StreamingVenue()
    venue.orders = dict(scripted_venue.orders)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 60)
    told = cast.venue_order(order, OrderStatus.FILLED, filled_quantity=Decimal("0.5"))

    async def later():
        await until(is_swept)
        venue.fills = [cast.fill(order, number=1, quantity="0.5")]
        await venue.updates.put(OrderUpdate(order=told, is_snapshot=False, received_at=cast.NOON))

    feeding = asyncio.create_task(later())
    await run_with(monkeypatch, venue, is_filled)
    await feeding
    assert await database_sync_to_async(ExecutionReport.objects.count)() == 1


async def test_the_sweep_finds_what_the_stream_never_said(order, scripted_venue, monkeypatch):
    venue = StreamingVenue()
    venue.fills = [cast.fill(order, number=1, quantity="0.5")]
    venue.orders = {
        "the-order": cast.venue_order(order, OrderStatus.FILLED, filled_quantity=Decimal("0.5"))
    }
    await run_with(monkeypatch, venue, lambda: is_filled() and is_swept())


async def test_a_gap_makes_everything_be_read_again(order, scripted_venue, monkeypatch, journal):
    venue = StreamingVenue()
    venue.orders = dict(scripted_venue.orders)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 60)

    async def later():
        await until(is_swept)
        venue.fills = [cast.fill(order, number=1, quantity="0.5")]
        await venue.updates.put(StreamReset(reason="gap", received_at=cast.NOON))

    feeding = asyncio.create_task(later())
    await run_with(monkeypatch, venue, is_filled)
    await feeding
    assert await database_sync_to_async(told)(journal) == [("stream.reset", "Main")]


def told(journal):
    journal.flush()
    return [(one.kind, one.labels["account"]) for one in OpsEvent.objects.order_by("pk")]


async def test_a_venue_that_is_away_is_tried_again_and_told(
    order, scripted_venue, monkeypatch, journal
):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    venue = StreamingVenue()
    venue.orders = {"the-order": cast.venue_order(order, OrderStatus.CANCELLED)}
    failures = [NotSent("away", cause=Cause.TEMPORARY)] * 3

    def sometimes(_):
        if failures:
            raise failures.pop()

    venue.on_get = sometimes
    await run_with(monkeypatch, venue, lambda: Order.objects.get().state == State.CANCELLED)
    assert ("sweep.failed", "Main") in await database_sync_to_async(told)(journal)


def test_the_mark_is_kept_and_the_first_look_goes_back_days(order):
    account = cast.account()
    assert (cast.NOON - read_mark(account, cast.NOON)).days == 2
    write_mark(account, cast.NOON)
    assert read_mark(account, cast.NOON) == cast.NOON


def test_only_orders_that_may_still_change_are_asked_about(order):
    assert [one.client_order_id for one in working(cast.account())] == ["the-order"]
    Order.objects.update(state=State.FILLED)
    assert working(cast.account()) == []


def test_accounts_without_a_key_in_use_are_left_alone(order):
    account = cast.account()
    assert list(read_plan().values()) == [account]
    account.credentials.update(retired_at=cast.NOON)
    assert read_plan() == {}


class Opened:
    """Hands out the clients of a script, one an opening, and hears the beats."""

    def __init__(self, monkeypatch, *venues):
        self.venues, self.keys, self.beats = list(venues), [], []
        monkeypatch.setattr(module, "REPLAN_SECONDS", 0.05)
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
        monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
        monkeypatch.setattr(module, "SWEEP_SECONDS", 0.1)
        monkeypatch.setattr(module, "open_client", self.open)
        monkeypatch.setattr(module, "beat", self.beat)

    def open(self, account):
        self.keys.append((account.name, account.venue.rest_url, key_of(account)))
        return self.venues.pop(0) if len(self.venues) > 1 else self.venues[0]

    def beat(self, process, words, *, is_well):
        self.beats.append((words, is_well))

    async def run(self, *steps):
        process = Reports()
        task = asyncio.create_task(process.run())
        try:
            for step in steps:
                await until(step)
        finally:
            await end(task)


def key_of(account):
    return account.credentials.in_use().get().key_id


def failing(error, *, times=10_000):
    """A venue whose list of fills cannot be read for the first few times."""
    venue, left = StreamingVenue(), [error] * times

    async def get_fills(query):
        if left:
            raise left.pop()
        return Page(())

    venue.get_fills = get_fills
    return venue


async def test_a_replaced_key_and_a_changed_address_are_noticed(order, monkeypatch):
    opened = Opened(monkeypatch, StreamingVenue())
    account = await database_sync_to_async(cast.account)()

    def replace_the_key():
        if len(opened.keys) == 1 and key_of(account) != "the new one":
            seed_credential(account=account, key_id="the new one", secret="s")
        return opened.keys[-1:] == [("Main", "http://127.0.0.1:9", "the new one")]

    def move():
        if len(opened.keys) == 2:
            Venue.objects.update(rest_url="http://127.0.0.1:10")
        return opened.keys[-1:] == [("Main", "http://127.0.0.1:10", "the new one")]

    await opened.run(replace_the_key, move)
    assert len(opened.keys) == 3


async def test_a_key_that_the_venue_refuses_is_read_again(order, monkeypatch):
    refused = failing(Rejected("no such key", cause=Cause.AUTH))
    opened = Opened(monkeypatch, refused, StreamingVenue())
    await opened.run(lambda: ("1 of 1 accounts up to date", True) in opened.beats)
    assert len(opened.keys) == 2
    assert opened.beats[0] != ("1 of 1 accounts up to date", True)


async def test_one_account_that_fails_unforeseen_leaves_the_others_and_is_red(
    order, monkeypatch, caplog
):
    """A bug in what reads one venue's answers must not stop the fills of all venues."""
    broken = failing(ZeroDivisionError("a bug"))
    await database_sync_to_async(cast.account)("Second")
    opened = Opened(monkeypatch, StreamingVenue())
    monkeypatch.setattr(
        module,
        "open_client",
        lambda account: broken if account.name == "Second" else opened.open(account),
    )
    await opened.run(
        lambda: ("1 of 2 accounts up to date", False) in opened.beats,
        lambda: sum("nobody foresaw" in line for line in caplog.messages) >= 2,
        lambda: opened.beats[-1] == ("1 of 2 accounts up to date", False),
    )
    assert len(opened.keys) == 1


async def test_an_account_that_left_the_plan_is_counted_no_longer(order, monkeypatch):
    opened = Opened(monkeypatch, StreamingVenue())
    await opened.run(
        lambda: ("1 of 1 accounts up to date", True) in opened.beats,
        lambda: Credential.objects.in_use().update(retired_at=cast.NOON) == 1,
        lambda: opened.beats[-1] == ("0 of 0 accounts up to date", True),
    )


@pytest.mark.parametrize("model", [Account, Venue])
def test_an_account_that_is_switched_off_is_still_followed(order, model):
    model.objects.update(is_enabled=False)
    assert list(read_plan().values()) == [cast.account()]


def test_what_is_booked_already_costs_one_look(order, django_assert_num_queries):
    fills = [cast.fill(order, number=number, quantity="0.1") for number in range(1, 4)]
    account = cast.account()
    record(account=account, fills=fills, by="stream")
    with django_assert_num_queries(1):
        assert record(account=account, fills=fills, by="sweep") == 0


def test_an_execution_without_its_order_is_booked_to_it_by_the_next_sweep(order):
    Order.objects.update(venue_order_id="")
    fill = cast.fill(order, number=1, quantity="0.5")
    record(account=cast.account(), fills=[fill], by="stream")
    Order.objects.update(venue_order_id=order.venue_order_id)

    record(account=cast.account(), fills=[fill], by="sweep")

    assert ExecutionReport.objects.get().order == order
    assert is_filled()


async def test_fills_that_cannot_be_read_yet_do_not_end_the_stream(
    order, scripted_venue, monkeypatch
):
    """A spent budget must not cost the stream, or reading everything again spends it once more."""
    venue = StreamingVenue()
    venue.orders = dict(scripted_venue.orders)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 60)
    told = cast.venue_order(order, OrderStatus.FILLED, filled_quantity=Decimal("0.5"))
    spent = [NotSent("the budget of calls is spent", cause=Cause.RATE_LIMITED)]
    read = venue.get_fills

    async def get_fills(query):
        if query.venue_order_id and spent:
            raise spent.pop()
        return await read(query)

    venue.get_fills = get_fills

    async def later():
        await until(is_swept)
        monkeypatch.setattr(module, "open_client", None)  # it would have to be opened anew
        venue.fills = [cast.fill(order, number=1, quantity="0.5")]
        await venue.updates.put(OrderUpdate(order=told, is_snapshot=False, received_at=cast.NOON))

    feeding = asyncio.create_task(later())
    await run_with(monkeypatch, venue, is_filled)
    await feeding
    assert not spent


def test_fills_of_two_orders_do_not_mix(order):
    stray = replace(cast.fill(order, number=1, quantity="1"), venue_order_id="other")
    record(
        account=cast.account(), fills=[stray, cast.fill(order, number=2, quantity="0.1")], by="t"
    )
    order.refresh_from_db()
    assert order.filled_quantity == Decimal("0.1")


async def test_what_the_venue_lists_as_open_is_not_looked_up_one_by_one(
    trader, live_book, scripted_venue, monkeypatch
):
    def send(number):
        ticket = replace(cast.ticket(trader), quantity=Decimal("0.01"))
        made = place(ticket=ticket, client_order_id=f"order-{number}", by=trader)
        submit(made.pk)

    for number in range(3):
        await database_sync_to_async(send)(number)
    asked = []
    scripted_venue.on_get = asked.append
    gone = scripted_venue.orders["order-2"]
    scripted_venue.orders["order-2"] = replace(gone, status=OrderStatus.CANCELLED)

    def is_cancelled():
        return Order.objects.get(client_order_id="order-2").state == State.CANCELLED

    await run_with(monkeypatch, scripted_venue, is_cancelled)

    assert {ref.client_order_id for ref in asked} == {"order-2"}
