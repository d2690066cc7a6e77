"""Nonces leave in the order they were given out, whoever sends and whatever is slow."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.venues.transport.driven import DrivenClock, dice
from venues.interface.errors import Cause, NotSent
from venues.transport.answers import HeldBack, Refusal
from venues.transport.gate import (
    LEASE_WAIT_SECONDS,
    OWN_DIGITS,
    Alone,
    Hold,
    LeaseAway,
    Nonces,
    SendGate,
    Unit,
)
from venues.transport.http import Guards, HttpTransport, Safety, Seams
from venues.transport.operation import CANCEL, PLACE, Priority
from venues.transport.rules import VenueRules


class SharedLease:
    """A lease and its last nonce, as Redis would keep them."""

    def __init__(self) -> None:
        self.last = 0
        self.is_held = False
        self.is_away = False

    async def take(self, floor: int) -> int | None:
        await asyncio.sleep(0)
        if self.is_away:
            raise LeaseAway
        if self.is_held:
            return None
        self.is_held = True
        self.last = max(self.last, floor) + 1
        return self.last

    async def give_back(self) -> None:
        if self.is_away:
            raise LeaseAway
        self.is_held = False


class Venue:
    """A venue that refuses a nonce which is not above the last, and is slow to be written to."""

    def __init__(self, seed: int) -> None:
        self.last = 0
        self.nonces: list[int] = []
        self.refused = 0
        self.dice = dice(seed)
        self.is_under_way = 0
        self.most_under_way = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions["trace"]
        await trace("http11.send_request_headers.started", {})
        for _ in range(self.dice.randrange(20)):
            await asyncio.sleep(0)
        nonce = json.loads(request.content)["nonce"]
        if nonce <= self.last:
            self.refused += 1
        self.last = max(self.last, nonce)
        self.nonces.append(nonce)
        await trace("http11.send_request_body.complete", {})
        self.is_under_way += 1
        self.most_under_way = max(self.most_under_way, self.is_under_way)
        for _ in range(self.dice.randrange(40)):
            await asyncio.sleep(0)
        self.is_under_way -= 1
        return httpx.Response(200, content=b"{}")


def transport(venue: Venue, gate: SendGate, hold: Hold = Hold.WRITTEN) -> HttpTransport:
    return HttpTransport(
        "https://venue.test",
        auth=None,
        read_refusal=lambda status, body: Refusal(Cause.INVALID, "", body.decode()),
        rules=VenueRules(hold=hold),
        seams=Seams(wire=httpx.MockTransport(venue.handle), guards=Guards(gate=lambda _: gate)),
    )


def with_nonce(nonce: int) -> bytes:
    return json.dumps({"nonce": nonce}).encode()


async def storm(transports: list[HttpTransport], calls: int) -> None:
    await asyncio.gather(
        *(
            transports[number % len(transports)].post("/order", with_nonce, safety=Safety.ONCE)
            for number in range(calls)
        )
    )
    for one in transports:
        await one.aclose()


async def test_concurrent_senders_of_one_process_never_overtake_each_other():
    venue = Venue(1)

    await storm([transport(venue, SendGate(Nonces(lambda: 1)))], 100)

    assert len(venue.nonces) == 100
    assert venue.refused == 0
    assert venue.most_under_way > 1, "the gate should open when the bytes are written"


async def test_concurrent_processes_never_overtake_each_other_under_one_lease(monkeypatch):
    venue = Venue(2)
    lease = SharedLease()

    async def no_wait(_seconds: float) -> None:
        await asyncio.sleep(0)

    # Each process's clock is off by as much as it likes.
    gates = [
        SendGate(Nonces(lambda skew=skew: skew), lease=lease, sleep=no_wait)
        for skew in (0, 10_000, 5_000)
    ]
    monkeypatch.setitem(LEASE_WAIT_SECONDS, Priority.ORDER, 1e9)
    await storm([transport(venue, gate) for gate in gates], 60)

    assert len(venue.nonces) == 60
    assert venue.refused == 0


async def test_without_a_gate_they_would_overtake():
    """Prove that the storm above can fail."""
    venue = Venue(1)
    nonces = Nonces(lambda: 1)

    class NoGate(SendGate):
        @asynccontextmanager
        async def passage(self, priority):
            async with SendGate(nonces).passage(priority) as passage:
                yield passage

    await storm([transport(venue, NoGate(nonces))], 100)

    assert venue.refused > 0


async def test_a_venue_that_counts_every_nonce_has_one_call_under_way():
    venue = Venue(3)

    await storm([transport(venue, SendGate(Nonces(lambda: 1)), Hold.ANSWERED)], 30)

    assert venue.refused == 0
    assert venue.most_under_way == 1


async def test_a_cancel_goes_to_the_head_of_the_line():
    gate = SendGate(Nonces(lambda: 1))
    order: list[str] = []

    async def go(name: str, priority: Priority) -> None:
        async with gate.passage(priority):
            order.append(name)

    async with gate.passage(Priority.READ):
        waiting = [
            asyncio.create_task(go("read", Priority.READ)),
            asyncio.create_task(go("order", Priority.ORDER)),
            asyncio.create_task(go("cancel", Priority.RESCUE)),
            asyncio.create_task(go("cancel 2", Priority.RESCUE)),
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert order == ["cancel", "cancel 2", "order", "read"]


async def test_a_waiter_that_was_cancelled_holds_up_nobody():
    gate = SendGate(Nonces(lambda: 1))

    async def go() -> None:
        async with gate.passage(Priority.READ):
            pass

    async with gate.passage(Priority.READ):
        one, other = asyncio.create_task(go()), asyncio.create_task(go())
        await asyncio.sleep(0)
        one.cancel()
    one.cancel()
    async with asyncio.timeout(1):
        await other
        await go()


async def test_a_call_that_breaks_inside_opens_the_gate():
    gate = SendGate(Nonces(lambda: 1))
    with pytest.raises(RuntimeError):
        async with gate.passage(Priority.READ):
            raise RuntimeError

    async with asyncio.timeout(1), gate.passage(Priority.READ):
        pass


def test_two_processes_never_make_the_same_nonce_from_the_same_clock():
    clock = iter(range(10**6, 10**6 + 4000))
    processes = [Nonces(lambda: next(clock), slot=slot, digits=OWN_DIGITS) for slot in (3, 4)]

    made = [one.following() for _ in range(1000) for one in processes]

    assert len(set(made)) == len(made)
    assert {nonce % OWN_DIGITS for nonce in made} == {3, 4}


@pytest.mark.parametrize(
    ("unit", "nonce"),
    [
        (Unit.MILLISECONDS, 1_700_000_000_123),
        (Unit.MICROSECONDS, 1_700_000_000_123_456),
        (Unit.NANOSECONDS, 1_700_000_000_123_456_789),
    ],
)
def test_a_nonce_counts_in_the_venues_unit(unit, nonce):
    assert Nonces(unit.clock(lambda: 1_700_000_000_123_456_789)).following() == nonce


def test_a_clock_that_goes_back_makes_no_lower_nonce():
    times = iter([5_000_000, 4_000_000, 4_000_001])
    nonces = Nonces(lambda: next(times))

    made = [nonces.following() for _ in range(3)]

    assert made == sorted(set(made))


async def test_it_goes_on_without_the_lease_above_every_nonce_it_saw():
    lease = SharedLease()
    lease.last = 9_000_000
    gate = SendGate(Nonces(lambda: 1_000_000, slot=7, digits=OWN_DIGITS), lease=lease)
    async with gate.passage(Priority.ORDER) as passage:
        leased = passage.nonce
    lease.is_away = True
    async with gate.passage(Priority.ORDER) as passage:
        alone = passage.nonce

    assert alone > leased > 9_000_000
    assert alone % OWN_DIGITS == 7


async def test_where_a_wrong_nonce_costs_more_nothing_is_sent_without_the_lease():
    lease = SharedLease()
    lease.is_away = True
    gate = SendGate(Nonces(lambda: 1), lease=lease, alone=Alone.REFUSE)

    with pytest.raises(HeldBack):
        async with gate.passage(Priority.RESCUE):
            pytest.fail("it was let out")
    lease.is_away = False
    async with asyncio.timeout(1), gate.passage(Priority.RESCUE):
        pass


async def test_an_order_does_not_wait_for_ever_for_another_process():
    clock = DrivenClock()
    lease = SharedLease()
    lease.is_held = True
    gate = SendGate(Nonces(lambda: 1), lease=lease, sleep=clock.sleep)

    async def go() -> None:
        async with gate.passage(Priority.ORDER):
            pytest.fail("it was let out")

    (error,) = await clock.run(go())

    assert isinstance(error, NotSent)
    assert clock.now == pytest.approx(1.0, abs=0.05)


async def test_a_retry_takes_a_new_nonce():
    seen: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content)["nonce"])
        assert request.extensions["nonce"] == seen[-1]
        return httpx.Response(503 if len(seen) == 1 else 200, content=b"{}")

    async def no_wait(_seconds: float) -> None:
        pass

    sender = HttpTransport(
        "https://venue.test",
        auth=None,
        read_refusal=lambda status, body: Refusal(Cause.TEMPORARY, "", ""),
        rules=VenueRules(hold=Hold.WRITTEN),
        seams=Seams(wire=httpx.MockTransport(answer), sleep=no_wait),
    )
    await sender.post("/c", with_nonce, safety=Safety.REPEATABLE, operation=CANCEL)
    await sender.aclose()

    assert len(seen) == 2
    assert seen[1] > seen[0]


async def test_a_body_that_needs_a_nonce_is_refused_where_no_rule_gives_one():
    sender = HttpTransport(
        "https://venue.test",
        auth=None,
        read_refusal=lambda status, body: Refusal(Cause.TEMPORARY, "", ""),
        seams=Seams(wire=httpx.MockTransport(lambda _: pytest.fail("sent"))),
    )
    with pytest.raises(NotSent, match="nonce"):
        await sender.post("/o", with_nonce, safety=Safety.ONCE, operation=PLACE)
    await sender.aclose()
