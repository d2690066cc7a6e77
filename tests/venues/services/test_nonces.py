from __future__ import annotations

import asyncio
import uuid

import pytest
from redis.exceptions import ConnectionError as RedisAway

from cqops.platform.live.redis import client
from venues.services import nonces
from venues.services.nonces import RedisLease, send_gate
from venues.transport.gate import LeaseAway, Unit
from venues.transport.operation import Priority

NOW = 1_700_000_000_123_456_789


@pytest.fixture
def venue():
    name = f"venue-{uuid.uuid4()}"
    yield name
    for key in client().scan_iter(f"{nonces.PREFIX}:{{{name}:*"):
        client().delete(key)


async def test_one_holds_it_and_the_next_gets_a_higher_nonce_to_the_last_digit(venue):
    one, other = RedisLease(venue, "k"), RedisLease(venue, "k")

    first = await one.take(NOW)
    assert await other.take(NOW) is None
    await one.give_back()
    second = await other.take(5)

    assert (first, second) == (NOW + 1, NOW + 2)


async def test_a_holder_that_slept_past_its_lease_ends_nobody_elses(venue):
    slow, quick = RedisLease(venue, "k"), RedisLease(venue, "k")
    await slow.take(1)
    client().delete(slow._held)
    await quick.take(1)

    await slow.give_back()

    assert await RedisLease(venue, "k").take(1) is None


async def test_the_lease_ends_by_itself(venue):
    lease = RedisLease(venue, "k")
    await lease.take(1)

    assert 0 < client().pttl(lease._held) <= nonces.LEASE_MILLISECONDS


async def test_gates_of_many_processes_give_out_rising_nonces(venue, monkeypatch):
    gates = [send_gate(venue, "k", Unit.MILLISECONDS) for _ in range(3)]
    given: list[int] = []

    async def go(gate) -> None:
        async with gate.passage(Priority.RESCUE) as passage:
            given.append(passage.nonce)

    await asyncio.gather(*(go(gate) for gate in gates for _ in range(4)))

    assert len(given) == 12
    assert given == sorted(set(given))


async def test_a_redis_that_is_away_is_said_to_be(venue, monkeypatch):
    def away(_operation):
        raise RedisAway

    monkeypatch.setattr(nonces, "ask", away)
    with pytest.raises(LeaseAway):
        await RedisLease(venue, "k").take(1)

    async with send_gate(venue, "k", Unit.NANOSECONDS).passage(Priority.ORDER) as passage:
        assert passage.nonce > NOW
