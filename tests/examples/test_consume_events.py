"""The example consumer is what programs start from, so it keeps its promises."""

import sqlite3

import pytest

from cqops.platform.events.relay import Relay
from cqops.platform.events.streams import Streams
from examples.consume_events import GROUP, Consumer
from tests.platform.events.conftest import raw_redis
from tests.platform.events.test_services import emit_moved

pytestmark = pytest.mark.django_db
STREAM = "events:order"
__all__ = ["raw_redis"]


@pytest.fixture
def publish(raw_redis):
    made = Relay(Streams(raw_redis))
    made.run()

    def some(count=3, **changes):
        events = [emit_moved(**changes) for _ in range(count)]
        made.run()
        return [event.pk for event in events]

    return some


@pytest.fixture
def store(tmp_path):
    opened = sqlite3.connect(tmp_path / "consumed.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def consumer(raw_redis, store):
    made = Consumer(raw_redis, store, [STREAM], "one")
    made.step(wait_ms=1)
    return made


def done(store):
    return [row[0] for row in store.execute("SELECT id FROM done ORDER BY id")]


def events_of(store, key="1"):
    row = store.execute("SELECT events FROM seen WHERE aggregate_id = ?", (key,)).fetchone()
    return row[0] if row else 0


def test_takes_everything_from_the_first_entry_and_acknowledges_it(
    publish, consumer, store, raw_redis
):
    published = publish(5)

    assert consumer.step(wait_ms=1) == 5
    assert done(store) == published
    assert events_of(store) == 5
    assert raw_redis.xpending(STREAM, GROUP)["pending"] == 0


def test_an_event_that_arrives_twice_takes_effect_once(publish, consumer, store, raw_redis):
    publish(1)
    (_, fields), *_ = raw_redis.xrange(STREAM)
    raw_redis.xadd(STREAM, fields)

    assert consumer.step(wait_ms=1) == 1
    assert events_of(store) == 1
    assert raw_redis.xpending(STREAM, GROUP)["pending"] == 0


def test_what_a_member_took_and_never_finished_is_taken_over(publish, consumer, store, raw_redis):
    published = publish(3)
    raw_redis.xreadgroup(GROUP, "dead", {STREAM: ">"})
    assert consumer.step(wait_ms=1) == 0

    consumer.abandoned_ms = 0
    assert consumer.step(wait_ms=1) == 3
    assert done(store) == published


def test_a_failure_in_its_own_work_leaves_the_event_to_come_again(publish, consumer, store):
    publish(1)
    real, consumer.apply = consumer.apply, None
    with pytest.raises(TypeError):
        consumer.step(wait_ms=1)
    assert done(store) == []

    consumer.apply, consumer.abandoned_ms = real, 0
    assert consumer.step(wait_ms=1) == 1
    assert events_of(store) == 1


def test_a_redis_that_came_back_empty_costs_nothing(publish, consumer, store, raw_redis):
    first = publish(2)
    consumer.step(wait_ms=1)
    raw_redis.delete(STREAM)
    second = publish(1)

    consumer.step(wait_ms=1)
    consumer.step(wait_ms=1)

    assert done(store) == [*first, *second]
    assert events_of(store) == 3
