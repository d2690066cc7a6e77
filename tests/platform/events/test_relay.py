"""Whatever is killed, and whenever: every event arrives at least once, in order for each aggregate."""

import random
import threading
from collections import defaultdict
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from cqops.platform.events import overview, relay, services
from cqops.platform.events.models import Event
from cqops.platform.events.relay import LOCK, Relay, prune
from cqops.platform.events.schemas import registered
from cqops.platform.events.status import lag
from cqops.platform.events.streams import Streams
from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from tests.platform.events.test_services import emit_moved

ORDERS = "events:order"


def entries(client, stream=ORDERS):
    return [event for _, event in client.xrange(stream)]


def numbers(client):
    return [int(event["id"]) for event in entries(client)]


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(relay, "LONGEST_REST", 0.0)


class Faulty:
    """Redis behind a wall: what it answers is decided by the test."""

    def __init__(self, real):
        self.real = real
        self.before = lambda words: None
        self.after = lambda words: None

    def eval(self, *words):
        self.before(words)
        answer = self.real.eval(*words)
        self.after(words)
        return answer

    def pipeline(self, **options):
        return self.real.pipeline(**options)


@pytest.fixture
def faulty(raw_redis):
    return Faulty(raw_redis)


@pytest.fixture
def working(faulty):
    made = Relay(Streams(faulty))
    made.run()
    return made


def away(words):
    message = "gone"
    raise RedisConnectionError(message)


def fails_for(*aggregate_ids):
    def fail(words):
        if any(one in words for one in aggregate_ids):
            message = "ERR this one is not welcome"
            raise ResponseError(message)

    return fail


@pytest.mark.django_db
class TestPublishing:
    def test_publishes_what_happened_in_order_and_once(self, working, raw_redis):
        events = [emit_moved(aggregate_id=str(n % 3)) for n in range(10)]

        assert working.run() == 10
        assert working.run() == 0
        assert numbers(raw_redis) == [event.pk for event in events]
        first = entries(raw_redis)[0]
        assert first["kind"] == "order.moved"
        assert first["payload"] == events[0].payload
        assert (first["version"], first["aggregate_id"]) == ("1", "0")

    def test_takes_as_many_batches_as_it_needs(self, working, raw_redis, monkeypatch):
        monkeypatch.setattr(relay, "BATCH", 7)
        for _ in range(30):
            emit_moved()

        assert working.run() == 30
        assert numbers(raw_redis) == sorted(numbers(raw_redis))

    def test_a_redis_that_is_away_costs_no_event_an_attempt(self, working, raw_redis, faulty):
        event = emit_moved()
        faulty.before = away
        assert working.run() == 0
        event.refresh_from_db()
        assert (event.attempts, event.published_at) == (0, None)

        faulty.before = lambda words: None
        assert working.run() == 1

    def test_an_answer_that_was_lost_makes_it_arrive_twice_and_never_not_at_all(
        self, working, raw_redis, faulty
    ):
        event = emit_moved()
        faulty.after = away
        working.run()
        faulty.after = lambda words: None

        assert working.run() == 1
        assert numbers(raw_redis) == [event.pk, event.pk]

    @pytest.mark.django_db(transaction=True)
    def test_only_one_relay_works_and_the_others_do_not_wait(self, working, raw_redis, monkeypatch):
        monkeypatch.setattr(services._bell, "ring", lambda: None)
        event = emit_moved()
        held, go_on = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                held.set()
                go_on.wait(4)
            connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(4)
        assert working.run() == 0
        go_on.set()
        thread.join()

        assert working.run() == 1
        assert numbers(raw_redis) == [event.pk]


