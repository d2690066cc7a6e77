"""Which tier answers, and when none but the database does. No server takes part here."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import ConnectionError as RedisAway

from assets.hot.kinds import DATABASE, HERE, REDIS, Cache, Found

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class FakeRedis:
    """Holds what is written until its time is over, by the desk's clock."""

    def __init__(self, world):
        self.world = world
        self.rows = {}
        self.is_away = False

    def ask(self, operation):
        if self.is_away:
            raise RedisAway
        return operation(self)

    def get(self, name):
        until, raw = self.rows.get(name, (NOW, None))
        return raw if until > self.world.now else None

    def set(self, name, raw, px):
        self.rows[name] = (self.world.now + timedelta(milliseconds=px), raw)


@dataclass
class World:
    """A database of one value, the clocks, and two processes that share a Redis."""

    value: str = "first"
    until: datetime | None = None
    now: datetime = NOW
    version: int = 1
    reads: list[object] = field(default_factory=list)

    def __post_init__(self):
        self.redis = FakeRedis(self)
        self.caches = []

    def process(self, size=10, **more):
        cache = Cache(
            **{"size": size, "redis": self.redis.ask, **more},
            clock=self.clock,
            now=lambda: self.now,
        )
        kind = cache.kind("thing", areas=["things"], ttl=10 * MINUTE, read=self.read, shape=str)
        cache.freshness.proven({"things": self.version}, until=10**6)
        self.caches.append(cache)
        return kind

    def clock(self):
        return (self.now - NOW).total_seconds()

    def read(self, key, now):
        self.reads.append(key)
        return Found(self.value, self.until)

    def write(self, value):
        self.value = value
        self.version += 1
        for cache in self.caches:
            cache.freshness.told("things", self.version)


@pytest.fixture
def world():
    return World()


def tiers(kind):
    return {tier: count for tier, count in kind.take_counts().items() if count}


def test_the_second_look_up_is_answered_here_and_the_other_process_by_redis(world):
    mine, other = world.process(), world.process()
    assert [mine.get("a"), mine.get("a"), other.get("a"), other.get("a")] == ["first"] * 4
    assert world.reads == ["a"]
    assert tiers(mine) == {DATABASE: 1, HERE: 1}
    assert tiers(other) == {REDIS: 1, HERE: 1}


def test_after_a_change_no_tier_answers_with_what_was_before(world):
    mine, other = world.process(), world.process()
    mine.get("a"), other.get("a")
    world.write("second")
    assert [mine.get("a"), other.get("a"), mine.get("a")] == ["second"] * 3
    assert world.reads == ["a", "a"]


def test_what_was_read_while_it_changed_is_not_kept(world):
    kind = world.process()

    def read_and_be_overtaken(key, now):
        found = World.read(world, key, now)
        world.write("second")
        return found

    kind._read = read_and_be_overtaken
    assert kind.get("a") == "first"
    kind._read = world.read
    assert kind.get("a") == "second"


def test_without_a_proof_the_database_answers_and_nothing_is_kept(world):
    kind = world.process()
    kind.get("a")
    world.caches[0].freshness.lost()
    world.value = "unheard of"
    assert [kind.get("a"), kind.get("b")] == ["unheard of"] * 2
    assert kind.held("a") is None
    assert len(kind) == 1
    assert len(world.redis.rows) == 1


def test_what_is_proven_again_unchanged_answers_at_once(world):
    kind = world.process()
    kind.get("a")
    world.caches[0].freshness.lost()
    world.caches[0].freshness.proven({"things": world.version}, until=10**6)
    assert kind.held("a") == "first"


def test_a_proof_grows_old(world):
    kind = world.process()
    world.caches[0].freshness.proven({}, until=3.0)
    kind.get("a")
    world.now += timedelta(seconds=4)
    assert kind.held("a") is None


def test_an_answer_ends_when_time_alone_changes_it(world):
    mine, other = world.process(), world.process()
    world.until = NOW + MINUTE
    mine.get("a"), other.get("a")
    world.value, world.until = "later", None
    world.now += MINUTE
    assert [mine.get("a"), other.get("a")] == ["later"] * 2
    assert world.reads == ["a", "a"]


def test_an_answer_is_kept_no_longer_than_its_kind_allows_in_whichever_tier(world):
    mine, other = world.process(), world.process()
    mine.get("a")
    world.now += 9 * MINUTE
    other.get("a")
    world.now += MINUTE
    assert mine.held("a") is other.held("a") is None
    other.get("a")
    assert world.reads == ["a", "a"]


def test_no_more_is_kept_here_than_there_is_room_for_and_the_oldest_goes(world):
    kind = world.process(size=3)
    for key in "abcdefg":
        kind.get(key)
    assert len(kind) == 3
    assert [key for key in "abcdefg" if kind.held(key)] == ["e", "f", "g"]


def test_without_room_here_redis_answers(world):
    kind = world.process(size=0)
    for _ in range(10):
        kind.get("a")
    assert tiers(kind) == {DATABASE: 1, REDIS: 9}


def test_while_redis_is_away_the_other_tiers_answer(world):
    kind = world.process()
    world.redis.is_away = True
    assert [kind.get("a"), kind.get("a")] == ["first"] * 2
    assert tiers(kind) == {DATABASE: 1, HERE: 1}
    world.redis.is_away = False
    assert world.process(redis=None).get("a") == "first"


def test_what_redis_holds_in_another_form_is_read_anew(world):
    kind = world.process(size=0)
    kind.get("a")
    for name in world.redis.rows:
        world.redis.rows[name] = (world.now + MINUTE, b"\x01")
    assert kind.get("a") == "first"
    assert tiers(kind) == {DATABASE: 2}


def test_what_is_not_there_is_looked_for_each_time(world):
    kind = world.process()
    world.value = None
    assert kind.get("a") is None
    world.value = "there now"
    assert kind.get("a") == "there now"


def test_a_kind_whose_area_the_database_does_not_tell_of_is_never_kept(world):
    kind = world.process()
    cache = world.caches[0]
    foreign = cache.kind(
        "foreign", areas=["things", "silent"], ttl=MINUTE, read=world.read, shape=str
    )
    kind.get("a"), foreign.get("a"), foreign.get("a")
    assert tiers(foreign) == {DATABASE: 2}
    assert len(foreign) == 0
