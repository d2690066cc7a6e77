"""What callers see while a venue is in trouble: faults, a storm of 429, a ban. Same dice every run."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from tests.venues.transport.driven import DrivenClock, dice
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, VenueError
from venues.transport.answers import HeldBack, Refusal
from venues.transport.budget import Bucket, Limits, MemoryBudget
from venues.transport.http import Guards, HttpTransport, Safety, Seams
from venues.transport.operation import BOOK, CANCEL, LOOK_UP, PLACE
from venues.transport.rules import VenueRules

PACE, BURST = 10.0, 20.0
WIDE = 1000.0


class Venue:
    """A venue that counts, turns away what is over its limit, bans, and fails by the dice."""

    def __init__(self, clock: DrivenClock, *, faults: float = 0.0, width: float = 1.0) -> None:
        self.clock = clock
        self.faults = faults
        self.pace, self.burst = PACE * width, BURST * width
        self.dice = dice(1)
        self.left = self.burst
        self.at = 0.0
        self.banned_until = 0.0
        self.arrivals: list[float] = []
        self.turned_away = 0
        self.processed: Counter[str] = Counter()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        now = self.clock.now
        self.arrivals.append(now)
        if now < self.banned_until:
            self.turned_away += 1
            seconds = self.banned_until - now
            return httpx.Response(429, headers={"retry-after": f"{seconds:.3f}"})
        self.left = min(self.burst, self.left + (now - self.at) * self.pace)
        self.at = now
        if self.left < 1 - 1e-6:
            self.turned_away += 1
            return httpx.Response(429)
        self.left -= 1
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        is_faulty = self.dice.random() < self.faults
        kind = self.dice.randrange(5) if is_faulty else -1
        if kind == 0:
            message = "no route"
            raise httpx.ConnectError(message)
        self.processed[request.content.decode()] += 1
        if kind == 1:
            message = "cut"
            raise httpx.ReadError(message)
        if kind == 2:
            message = "slow"
            raise httpx.ReadTimeout(message)
        return httpx.Response({-1: 200, 3: 502, 4: 503}[kind], content=b"{}")

    def process(self, store: MemoryBudget, seed: int = 0) -> HttpTransport:
        """Return one process's connection; processes share a store as they share Redis."""
        return HttpTransport(
            "https://venue.test",
            auth=None,
            read_refusal=lambda status, body: Refusal(Cause.TEMPORARY, "", ""),
            rules=VenueRules(
                limits=Limits(
                    buckets=(Bucket(name="private", per_second=self.pace, burst=self.burst),),
                    otherwise={"private": 1},
                )
            ),
            seams=Seams(
                wire=httpx.MockTransport(self),
                sleep=self.clock.sleep,
                dice=dice(seed).random,
                stopwatch=self.clock.stopwatch,
                guards=Guards(store=store),
            ),
        )


async def call(process: HttpTransport, kind: str, name: str = "") -> str:
    """Make one call; say how it ended for the caller."""
    try:
        if kind == "book":
            await process.get("/book", operation=BOOK)
        elif kind == "look_up":
            await process.get("/order", operation=LOOK_UP)
        elif kind == "place":
            body = name.encode()
            await process.post("/order", body, safety=Safety.ONCE, operation=PLACE)
        else:
            body = name.encode()
            await process.post("/cancel", body, safety=Safety.REPEATABLE, operation=CANCEL)
    except HeldBack:
        return "held back"
    except VenueError as error:
        return f"{type(error).__name__} {error.cause.value}"
    return "ok"


async def in_turn(clock: DrivenClock, process: HttpTransport, kind: str, calls: int) -> list[str]:
    ended = []
    for number in range(calls):
        ended.append(await call(process, kind, f"{kind} {number}"))
        await clock.sleep(0.2)
    return ended


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["book", "cancel", "look_up"])
async def test_one_fault_in_a_hundred_is_hidden_from_safe_calls(kind):
    clock = DrivenClock()
    venue = Venue(clock, faults=0.01, width=WIDE)
    process = venue.process(MemoryBudget(clock.stopwatch))
    calls = 1000

    ended = await clock.run(*(call(process, kind) for _ in range(calls)))
    await process.aclose()

    assert len(venue.arrivals) > calls, "no fault was injected"
    assert ended.count("ok") / calls >= 0.999


@pytest.mark.slow
async def test_a_fault_never_makes_an_order_twice():
    clock = DrivenClock()
    venue = Venue(clock, faults=0.05, width=WIDE)
    process = venue.process(MemoryBudget(clock.stopwatch))

    ended = await clock.run(*(call(process, "place", f"order {n}") for n in range(500)))
    await process.aclose()

    assert max(venue.processed.values()) == 1
    told = Counter(ended)
    # Each that arrived and was not answered is unknown, each that never left is not sent.
    assert set(told) == {"ok", "OutcomeUnknown temporary", "NotSent temporary"}
    assert sum(venue.processed.values()) == told["ok"] + told["OutcomeUnknown temporary"]


