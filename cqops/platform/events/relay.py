"""From the outbox to the streams: at least once, and in order for each aggregate.

One relay works at a time, in one transaction a batch: what it published and could not write down is
published again by the next. Redis being away is nobody's fault and costs no event an attempt. An event
that Redis refuses is tried again with growing pauses, and is a dead letter after some tries; meanwhile
later events of the same aggregate wait, and those of all others do not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cqops.platform.events.models import Event
from cqops.platform.events.schemas import registered
from cqops.platform.events.streams import START, Away, CannotPublish, Lost, Streams
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell

log = logging.getLogger(__name__)
LOCK = 0x6576656E  # "even"; any number that nobody else uses
BATCH = 500
LOOK_BACK = 200
LONGEST_REST = 5.0
LOOK_AFTER_SECONDS = 10.0
LONGEST_PAUSE = timedelta(minutes=5)
DUE = """
    SELECT event.* FROM events_event event
    WHERE event.published_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM events_event trouble
        WHERE trouble.aggregate = event.aggregate
        AND trouble.aggregate_id = event.aggregate_id
        AND trouble.published_at IS NULL AND trouble.attempts > 0 AND trouble.id <= event.id
        AND (trouble.is_dead OR trouble.next_try_at > %s)
    )
    ORDER BY event.id LIMIT %s
"""
PUBLISHED = """
    UPDATE events_event event
    SET published_at = %s, message_id = told.message_id, error = ''
    FROM unnest(%s::bigint[], %s::text[]) AS told(id, message_id)
    WHERE event.id = told.id
