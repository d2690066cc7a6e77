from __future__ import annotations

import pytest

from venues.transport.budget import (
    BAN_DOOR,
    KEY_DOOR,
    PUBLIC_DOOR,
    Bucket,
    Draw,
    Limits,
    MemoryBudget,
    StoreAway,
    Taken,
    WithFallback,
)
from venues.transport.operation import BOOK, CANCEL, LIST_FILLS, LOOK_UP, PLACE

LIMITS = Limits(
    buckets=(
        Bucket(name="private", per_second=1, burst=10),
        Bucket(name="public", per_second=2, burst=5, is_per_key=False, for_rescues=0, for_orders=0),
    ),
    weights={"list_fills": {"private": 2}, "cancel": {"private": 1}},
    otherwise={"private": 1},
    unsigned={"public": 1},
)


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def take(store, operation, *, is_signed=True) -> Taken:
    return await store.take(LIMITS.draws(operation, is_signed=is_signed))


async def count(store, operation) -> int:
    """Take until the store says wait."""
    taken = 0
    while (await take(store, operation)).wait <= 0:
        taken += 1
        assert taken < 1000, "this budget is unlimited"
    return taken


async def test_reads_leave_the_shares_of_orders_and_rescues_alone():
    assert await count(MemoryBudget(Watch()), BOOK) == 6


async def test_orders_leave_the_share_of_rescues_alone():
    assert await count(MemoryBudget(Watch()), PLACE) == 8


@pytest.mark.parametrize("rescue", [CANCEL, LOOK_UP])
async def test_a_rescue_goes_when_nobody_else_may(rescue):
    store = MemoryBudget(Watch())
    await count(store, BOOK)
    await count(store, PLACE)

    assert (await take(store, BOOK)).wait > 0
    assert (await take(store, PLACE)).wait > 0
    assert await count(store, rescue) == 2


async def test_it_says_when_to_come_back_and_keeps_its_word():
    watch = Watch()
    store = MemoryBudget(watch)
    await count(store, LIST_FILLS)

    wait = (await take(store, LIST_FILLS)).wait
    watch.now += wait - 0.001
    assert (await take(store, LIST_FILLS)).wait > 0
    watch.now += 0.002
    assert (await take(store, LIST_FILLS)).wait == 0


async def test_an_operation_that_weighs_more_takes_more():
    assert await count(MemoryBudget(Watch()), LIST_FILLS) == 3


async def test_nothing_is_paid_where_one_bucket_is_short():
    store = MemoryBudget(Watch())
    both = [
        Draw(key="key:a", burst=10, weight=1),
        Draw(key="key:b", burst=1, weight=1),
    ]
    await store.take(both)
    refused = await store.take(both)

    assert refused.wait > 0
    assert refused.left["key:a"] == 9


async def test_a_bucket_never_holds_more_than_its_burst():
    watch = Watch()
    store = MemoryBudget(watch)
    await count(store, CANCEL)
    watch.now += 1e6

    assert await count(store, CANCEL) == 10


async def test_a_ban_closes_the_key_for_everybody_even_for_a_cancel():
    watch = Watch()
    store = MemoryBudget(watch)
    await store.close(LIMITS.draws(BOOK, is_signed=True), 30)

    for operation in (BOOK, PLACE, CANCEL, LOOK_UP):
        taken = await take(store, operation)
        assert (taken.wait, taken.is_closed) == (30, True)
    watch.now += 30
    assert (await take(store, CANCEL)).wait == 0


async def test_a_shorter_ban_never_ends_a_longer_one():
    store = MemoryBudget(Watch())
    await store.close([Draw(key=KEY_DOOR)], 30)
    await store.close([Draw(key=KEY_DOOR)], 1)

    assert (await take(store, BOOK)).wait == 30


async def test_a_public_throttle_stops_no_signed_call_but_a_ban_of_the_address_does():
    store = MemoryBudget(Watch())
    await store.close([Draw(key=PUBLIC_DOOR)], 30)
    assert (await take(store, CANCEL)).wait == 0
    assert (await take(store, BOOK, is_signed=False)).wait == 30

    await store.close([Draw(key=BAN_DOOR)], 60)
    assert (await take(store, CANCEL)).wait == 60