@pytest.mark.django_db
class TestTrouble:
    def test_a_refused_event_holds_back_its_own_aggregate_only(self, working, raw_redis, faulty):
        faulty.before = fails_for("bad")
        bad = [emit_moved(aggregate_id="bad") for _ in range(2)]
        good = [emit_moved(aggregate_id=f"good-{n}") for n in range(3)]

        assert working.run() == 3
        assert numbers(raw_redis) == [event.pk for event in good]
        bad[0].refresh_from_db()
        bad[1].refresh_from_db()
        assert (bad[0].attempts, bad[1].attempts) == (1, 0)
        assert bad[0].next_try_at > timezone.now() + timedelta(seconds=1)
        assert "not welcome" in bad[0].error

    def test_it_is_tried_again_and_goes_on_in_order(self, working, raw_redis, faulty):
        faulty.before = fails_for("bad")
        bad = [emit_moved(aggregate_id="bad") for _ in range(3)]
        working.run()
        faulty.before = lambda words: None
        assert working.run() == 0

        Event.objects.update(next_try_at=timezone.now())
        assert working.run() == 3
        assert numbers(raw_redis) == [event.pk for event in bad]

    def test_many_that_wait_for_one_do_not_starve_the_others(
        self, working, raw_redis, faulty, monkeypatch
    ):
        monkeypatch.setattr(relay, "BATCH", 10)
        faulty.before = fails_for("bad")
        for _ in range(40):
            emit_moved(aggregate_id="bad")
        good = emit_moved(aggregate_id="good")

        working.run()
        working.run()

        assert numbers(raw_redis) == [good.pk]

    def test_after_its_tries_it_is_a_dead_letter_until_it_is_redriven(
        self, working, raw_redis, faulty, settings, capsys
    ):
        faulty.before = fails_for("bad")
        bad = [emit_moved(aggregate_id="bad") for _ in range(2)]
        for _ in range(settings.EVENTS_TRIES + 2):
            Event.objects.filter(attempts__gt=0).update(next_try_at=timezone.now())
            working.run()
        bad[0].refresh_from_db()
        assert bad[0].is_dead
        assert bad[0].attempts == settings.EVENTS_TRIES
        is_well, words = lag()
        assert not is_well
        assert words.endswith("; 1 dead letters: see manage.py events redrive")
        (row,) = overview.rows(cast.person(Role.ADMIN))
        assert row.count == 1
        assert "not welcome" in row.detail
        assert overview.rows(cast.person(Role.TRADER)) == []

        faulty.before = lambda words: None
        call_command("events", "redrive")
        assert "1 dead letters are tried again" in capsys.readouterr().out
        assert Entry.objects.get(action="events.redriven").after == {"events": 1}
        assert working.run() == 2
        assert numbers(raw_redis) == [event.pk for event in bad]
        assert lag() == (True, "0 waiting")

    def test_a_dead_letter_is_told_to_those_who_run_the_desk(
        self, working, faulty, settings, journal
    ):
        settings.EVENTS_TRIES = 1
        faulty.before = fails_for("bad")
        event = emit_moved(aggregate_id="bad")
        working.run()
        journal.flush()

        told = OpsEvent.objects.get()
        assert (told.kind, told.severity) == ("event.dead", "urgent")
        assert told.labels == {"event": str(event.pk), "order": "bad"}
        assert "not welcome" in told.words

    def test_redis_away_and_back_are_told_once_each(self, working, faulty, journal, monkeypatch):
        monkeypatch.setattr(relay, "LONGEST_REST", 5.0)
        faulty.before = away
        emit_moved()
        for _ in range(3):
            working._again_at = 0.0
            working.run()
        faulty.before = lambda words: None
        working._again_at = 0.0
        assert working.run() == 1
        working.run()
        journal.flush(is_end=True)

        told = OpsEvent.objects.order_by("pk").values_list("kind", "count")
        assert list(told) == [("redis.away", 1), ("redis.back", 1)]

    def test_a_key_of_another_type_is_trouble_of_its_stream_alone(self, working, raw_redis):
        raw_redis.set(ORDERS, "not a stream")
        event = emit_moved()

        assert working.run() == 0
        event.refresh_from_db()
        assert event.attempts == 1
        assert "WRONGTYPE" in event.error


@pytest.mark.django_db
class TestLostEntries:
    def test_what_a_killed_redis_forgot_is_published_again_before_anything_newer(
        self, working, raw_redis
    ):
        events = [emit_moved() for _ in range(6)]
        working.run()
        kept = raw_redis.xrange(ORDERS)[:3]
        raw_redis.delete(ORDERS)
        for key, fields in kept:
            raw_redis.xadd(ORDERS, fields, id=key)
        events.append(emit_moved())

        working.run()

        assert numbers(raw_redis) == [event.pk for event in events]

    def test_it_is_noticed_without_anything_new(self, working, raw_redis):
        events = [emit_moved() for _ in range(6)]
        working.run()
        raw_redis.delete(ORDERS)

        working._look_after = 0.0
        assert working.run() == 6
        assert numbers(raw_redis) == [event.pk for event in events]


