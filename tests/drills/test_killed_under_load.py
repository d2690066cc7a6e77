"""Relay, worker and Redis are killed again and again while several programs place orders at once."""

import time
from contextlib import ExitStack

import psycopg
import pytest
import redis

from tests.drills.flow import Flow, VenueBooks, await_green, compare, variables_of
from tests.drills.test_kill_each_child import kill

WRITERS = 4
ROUNDS = 3
WORK_BETWEEN_KILLS = 2.0
VICTIMS = ("relay", "worker", "redis")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_event_arrives_in_order_when_what_carries_it_is_killed_under_load(desk):
    await_green(desk.url)
    known = last_event(desk.folder)
    with ExitStack() as stack:
        flows = [
            stack.enter_context(Flow(desk.url, desk.access["token"], pause=0.02))
            for _ in range(WRITERS)
        ]
        for _ in range(ROUNDS):
            for name in VICTIMS:
                time.sleep(WORK_BETWEEN_KILLS)
                kill(desk, name)
        for flow in flows:
            flow.stop()
        await_green(desk.url)
        orders = [order for flow in flows for order in flow.settle()]
        assert compare(orders, VenueBooks.read(desk.folder)) == []
        written = await_published(desk.folder, known)

    assert len(orders) > 100
    assert len(written) >= 2 * len(orders)
    assert lost_or_out_of_order(written, arrived(desk.folder)) == []


def outbox(folder, words, *values):
    with psycopg.connect(variables_of(folder)["DATABASE_URL"]) as database:
        return database.execute(words, values).fetchall()


def last_event(folder):
    return outbox(folder, "SELECT coalesce(max(id), 0) FROM events_event")[0][0]


def await_published(folder, known):
    """Return every event since, by its aggregate, once none waits any more."""
    deadline = time.monotonic() + 60
    while outbox(folder, "SELECT 1 FROM events_event WHERE published_at IS NULL LIMIT 1"):
        assert time.monotonic() < deadline, "events still wait to be published"
        time.sleep(0.2)
    assert not outbox(folder, "SELECT id FROM events_event WHERE is_dead")
    return outbox(
        folder,
        "SELECT aggregate, aggregate_id, id FROM events_event WHERE id > %s ORDER BY id",
        known,
    )


def arrived(folder):
    """Return what stands in the streams, with what stands there twice, as a consumer reads it."""
    with redis.Redis.from_url(variables_of(folder)["REDIS_URL"], decode_responses=True) as client:
        return [
            (stream.partition(":")[2], event["aggregate_id"], int(event["id"]))
            for stream in client.scan_iter("events:*", _type="stream")
            for _, event in client.xrange(stream)
        ]


def lost_or_out_of_order(written, there):
    """Name each event that never arrived, or arrived first after a newer one of its aggregate."""
    first_seen, newest, wrong = set(), {}, []
    for event in there:
        if event in first_seen:
            continue
        first_seen.add(event)
        aggregate, number = event[:2], event[2]
        if number < newest.get(aggregate, 0):
            wrong.append(f"{event} arrived after {newest[aggregate]}")
        newest[aggregate] = max(number, newest.get(aggregate, 0))
    return [*wrong, *(f"{event} was lost" for event in written if event not in first_seen)]


def test_the_judge_of_the_drill_sees_what_is_lost_and_what_is_out_of_order():
    written = [("order", "a", 1), ("order", "a", 2), ("order", "b", 3)]
    twice = [written[0], written[1], written[0], written[2], written[1]]

    assert lost_or_out_of_order(written, twice) == []
    assert lost_or_out_of_order(written, written[:2]) == ["('order', 'b', 3) was lost"]
    swapped = [written[1], written[0], written[2]]
    assert lost_or_out_of_order(written, swapped) == ["('order', 'a', 1) arrived after 2"]
