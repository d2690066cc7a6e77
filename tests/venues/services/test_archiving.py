"""The raw archive: written off the path, once, by the day, and never at the price of an order."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues.models import ArchiveDay, MarketWindow, RawFrame
from venues.services import archiving
from venues.services.archiving import Archive, Window, forget_days, keep_days, make_days
from venues.services.frames import of_order
from venues.services.spool import Spool
from venues.transport.tap import Direction, Kind, Raw

ACCOUNT = uuid.UUID(int=7)
CANARY = "hunter2-canary-archive"


def raw(body=b'{"order_id":"v-000001"}', *, at=None, kind=Kind.ANSWER, reference="desk-0001"):
    return Raw(
        direction=Direction.RECEIVED,
        kind=kind,
        at=cast.NOON.timestamp() if at is None else at,
        body=body,
        line="POST /orders",
        status=200,
        operation="place",
        reference=reference,
    )


@pytest.fixture
def spool(tmp_path):
    made = Spool(tmp_path / "kept", most_bytes=100_000)
    yield made
    made.close()


@pytest.fixture
def archive(spool):
    return Archive(spool=spool)


class Away:
    """A database that is away until it is back."""

    def __init__(self):
        self.is_away = True
        self.tries = 0

    def __call__(self, frames):
        self.tries += 1
        if self.is_away:
            raise OperationalError
        archiving.write_frames(frames)


def told(journal):
    journal.flush(is_end=True)
    return list(OpsEvent.objects.order_by("pk").values_list("kind", "severity"))


@pytest.mark.django_db
def test_a_frame_is_found_by_our_id_and_by_the_venues_of_its_own_account_alone(archive):
    archive.tap("venue", ACCOUNT).note(raw())
    archive.tap("venue", uuid.UUID(int=8)).note(raw())

    assert archive.write_out() == 2

    for name in ("desk-0001", "V-000001"):
        (found,) = of_order(
            venue="venue", account=ACCOUNT, names=[name], since=cast.NOON, until=cast.NOON
        )
        assert (found.account, found.operation, found.status) == (ACCOUNT, "place", 200)
        assert found.at == cast.NOON
        assert found.text == '{"order_id":"v-000001"}'


@pytest.mark.django_db
def test_noting_touches_no_database(archive, django_assert_num_queries):
    with django_assert_num_queries(0):
        archive.tap("venue", ACCOUNT).note(raw())
        archive.want_window(
            Window(venue="venue", symbol="BTC-USD", reference="desk-0001", around=cast.NOON)
        )


@pytest.mark.django_db
def test_a_secret_is_taken_out_before_anything_is_written(archive):
    archive.tap("venue", ACCOUNT).note(raw(f'{{"passphrase":"{CANARY}"}}'.encode()))

    archive.write_out()

    assert CANARY not in str(RawFrame.objects.values_list("text", "names", "line").get())


@pytest.mark.django_db
def test_what_postgresql_cannot_hold_is_kept_without_it(archive):
    archive.tap("venue", ACCOUNT).note(raw(b'{"note":"a\x00b\xff"}'))

    assert archive.write_out() == 1
    assert RawFrame.objects.get().text.startswith('{"note":"ab')


@pytest.mark.django_db
def test_an_answer_that_repeats_the_one_before_is_kept_as_a_reference(archive):
    long, other = (b'{"orders":["%s"]}' % (letter * 300) for letter in (b"v", b"w"))
    tap = archive.tap("venue", ACCOUNT)
    for number, body in enumerate([long, long, other, long]):
        tap.note(raw(body, at=cast.NOON.timestamp() + number))
    archive.tap("venue", uuid.UUID(int=8)).note(raw(long, at=cast.NOON.timestamp() + 9))

    archive.write_out()

    first, again, changed, back, anothers = RawFrame.objects.order_by("at")
    assert (again.same_as, again.text, again.names) == (first.pk, "", [])
    assert [one.same_as for one in (first, changed, back, anothers)] == [None] * 4
    assert back.text == first.text
    assert ArchiveDay.objects.get().bytes == 4 * len(long)


@pytest.mark.django_db
def test_a_reference_never_leads_to_another_day_or_to_what_was_lost(archive):
    body, noon = b'{"orders":["%s"]}' % (b"v" * 300), cast.NOON.timestamp()
    tap = archive.tap("venue", ACCOUNT)
    for day in range(2):
        tap.note(raw(body, at=noon + day * 86_400))
    archive.write_out()
    archive._lose("venue", 1, "a test")
    tap.note(raw(body, at=noon + 86_401))
    archive.write_out()

    assert not RawFrame.objects.exclude(same_as=None).exists()


@pytest.mark.django_db
def test_a_day_adds_up_what_its_venue_brought(archive):
    for _ in range(3):
        archive.tap("venue", ACCOUNT).note(raw(b"12345"))

    archive.write_out()

    day = ArchiveDay.objects.get(venue="venue", day=cast.NOON.date())
    assert (day.frames, day.bytes, day.public_bytes) == (3, 15, 0)


@pytest.mark.django_db
def test_while_the_database_is_away_frames_wait_in_a_file_and_are_in_the_archive_once_after(
    spool, journal
):
    database = Away()
    archive = Archive(spool=spool, write=database)
    archive.tap("venue", ACCOUNT).note(raw())

    assert archive.write_out() == 0
    assert spool.size > 0
    assert not RawFrame.objects.exists()

    database.is_away = False
    archive.tap("venue", ACCOUNT).note(raw(reference="desk-0002"))
    archive.write_out()
    archive.write_out()

    references = RawFrame.objects.order_by("number").values_list("reference", flat=True)
    assert list(references) == ["desk-0001", "desk-0002"]
    assert spool.size == 0
    kinds = [kind for kind, _ in told(journal)]
    assert kinds == ["archive.away", "archive.back", "archive.healed"]


@pytest.mark.django_db
def test_what_is_kept_in_a_file_is_read_back_though_nothing_is_sent_any_more(spool):
    database = Away()
    now = [100.0]
    archive = Archive(spool=spool, write=database, stopwatch=lambda: now[0])
    archive.tap("venue", ACCOUNT).note(raw())
    archive.write_out()
    database.is_away = False

    archive.write_out()
    assert not RawFrame.objects.exists(), "a database that was away a moment ago is not asked again"

    now[0] += archiving.TRY_AGAIN_SECONDS
    archive.write_out()
    assert RawFrame.objects.count() == 1
    assert spool.size == 0


def test_a_database_that_is_away_is_waited_for_once_a_round(spool):
    database = Away()
    archive = Archive(spool=spool, write=database)
    for _ in range(3 * archiving.BATCH):
        archive.tap("venue", ACCOUNT).note(raw(b"{}", reference=""))

    archive.write_out()

    assert database.tries == 1


@pytest.mark.django_db
def test_what_fits_nowhere_is_counted_and_told_as_urgent(tmp_path, journal):
    small = Spool(tmp_path / "small", most_bytes=10)
    archive = Archive(spool=small, write=Away())
    archive.tap("venue", ACCOUNT).note(raw())

    archive.write_out()
    small.close()

    assert ("archive.lost", "urgent") in told(journal)


@pytest.mark.django_db
def test_a_frame_no_table_takes_costs_only_itself(spool, journal, monkeypatch):
    archive = Archive(spool=spool)
    archive.tap("venue", ACCOUNT).note(raw())
    archive.tap("v" * 60, ACCOUNT).note(raw())

    assert archive.write_out() == 1
    assert RawFrame.objects.get().venue == "venue"
    assert ("archive.lost", "urgent") in told(journal)


@pytest.mark.django_db
def test_a_frame_whose_commit_was_not_heard_of_is_kept_once_and_counted_once(spool):
    def write(frames):
        archiving.write_frames(frames)
        if not spool.size:
            raise OperationalError

    archive = Archive(spool=spool, write=write)
    archive.tap("venue", ACCOUNT).note(raw())
    archive.write_out()
    archive.tap("venue", ACCOUNT).note(raw(reference="desk-0002"))
    archive.write_out()

    assert RawFrame.objects.count() == 2
    assert ArchiveDay.objects.get().frames == 2


@pytest.mark.django_db
def test_a_window_is_asked_for_with_the_next_round(archive):
    archive.want_window(
        Window(venue="venue", symbol="BTC-USD", reference="desk-0001", around=cast.NOON)
    )

    archive.write_out()
    archive.write_out()

    assert MarketWindow.objects.get().symbol == "BTC-USD"


class TestDays:
    """Native partitions, made ahead, gone only as a whole."""

    @pytest.fixture(autouse=True)
    def _fresh(self, db, monkeypatch):
        monkeypatch.setattr(archiving, "_made", set())

    def partitions(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid"
                " WHERE inhparent = 'venues_rawframe'::regclass"
            )
            return {name.removeprefix("venues_rawframe_") for (name,) in cursor.fetchall()}

    def test_beat_makes_the_days_ahead_and_doing_it_again_makes_none(self):
        now = datetime(2031, 5, 1, 23, 59, tzinfo=UTC)

        made, _ = keep_days(now=now)

        assert made == 8
        assert {"20310501", "20310508"} <= self.partitions()
        assert keep_days(now=now)[0] == 0

    def test_a_day_nobody_made_is_made_by_whoever_writes(self, archive):
        far = datetime(2032, 7, 1, 12, tzinfo=UTC)
        archive.tap("venue", ACCOUNT).note(raw(at=far.timestamp()))

        assert archive.write_out() == 1
        assert "20320701" in self.partitions()

    def test_retention_drops_whole_days_that_are_older_and_no_others(self, settings):
        old = datetime.now(UTC).date() - timedelta(days=400)
        make_days([old, old + timedelta(days=1)])

        assert forget_days(before=old + timedelta(days=1)) >= 1

        assert f"{old:%Y%m%d}" not in self.partitions()
        assert f"{old + timedelta(days=1):%Y%m%d}" in self.partitions()

    def test_nobody_can_make_it_forget_the_last_thirty_days(self):
        today = datetime.now(UTC).date()
        make_days([today, today - timedelta(days=29)])

        forget_days(before=date(2999, 1, 1))

        assert {f"{today:%Y%m%d}", f"{today - timedelta(days=29):%Y%m%d}"} <= self.partitions()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE venues_rawframe SET text = 'nothing happened'",
            "DELETE FROM venues_rawframe",
            "TRUNCATE venues_rawframe",
            "TRUNCATE venues_rawframe_20260302",
        ],
    )
    def test_the_database_refuses_to_change_what_is_kept(self, archive, statement):
        archive.tap("venue", ACCOUNT).note(raw())
        archive.write_out()

        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
        assert RawFrame.objects.count() == 1