@pytest.mark.slow
async def test_in_a_storm_nobody_who_keeps_the_budget_sees_a_429():
    clock = DrivenClock()
    venue = Venue(clock)
    store = MemoryBudget(clock.stopwatch)
    processes = [venue.process(store, seed) for seed in range(3)]
    kinds = ["book"] * 120 + ["place"] * 20 + ["cancel"] * 10 + ["look_up"] * 10
    dice(5).shuffle(kinds)

    ended = await clock.run(
        *(call(processes[n % 3], kind, f"{kind} {n}") for n, kind in enumerate(kinds))
    )
    for process in processes:
        await process.aclose()

    assert venue.turned_away == 0
    assert set(ended) == {"ok", "held back"}
    by_kind = Counter(zip(kinds, ended, strict=True))
    assert by_kind["cancel", "held back"] == by_kind["look_up", "held back"] == 0
    assert by_kind["book", "held back"] > 0, "this was no storm"


async def test_new_orders_go_before_reads_that_asked_earlier():
    clock = DrivenClock()
    venue = Venue(clock)
    process = venue.process(MemoryBudget(clock.stopwatch))

    async def later() -> str:
        await clock.sleep(0.05)
        return await call(process, "place", "late")

    ended = await clock.run(*(call(process, "book") for _ in range(60)), later())
    await process.aclose()

    assert ended[-1] == "ok"
    assert "held back" in ended


@pytest.mark.slow
async def test_no_request_of_any_process_leaves_during_a_ban():
    clock = DrivenClock()
    venue = Venue(clock)
    store = MemoryBudget(clock.stopwatch)
    processes = [venue.process(store, seed) for seed in range(3)]

    async def ban() -> None:
        await clock.sleep(5.1)
        venue.banned_until = clock.now + 30

    work = [
        in_turn(clock, process, kind, 300)
        for process, kind in zip(processes, ["book", "place", "cancel"], strict=True)
    ]
    *ended, _ = await clock.run(*work, ban())
    for process in processes:
        await process.aclose()

    during = [at for at in venue.arrivals if 5.1 < at < 35.1]
    assert len(during) == venue.turned_away == 1, "one call learnt of it for all"
    assert any(at > 35.1 for at in venue.arrivals), "nobody came back"
    for calls in ended:
        assert calls[-1] == "ok"
        # Only the one that learnt of it may have heard the venue's own words.
        assert set(calls) <= {"ok", "held back", "NotSent rate_limited"}
    everything = Counter(one for calls in ended for one in calls)
    assert everything["NotSent rate_limited"] <= 1


async def test_a_throttle_without_words_is_answered_with_growing_silence():
    clock = DrivenClock()
    venue = Venue(clock)
    venue.left = -1e9
    venue.at = 0.0
    process = venue.process(MemoryBudget(clock.stopwatch))

    for _ in range(3):
        await clock.run(call(process, "look_up"))
    await process.aclose()

    pauses = [
        after - before for before, after in zip(venue.arrivals, venue.arrivals[1:], strict=False)
    ]
    assert pauses[:3] == [1, 2, 4]


async def test_an_order_says_quickly_that_it_was_not_sent():
    clock = DrivenClock()
    venue = Venue(clock)
    process = venue.process(MemoryBudget(clock.stopwatch))
    await store_is_spent(clock, process)
    began = clock.now

    results = await clock.run(*(call(process, "place", f"o{n}") for n in range(30)))
    await process.aclose()

    assert "held back" in results
    assert clock.now - began <= 0.5


async def store_is_spent(clock: DrivenClock, process: HttpTransport) -> None:
    ended = await clock.run(*(call(process, "cancel", f"c{n}") for n in range(int(BURST))))
    assert set(ended) == {"ok"}


async def test_a_caller_that_gives_up_leaves_the_budget_in_order():
    clock = DrivenClock()
    venue = Venue(clock)
    process = venue.process(MemoryBudget(clock.stopwatch))
    await store_is_spent(clock, process)
    waiting = asyncio.ensure_future(call(process, "book"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert await clock.run(call(process, "cancel", "x")) == ["ok"]
    await process.aclose()
    assert venue.turned_away == 0


def test_what_is_held_back_is_unsent_and_never_unknown():
    assert issubclass(HeldBack, NotSent)
    assert not issubclass(HeldBack, OutcomeUnknown)