"""


class Relay:
    def __init__(self, streams: Streams | None = None) -> None:
        self._streams = streams
        self._pause = 0.0
        self._again_at = 0.0
        self._look_after = 0.0

    def run(self) -> int:
        """Publish what is due; 0 also while Redis is away or another relay works."""
        total = 0
        if time.monotonic() < self._again_at:
            return total
        try:
            while True:
                done, is_more = self._batch()
                total += done
                if not is_more:
                    break
        except Away as error:
            self._rest(error)
        else:
            if self._pause:
                tell("redis.back", "Redis is back: events are published again.")
            self._pause = 0.0
        return total

    def _rest(self, error: Away) -> None:
        """Leave Redis alone for a moment, and look at what it still has when it is back."""
        if not self._pause:
            log.warning("Redis is away, events wait in the outbox: %s", error)
            words = "Redis is away: events wait in the outbox."
            tell("redis.away", words, severity=Severity.URGENT)
        self._pause = min(self._pause * 2 or 0.5, LONGEST_REST)
        self._again_at = time.monotonic() + self._pause
        self._look_after = 0.0

    def _batch(self) -> tuple[int, bool]:
        """Take one batch; what was published before a failure is still written down."""
        done, is_more = 0, False
        away: Away | None = None
        with transaction.atomic():
            if not _is_mine():
                return 0, False
            due = list(Event.objects.raw(DUE, [timezone.now(), BATCH]))
            for aggregate, events in _by_aggregate(due, also=self._to_look_after()):
                try:
                    done += self._publish(aggregate, events)
                except Lost:
                    is_more = self._bring_back(aggregate) or is_more
                except Away as error:
                    away = error
                    break
        if away is not None:
            raise away
        return done, is_more or (len(due) == BATCH and done > 0)

    def _to_look_after(self) -> set[str]:
        """Name every stream now and then: one may lose its end while nothing new is written to it."""
        if time.monotonic() < self._look_after:
            return set()
        self._look_after = time.monotonic() + LOOK_AFTER_SECONDS
        return {schema.aggregate for schema in registered().values()}

    def _publish(self, aggregate: str, events: Sequence[Event]) -> int:
        """Publish all of one stream in one step, or, where that is refused, each by itself."""
        try:
            self._append(aggregate, events)
        except CannotPublish:
            return self._one_by_one(aggregate, events)
        return len(events)

    def _one_by_one(self, aggregate: str, events: Sequence[Event]) -> int:
        held: set[str] = set()
        done = 0
        for event in events:
            if event.aggregate_id in held:
                continue
            try:
                self._append(aggregate, [event])
            except CannotPublish as error:
                held.add(event.aggregate_id)
                _failed(event, str(error))
            else:
                done += 1
        return done

    def _append(self, aggregate: str, events: Sequence[Event]) -> None:
        last = _published(aggregate).first()
        expected = last.message_id if last else START
        ids = self._open().append(aggregate, events, expected=expected)
        if events:
            with connection.cursor() as cursor:
                keys = [event.pk for event in events]
                cursor.execute(PUBLISHED, [timezone.now(), keys, ids])

    def _bring_back(self, aggregate: str) -> bool:
        """Put back into the outbox what a Redis that lost its newest entries no longer has."""
        lost: list[int] = []
        for events in _in_pieces(_published(aggregate)):
            there = self._open().survivors(aggregate, [event.message_id for event in events])
            lost += [event.pk for event in events if event.message_id not in there]
            if there or len(lost) >= settings.EVENTS_STREAM_LENGTH:
                break
        log.warning("Redis lost %d events of %s, they are published again", len(lost), aggregate)
        words = f"Redis lost events of {aggregate}; they are published again."
        tell("stream.lost", words, severity=Severity.ATTENTION, labels={"events": str(len(lost))})
        Event.objects.filter(pk__in=lost).update(published_at=None, message_id="")
        return bool(lost)

    def _open(self) -> Streams:
        if self._streams is None:
            self._streams = Streams.open()
        return self._streams


def _is_mine() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _by_aggregate(events: Iterable[Event], *, also: set[str]) -> Iterator[tuple[str, list[Event]]]:
    """Part a batch by stream; a stream that is only looked after gets nothing."""
    found: dict[str, list[Event]] = {aggregate: [] for aggregate in also}
    for event in events:
        found.setdefault(event.aggregate, []).append(event)
    yield from sorted(found.items())


def _published(aggregate: str) -> QuerySet[Event]:
    """List what was published of one kind of thing, the last first."""
    return Event.objects.filter(aggregate=aggregate, published_at__isnull=False).order_by(
        "-published_at", "-id"
    )


def _in_pieces(events: QuerySet[Event]) -> Iterator[list[Event]]:
    for start in range(0, settings.EVENTS_STREAM_LENGTH, LOOK_BACK):
        if not (found := list(events[start : start + LOOK_BACK])):
            return
        yield found


def _failed(event: Event, error: str) -> None:
    """Try again later, longer after each time, until it is a dead letter."""
    event.attempts += 1
    event.is_dead = event.attempts >= settings.EVENTS_TRIES
    event.next_try_at = timezone.now() + min(timedelta(seconds=2**event.attempts), LONGEST_PAUSE)
    event.error = error[:300]
    event.save(update_fields=["attempts", "is_dead", "next_try_at", "error"])
    if event.is_dead:
        log.error("event %s is a dead letter after %d tries: %s", event.pk, event.attempts, error)
        labels = {"event": str(event.pk), event.aggregate: event.aggregate_id}
        words = f"An event is a dead letter: {error}"
        tell("event.dead", words, severity=Severity.URGENT, labels=labels)


def redrive() -> int:
    """Try dead letters again from the beginning; their aggregates go on with them."""
    return Event.objects.filter(published_at=None, is_dead=True).update(
        is_dead=False, attempts=0, next_try_at=None, error=""
    )


def prune() -> int:
    """Forget events that were published long enough ago; what waits is kept however old it is."""
    before = timezone.now() - timedelta(days=settings.EVENTS_KEEP_DAYS)
    return Event.objects.filter(published_at__lt=before).delete()[0]


publish_waiting = Relay().run