class Load:
    """Several writers at once, each event under the lock of its aggregate, as services do."""

    def __init__(self, aggregates=12, writers=3, each=60):
        self.aggregates, self.writers, self.each = aggregates, writers, each

    def write(self):
        threads = [
            threading.Thread(target=self._writer, args=(number,)) for number in range(self.writers)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _writer(self, number):
        dice = random.Random(number)  # noqa: S311 -- the same load every time
        for _ in range(self.each):
            key = dice.randrange(self.aggregates)
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [77, key])
                emit_moved(aggregate_id=str(key))
        connection.close()


class Killed(BaseException):
    """The relay is gone between one step and the next."""


class Saboteur:
    """Kills the relay, cuts the line and makes Redis forget, at random but always the same way."""

    def __init__(self, client):
        self.client = client
        self.dice = random.Random(7)  # noqa: S311 -- the same failures every time
        self.failures = defaultdict(int)

    def before(self, words):
        self._perhaps(0.2, "away before", lambda: away(words))
        self._perhaps(0.1, "killed before", self._kill)

    def after(self, words):
        self._perhaps(0.2, "answer lost", lambda: away(words))
        self._perhaps(0.15, "killed after", self._kill)
        self._perhaps(0.1, "redis forgot", self._forget)

    def _perhaps(self, share, name, harm):
        if self.dice.random() < share:
            self.failures[name] += 1
            harm()

    def _kill(self):
        raise Killed

    def _forget(self):
        """Come back without the newest ten entries."""
        kept = self.client.xrange(ORDERS)[:-10]
        self.client.delete(ORDERS)
        for key, fields in kept:
            self.client.xadd(ORDERS, fields, id=key)


def run_through(working, faulty, *, until):
    """Run the relay, and a new one wherever it is killed."""
    while not until():
        try:
            working._look_after = 0.0
            working.run()
        except Killed:
            working = Relay(Streams(faulty))


def first_arrivals(client):
    """List the events of each aggregate as they arrived first."""
    found = defaultdict(list)
    for event in entries(client):
        if int(event["id"]) not in found[event["aggregate_id"]]:
            found[event["aggregate_id"]].append(int(event["id"]))
    return found


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_event_arrives_in_order_while_relay_and_redis_fail_at_random(
    raw_redis, faulty, monkeypatch
):
    monkeypatch.setattr(services._bell, "ring", lambda: None)
    monkeypatch.setattr(relay, "BATCH", 9)
    # Each stream that is looked after takes a command that may fail: with all of the desk's, none gets through.
    known = {kind: one for kind, one in registered().items() if one.aggregate == "order"}
    monkeypatch.setattr(relay, "registered", lambda: known)
    saboteur = Saboteur(raw_redis)
    faulty.before, faulty.after = saboteur.before, saboteur.after
    threads = Load().write()
    working = Relay(Streams(faulty))
    everything = Load().writers * Load().each

    def all_published():
        return Event.objects.exclude(published_at=None).count() == everything

    run_through(working, faulty, until=all_published)
    for thread in threads:
        thread.join()
    # Peace at last, and one more look at what Redis still has.
    faulty.before = faulty.after = lambda words: None
    Relay(Streams(faulty)).run()

    assert len(saboteur.failures) == 5
    arrived = first_arrivals(raw_redis)
    assert sum(len(keys) for keys in arrived.values()) == everything
    assert all(keys == sorted(keys) for keys in arrived.values())


@pytest.mark.django_db
class TestAround:
    def test_a_lag_turns_the_status_red(self):
        event = emit_moved()
        assert lag()[0]
        Event.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(minutes=1))

        is_good, words = lag()

        assert not is_good
        assert words.startswith("1 waiting, the oldest 60.")

    def test_published_events_are_forgotten_after_a_while_and_waiting_ones_never(
        self, working, settings
    ):
        old, young = emit_moved(), emit_moved()
        working.run()
        waiting = emit_moved()
        long_ago = timezone.now() - timedelta(days=settings.EVENTS_KEEP_DAYS, seconds=1)
        Event.objects.filter(pk=old.pk).update(published_at=long_ago)
        Event.objects.filter(pk=waiting.pk).update(at=long_ago)

        assert prune() == 1
        assert set(Event.objects.values_list("pk", flat=True)) == {young.pk, waiting.pk}