async def test_the_venues_count_may_lower_ours_and_never_raise_it():
    store = MemoryBudget(Watch())
    draw = LIMITS.draws(CANCEL, is_signed=True)[2]

    await store.lower(draw, 3)
    await store.lower(draw, 9)

    assert await count(store, CANCEL) == 3


async def test_two_keys_share_only_what_is_the_address():
    store = MemoryBudget(Watch())
    one, other = store.of("one"), store.of("other")
    await count(one, CANCEL)
    assert await count(other, CANCEL) == 10

    for _ in range(5):
        await take(one, BOOK, is_signed=False)
    assert (await take(other, BOOK, is_signed=False)).wait > 0


@pytest.mark.parametrize(
    "declared",
    [
        lambda: Bucket(name="x", per_second=0, burst=5),
        lambda: Bucket(name="x", per_second=1, burst=5, for_rescues=0.5, for_orders=0.5),
        lambda: Limits(otherwise={"nowhere": 1}),
        lambda: Limits(
            buckets=(Bucket(name="x", per_second=1, burst=2),), weights={"book": {"x": 2}}
        ),
    ],
    ids=["no pace", "all kept back", "no such bucket", "too heavy"],
)
def test_limits_that_would_let_nothing_through_are_refused_when_declared(declared):
    with pytest.raises(ValueError, match=r"bucket"):
        declared()


def test_a_window_can_never_hold_more_than_the_venue_counts():
    bucket = Bucket.window("weight", most=6000, seconds=60, burst=1200)

    assert bucket.burst + bucket.per_second * 60 == pytest.approx(6000)


class Away:
    """A shared store that can be switched off."""

    def __init__(self, inner: MemoryBudget) -> None:
        self.inner = inner
        self.is_away = False

    def _answer(self) -> None:
        if self.is_away:
            raise StoreAway

    async def take(self, draws):
        self._answer()
        return await self.inner.take(draws)

    async def close(self, draws, seconds):
        self._answer()
        await self.inner.close(draws, seconds)

    async def lower(self, draw, left):
        self._answer()
        await self.inner.lower(draw, left)


def with_fallback(watch: Watch) -> tuple[WithFallback, Away]:
    shared = Away(MemoryBudget(watch))
    return WithFallback(shared, MemoryBudget(watch, share=0.1, starts_full=False)), shared


async def test_without_the_shared_store_a_process_keeps_to_its_own_fraction():
    watch = Watch()
    store, shared = with_fallback(watch)
    await take(store, CANCEL)
    shared.is_away = True

    assert await count(store, CANCEL) == 0
    taken = 0
    for _ in range(1000):
        watch.now += 0.1
        taken += await count(store, CANCEL)
    assert 9 <= taken <= 10


async def test_a_store_that_comes_and_goes_gives_no_second_burst():
    watch = Watch()
    store, shared = with_fallback(watch)
    await count(store, CANCEL)
    taken = 0
    for _ in range(50):
        shared.is_away = not shared.is_away
        taken += await count(store, CANCEL)

    assert taken == 0


async def test_losing_the_shared_store_ends_no_ban():
    watch = Watch()
    store, shared = with_fallback(watch)
    await store.close(LIMITS.draws(BOOK, is_signed=True), 30)
    shared.is_away = True

    assert (await take(store, CANCEL)).is_closed

    shared.is_away = False
    shared.inner = MemoryBudget(watch)
    watch.now += 29
    assert (await take(store, CANCEL)).is_closed
    watch.now += 1
    assert (await take(store, CANCEL)).wait == 0


async def test_a_ban_heard_while_the_shared_store_is_away_holds_here():
    store, shared = with_fallback(Watch())
    shared.is_away = True
    await store.close(LIMITS.draws(BOOK, is_signed=True), 30)
    shared.is_away = False

    assert (await take(store, BOOK)).wait == 30
