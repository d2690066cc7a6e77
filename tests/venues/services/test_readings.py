"""Recent calls of all processes, put together: percentiles, errors, and what is left."""

import uuid

import pytest
from redis.exceptions import RedisError

from cqops.platform.live.redis import client
from venues.services import readings
from venues.services.readings import BELIEVED_SECONDS, MINUTES, Readings, calls_of, said_of, whole

NOW = 1_000_000_000.0


class Wall:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def venue():
    name = f"venue-{uuid.uuid4()}"
    yield name
    for key in client().scan_iter(f"venue-*:{name}*"):
        client().delete(key)


@pytest.fixture
def wall():
    return Wall()


def test_the_calls_of_two_processes_add_up_by_operation(venue, wall):
    for process in (Readings(wall=wall), Readings(wall=wall)):
        for seconds in (0.010, 0.012, 0.500):
            process.called(venue, "place", "ok", seconds)
        process.called(venue, "place", "failed", 2.0)
        process.called(venue, "cancel", "ok", 0.1)
        process.write_out()

    place, cancel = calls_of(venue, now=NOW)

    assert (place.operation, place.count, place.bad) == ("place", 8, 2)
    assert place.error_percent == 25
    assert cancel.count == 2
    assert whole([place, cancel]).count == 10


def test_a_percentile_is_told_within_a_quarter(venue, wall):
    process = Readings(wall=wall)
    for milliseconds in range(1, 101):
        process.called(venue, "place", "ok", milliseconds / 1000)
    process.write_out()

    (place,) = calls_of(venue, now=NOW)

    assert 50 <= place.p50_ms <= 50 * 1.25
    assert 99 <= place.p99_ms <= 99 * 1.25


def test_a_refusal_is_an_answer_and_no_error(venue, wall):
    process = Readings(wall=wall)
    for outcome in ("ok", "refused", "rate limited", "no answer"):
        process.called(venue, "place", outcome, 0.1)
    process.write_out()

    assert calls_of(venue, now=NOW)[0].bad == 2


def test_what_is_older_than_the_last_minutes_is_not_shown(venue, wall):
    process = Readings(wall=wall)
    process.called(venue, "place", "ok", 0.1)
    process.write_out()

    assert calls_of(venue, now=NOW + 60 * (MINUTES - 1))
    assert calls_of(venue, now=NOW + 60 * MINUTES) == []


def test_what_a_process_says_is_shown_until_it_stops_saying_it(venue, wall):
    process = Readings(wall=wall)
    process.say(venue, "budget", "key:private", value=4.5, account="a")
    process.write_out()

    (said,) = said_of(venue, now=NOW)
    assert (said.name, said.value, said.account) == ("key:private", 4.5, "a")

    wall.now += BELIEVED_SECONDS
    assert said_of(venue, now=wall.now) == []
    process.write_out()
    assert len(said_of(venue, now=wall.now)) == 1


def test_while_redis_is_away_counting_goes_on_and_nothing_is_claimed(venue, wall, monkeypatch):
    process = Readings(wall=wall)
    process.called(venue, "place", "ok", 0.1)
    with monkeypatch.context() as patch:

        def away(_operation):
            raise RedisError

        patch.setattr(readings, "ask", away)
        assert process.write_out() == 0
        assert calls_of(venue, now=NOW) is None
        assert said_of(venue, now=NOW) is None

    process.called(venue, "place", "ok", 0.1)
    process.write_out()
    assert calls_of(venue, now=NOW)[0].count == 2


def test_minutes_that_are_over_before_redis_is_back_are_let_go(venue, wall, monkeypatch):
    process = Readings(wall=wall)
    process.called(venue, "place", "ok", 0.1)
    wall.now += 60 * (MINUTES + 1)
    with monkeypatch.context() as patch:

        def away(_operation):
            raise RedisError

        patch.setattr(readings, "ask", away)
        process.write_out()

    assert not process._counts
