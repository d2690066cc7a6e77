"""What happens to the desk itself: told without risk, kept without changes."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from cqops.platform.telemetry import heartbeats, ops
from cqops.platform.telemetry.heartbeats import beat
from cqops.platform.telemetry.logs import request_id
from cqops.platform.telemetry.models import Heartbeat, OpsEvent
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import Journal, forget, tell
from tests import cast


def stored(days=0, **changes):
    at = timezone.now() - timedelta(days=days)
    values = {"process": "feeds", "severity": "info", "kind": "stream.reset", "words": "w"}
    return OpsEvent.objects.create(at=at, since=at, **values | changes)


@pytest.mark.django_db
class TestTelling:
    def test_an_event_says_what_where_and_about_which_thing(self, journal):
        tell("venue.away", "V is away.", severity=Severity.URGENT, labels={"venue": "v"})
        journal.flush()

        event = OpsEvent.objects.get()
        assert (event.kind, event.words, event.severity) == ("venue.away", "V is away.", "urgent")
        assert (event.labels, event.count, event.process) == ({"venue": "v"}, 1, "command")

    def test_repeats_are_one_line_with_their_number(self, journal):
        for _ in range(5):
            tell("stream.reset", "again")
        journal.flush(is_end=True)

        assert list(OpsEvent.objects.order_by("pk").values_list("count", flat=True)) == [1, 4]

    def test_it_carries_the_request_that_caused_it(self, journal):
        token = request_id.set("the-request")
        tell("a.b", "w")
        request_id.reset(token)
        journal.flush()

        assert OpsEvent.objects.get().request_id == "the-request"

    def test_secrets_and_what_a_column_cannot_hold_stay_out(self, journal):
        tell(
            "a.b",
            "password=hunter2 \x00" + "x" * 900,
            labels={"api_key": "k", "at": "Bearer abcdef"},
        )
        journal.flush()

        event = OpsEvent.objects.get()
        assert "hunter2" not in event.words
        assert len(event.words) == 500
        assert event.labels == {"api_key": "[redacted]", "at": "Bearer [redacted]"}

    def test_nothing_that_goes_wrong_reaches_whoever_tells(self, journal, monkeypatch, caplog):
        monkeypatch.setattr(journal, "take", lambda note: 1 / 0)

        tell("a.b", "w")

        assert "an ops event was not taken" in caplog.text


class Away:
    """A database that is away until the test brings it back."""

    def __init__(self):
        self.is_away = True
        self.written = []

    def __call__(self, notes):
        if self.is_away:
            message = "password=hunter2"
            raise OperationalError(message)
        self.written += notes


class TestWhileTheDatabaseIsAway:
    @pytest.fixture
    def database(self):
        return Away()

    def test_notes_wait_in_order_and_are_written_when_it_is_back(
        self, database, monkeypatch, caplog
    ):
        waiting = Journal(write=database)
        monkeypatch.setattr(ops, "journal", waiting)
        for word in ("first", "second", "third"):
            tell("a.b", word)
            assert not waiting.flush()
        database.is_away = False

        assert waiting.flush()
        assert [one.words for one in database.written] == ["first", "second", "third"]
        assert caplog.text.count("ops events wait") == 1

    def test_the_buffer_is_bounded_and_keeps_the_oldest(self, database, monkeypatch):
        waiting = Journal(write=database, room=2)
        monkeypatch.setattr(ops, "journal", waiting)
        for word in ("first", "second", "third", "fourth"):
            tell("a.b", word)
            waiting.flush()
        database.is_away = False
        waiting.flush()

        assert [one.words for one in database.written] == ["first", "second"]
        assert waiting.dropped == 2

    def test_what_can_never_be_written_holds_up_nothing_else(self, monkeypatch, caplog):
        def refuses(notes):
            message = "value too long"
            raise IntegrityError(message)

        broken = Journal(write=refuses)
        monkeypatch.setattr(ops, "journal", broken)
        tell("a.b", "w")

        assert broken.flush()
        assert "1 ops events could not be written and are dropped" in caplog.text


@pytest.mark.django_db(transaction=True)
class TestTheThread:
    def test_it_writes_what_is_told_inside_a_transaction_that_is_taken_back(self, monkeypatch):
        real = Journal()
        monkeypatch.setattr(ops, "journal", real)
        with transaction.atomic():
            tell("a.b", "told all the same")
            real.end()
            transaction.set_rollback(True)

        assert OpsEvent.objects.get().words == "told all the same"

    def test_an_end_does_not_wait_for_a_database_that_hangs(self, monkeypatch):
        hangs = threading.Event()
        journal = Journal(write=lambda notes: hangs.wait(4))
        monkeypatch.setattr(ops, "journal", journal)
        tell("a.b", "w")
        before = timezone.now()

        journal.end(patience=0.05)

        assert timezone.now() - before < timedelta(seconds=2)
        hangs.set()


@pytest.mark.django_db
class TestKeeping:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE telemetry_opsevent SET words = 'other'",
            "DELETE FROM telemetry_opsevent",
            "TRUNCATE telemetry_opsevent",
        ],
    )
    def test_the_database_refuses_every_change(self, change):
        stored(days=400)
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)

    def test_retention_forgets_what_is_old_enough(self, settings):
        settings.OPS_EVENTS_KEEP_DAYS = 30
        stored(days=31)
        kept = [stored(days=29), stored()]

        assert forget(now=timezone.now()) == 1
        assert set(OpsEvent.objects.all()) == set(kept)

    def test_retention_never_reaches_the_last_day_whatever_it_is_asked(self):
        stored()
        with connection.cursor() as cursor:
            cursor.execute("SELECT telemetry_forget_ops_events(now() + interval '9 years')")
            assert cursor.fetchone() == (0,)

    def test_after_retention_deleting_is_refused_again(self):
        stored(days=400)
        forget(now=timezone.now())
        stored(days=400)
        with pytest.raises(IntegrityError), transaction.atomic():
            OpsEvent.objects.all().delete()

    def test_the_retention_setting_does_not_open_the_last_day_to_anybody(self):
        stored()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL cqops.ops_retention = 'on'")
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute("DELETE FROM telemetry_opsevent")


@pytest.mark.django_db
class TestProcesses:
    @pytest.fixture(autouse=True)
    def _feeds(self, monkeypatch):
        monkeypatch.setattr(ops, "_me", "feeds")
        monkeypatch.setattr(heartbeats, "_first", heartbeats._First())

    def _before(self):
        Heartbeat.objects.create(process="feeds", at=cast.NOON, started_at=cast.NOON)

    def test_the_first_beat_finds_that_the_one_before_was_killed(self, journal):
        self._before()
        beat("feeds")
        beat("feeds")
        journal.flush(is_end=True)

        event = OpsEvent.objects.get()
        assert (event.kind, event.severity, event.count) == ("process.restarted", "attention", 1)

    def test_one_that_said_that_it_stops_is_no_restart(self, journal):
        self._before()
        stored(kind="process.stopped", process="feeds")
        beat("feeds")
        journal.flush()

        assert not OpsEvent.objects.filter(kind="process.restarted").exists()

    def test_the_first_start_ever_is_none_either(self, journal):
        beat("feeds")
        journal.flush()

        assert not OpsEvent.objects.exists()

    def test_an_end_is_told_once_and_says_what_broke(self, journal, monkeypatch):
        monkeypatch.setattr(journal, "end", lambda: journal.flush(is_end=True))
        ops.stopped(because="no more room")
        ops.stopped()

        event = OpsEvent.objects.get()
        assert (event.kind, event.severity) == ("process.failed", "urgent")
        assert event.words == "The process feeds broke: no more room"
