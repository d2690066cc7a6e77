"""The budget in Redis: the same answers as the pure one, and one budget for all processes."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from redis.exceptions import ConnectionError as RedisAway

from cqops.platform.live.redis import client
from tests.venues.transport.driven import dice
from venues.services import budget
from venues.services.budget import OWN_SHARE, RedisBudget, shared_budget
from venues.transport.budget import Bucket, Draw, Limits, MemoryBudget, StoreAway
from venues.transport.operation import BOOK, CANCEL, LIST_FILLS, PLACE

LIMITS = Limits(
    buckets=(
        Bucket(name="private", per_second=3, burst=12),
        Bucket(name="address", per_second=5, burst=20, is_per_key=False),
    ),
    weights={"list_fills": {"private": 2, "address": 5}, "cancel": {"private": 1}},
    otherwise={"private": 1, "address": 1},
)


class Watch:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def venue():
    name = f"venue-{uuid.uuid4()}"
    yield name
    for key in client().scan_iter(f"{budget.PREFIX}:{{{name}}}:*"):
        client().delete(key)


@pytest.mark.parametrize("seed", range(3))
async def test_it_answers_like_the_pure_budget_whatever_happens(venue, seed):
    throw = dice(seed)
    watch = Watch()
    shared = RedisBudget(venue, "k", clock=watch)
    pure = MemoryBudget(watch)

    for _ in range(120):
        draws = LIMITS.draws(throw.choice([BOOK, PLACE, CANCEL, LIST_FILLS]), is_signed=True)
        match throw.randrange(12):
            case 0:
                seconds = throw.random()
                await shared.close(draws, seconds)
                await pure.close(draws, seconds)
            case 1:
                left = throw.random() * 12
                await shared.lower(draws[2], left)
                await pure.lower(draws[2], left)
            case _:
                one, other = await shared.take(draws), await pure.take(draws)
                assert one.wait == pytest.approx(other.wait, abs=1e-4)
                assert one.is_closed == other.is_closed
                assert one.left == pytest.approx(other.left, abs=1e-4)
        watch.now += throw.random() / 3


async def test_many_processes_at_once_never_pay_with_the_same_token(venue):
    watch = Watch()
    processes = [RedisBudget(venue, "k", clock=watch) for _ in range(8)]
    draws = LIMITS.draws(CANCEL, is_signed=True)

    taken = await asyncio.gather(*(one.take(draws) for one in processes for _ in range(5)))

    assert sum(one.wait <= 0 for one in taken) == 12


async def test_a_ban_heard_by_one_process_holds_for_all(venue):
    await RedisBudget(venue, "k").close(LIMITS.draws(BOOK, is_signed=True), 60)

    taken = await RedisBudget(venue, "k").take(LIMITS.draws(CANCEL, is_signed=True))

    assert taken.is_closed
    assert 59 < taken.wait <= 60


async def test_another_key_shares_the_address_and_nothing_else(venue):
    watch = Watch()
    draws = LIMITS.draws(BOOK, is_signed=True)
    first = await RedisBudget(venue, "one", clock=watch).take(draws)
    second = await RedisBudget(venue, "two", clock=watch).take(draws)

    assert (first.left["key:private"], first.left["address:address"]) == (11, 19)
    assert (second.left["key:private"], second.left["address:address"]) == (11, 18)


async def test_what_is_full_again_is_forgotten(venue):
    await RedisBudget(venue, "k").take(LIMITS.draws(CANCEL, is_signed=True))

    key = f"{budget.PREFIX}:{{{venue}}}:k:private"
    assert 0 < client().pttl(key) < 3000


async def test_a_redis_that_is_away_is_said_to_be(venue, monkeypatch):
    def away(_operation):
        raise RedisAway

    monkeypatch.setattr(budget, "ask", away)
    with pytest.raises(StoreAway):
        await RedisBudget(venue, "k").take([Draw(key="key:door")])

    store = shared_budget(venue, "k")
    draws = LIMITS.draws(CANCEL, is_signed=True)
    taken = await store.take(draws)
    assert store.is_away
    assert taken.wait == pytest.approx(1 / (3 * OWN_SHARE), rel=0.01)
