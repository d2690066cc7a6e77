"""Writes what was on the wire into the archive: in batches, by one thread a process, off every call.

A call and a socket only put their copy in line (`venues.transport.tap`). While the database is away
copies go into a bounded file beside the process, are told of, and are read back once it is there. What
finds no room in line or in the file is counted and told as lost. Nothing here ever holds up an order.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import msgspec
from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models import F
from prometheus_client import Counter as Count

from cqops.platform.telemetry import ops
from cqops.platform.telemetry.notes import Severity
from venues.models import ArchiveDay, MarketWindow, RawFrame
from venues.services.naming import names_in
from venues.services.repeats import Latest
from venues.services.spool import Spool
from venues.transport.tap import Copy, Raw, Tap, redacted

log = logging.getLogger(__name__)
BATCH = 500
MOST_WINDOWS = 5_000
DAYS_AHEAD = 7
TRY_AGAIN_SECONDS = 5.0
MEGABYTE = 1024 * 1024
FRAMES = Count("cqops_archive_frames", "Frames written to the raw archive.", ["venue"])
LOST = Count("cqops_archive_lost_frames", "Frames that could not be kept anywhere.", ["venue"])
SPOOLED = Count("cqops_archive_spooled_frames", "Frames kept in a file for want of the database.")


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One copy on its way to the table; the same in a line of the spool."""

    id: uuid.UUID
    at: float
    number: int
    venue: str
    account: uuid.UUID | None = None
    is_public: bool = False
    direction: str
    kind: str
    operation: str = ""
    reference: str = ""
    line: str = ""
    status: int = 0
    size: int = 0
    text: str = ""
    names: list[str] = msgspec.field(default_factory=list)
    process: str = ""
    same_as: uuid.UUID | None = None

    @property
    def day(self) -> date:
        return datetime.fromtimestamp(self.at, UTC).date()


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The market around one order, wanted of whoever follows it."""

    venue: str
    symbol: str
    reference: str
    around: datetime


class Archive:
    """What this process has to write down. `write_out` is one round of its thread."""

    def __init__(
        self,
        *,
        spool: Spool,
        write: Callable[[Sequence[Frame]], None] | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopwatch = stopwatch
        self._try_again_at = 0.0
        self._spool = spool
        self._write = write or write_frames
        self._taps: dict[tuple[str, uuid.UUID | None], Tap] = {}
        self._lock = threading.Lock()
        self._frames: deque[Frame] = deque()
        self._latest = Latest()
        self._windows: deque[Window] = deque(maxlen=MOST_WINDOWS)
        self._numbers = itertools.count(time.time_ns())
        self._counted_lost: Counter[str] = Counter()
        self._is_away = False
        self._has_looked = False

    def tap(self, venue: str, account: uuid.UUID | None) -> Tap:
        """Return the tap of one account, shared by all of its clients in this process."""
        with self._lock:
            key = (venue, account)
            if key not in self._taps:
                self._taps[key] = Tap(partial(self._take, venue, account))
            return self._taps[key]

    def heard(self) -> dict[tuple[str, uuid.UUID | None, str], float]:
        """Tell when each private stream of this process last brought something."""
        return {
            (venue, account, stream): at
            for (venue, account), tap in list(self._taps.items())
            for stream, at in list(tap.heard.items())
        }

    def want_window(self, window: Window) -> None:
        self._windows.append(window)

    def write_out(self) -> int:
        """Write what waits; say how many frames went into the database."""
        for tap in list(self._taps.values()):
            tap.drain()
        self._count_lost()
        written = 0
        is_tried = False
        while self._frames:
            batch = [self._frames.popleft() for _ in range(min(BATCH, len(self._frames)))]
            if is_tried and self._is_away:
                self._put_aside(batch)  # one wait for a database that is away is enough
                continue
            written += self._keep(batch)
            is_tried = True
        # Nobody may send anything for an hour: what is kept in the file does not wait for that.
        if not self._is_away or self._stopwatch() >= self._try_again_at:
            self._read_back()
        if not self._is_away:
            self._want()
        return written

    def end(self) -> None:
        self.write_out()
        self._spool.close()

    def _take(self, venue: str, account: uuid.UUID | None, copy: Copy) -> None:
        frame = frame_of(copy, venue=venue, account=account, number=next(self._numbers))
        self._frames.append(self._latest.shortened(frame))

    def _keep(self, batch: list[Frame]) -> int:
        try:
            self._write(batch)
        except (DataError, IntegrityError):
            return self._keep_one_by_one(batch)
        except (DatabaseError, OSError) as error:
            self._notice_away(error)
            self._put_aside(batch)
            return 0
        self._notice_back()
        return len(batch)

    def _keep_one_by_one(self, batch: list[Frame]) -> int:
        """One frame that no table takes must not cost its neighbours."""
        if len(batch) == 1:
            log.error("a frame of %s cannot be kept in the database", batch[0].venue)
            self._lose(batch[0].venue, 1, "the database refuses a frame")
            return 0
        return sum(self._keep([frame]) for frame in batch)

    def _notice_away(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("frames are kept in a file, the database is away: %s", error)
            words = "The database is away: the raw archive is kept in a file for now."
            ops.tell("archive.away", words, severity=Severity.ATTENTION)
        self._is_away = True
        self._try_again_at = self._stopwatch() + TRY_AGAIN_SECONDS

    def _notice_back(self) -> None:
        if self._is_away:
            ops.tell("archive.back", "The raw archive is written to the database again.")
            self._has_looked = False
        self._is_away = False

    def _put_aside(self, batch: list[Frame]) -> None:
        left = self._spool.put([msgspec.json.encode(frame) for frame in batch])
        SPOOLED.inc(len(batch) - left)
        for venue, count in Counter(frame.venue for frame in batch[len(batch) - left :]).items():
            self._lose(venue, count, "the file beside the process is full")

    def _read_back(self) -> None:
        """Take what waits in files: this process's, and once a while what others left behind."""
        if self._has_looked and not self._spool.size:
            return
        try:
            count = self._spool.give_back(self._write_lines)
        except (DatabaseError, OSError) as error:
            log.warning("kept frames cannot be read back yet: %s", error)
            self._try_again_at = self._stopwatch() + TRY_AGAIN_SECONDS
            return
        if count:
            self._notice_back()
        self._has_looked = True
        if count:
            ops.tell("archive.healed", f"{count} frames kept in a file are in the raw archive now.")

    def _write_lines(self, lines: list[bytes]) -> None:
        frames = []
        for line in lines:
            try:
                frames.append(msgspec.json.decode(line, type=Frame))
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._lose("unknown", 1, "a kept line cannot be read")
        self._write(not_kept_yet(frames))

    def _want(self) -> None:
        wanted = list(self._windows)
        if not wanted:
            return
        try:
            MarketWindow.objects.bulk_create(
                MarketWindow(**msgspec.structs.asdict(window)) for window in wanted
            )
        except DatabaseError as error:
            log.warning("windows of the market wait: %s", error)
            return
        for _ in wanted:
            self._windows.popleft()

    def _count_lost(self) -> None:
        for (venue, account), tap in list(self._taps.items()):
            key = f"{venue}:{account}"
            lost = tap.lost + tap.failed
            if new := lost - self._counted_lost[key]:
                self._counted_lost[key] = lost
                self._lose(venue, new, "more frames came than could wait")

    def _lose(self, venue: str, count: int, why: str) -> None:
        self._latest.forget()  # what is lost cannot be referred to
        LOST.labels(venue).inc(count)
        ops.tell(
            "archive.lost",
            f"{count} frames are not in the raw archive: {why}.",
            severity=Severity.URGENT,
            labels={"venue": venue},
        )


def frame_of(
    copy: Copy,
    *,
    venue: str,
    account: uuid.UUID | None,
    number: int,
    is_public: bool = False,
    names: Iterable[str] | None = None,
) -> Frame:
    text, line = _storable(copy.text), _storable(copy.line)
    found = names_in(text=text, line=line, reference=copy.reference) if names is None else names
    return Frame(
        id=uuid.uuid4(),
        at=copy.at,
        number=number,
        venue=venue,
        account=account,
        is_public=is_public,
        direction=copy.direction.value,
        kind=copy.kind.value,
        operation=copy.operation[:60],
        reference=_storable(copy.reference)[:100],
        line=line,
        status=copy.status,
        size=copy.size,
        text=text,
        names=list(found),
        process=ops.me()[:32],
    )


def public_frames(found: Iterable[Raw], *, venue: str, name: str) -> list[Frame]:
    """Make what is kept of the public market; it is found by the order it was kept for."""
    numbers = itertools.count(time.time_ns())
    return [
        frame_of(
            redacted(raw),
            venue=venue,
            account=None,
            number=next(numbers),
            is_public=True,
            names=[name.lower()],
        )
        for raw in found
    ]


def write_frames(frames: Sequence[Frame]) -> None:
    """Write each once, and add them to what their day brought."""
    if not frames:
        return
    try:
        _insert(frames)
    except IntegrityError:
        # The day was there and is not any more: retention ran, or a transaction was taken back.
        _made.clear()
        _insert(frames)
    for venue, count in Counter(frame.venue for frame in frames).items():
        FRAMES.labels(venue).inc(count)


def _insert(frames: Sequence[Frame]) -> None:
    make_days({frame.day for frame in frames})
    with transaction.atomic():
        RawFrame.objects.bulk_create(
            (
                RawFrame(
                    **{
                        **msgspec.structs.asdict(frame),
                        "at": datetime.fromtimestamp(frame.at, UTC),
                    }
                )
                for frame in frames
            ),
            ignore_conflicts=True,
        )
        _add_up(frames)


def not_kept_yet(frames: Sequence[Frame]) -> list[Frame]:
    """Leave out what is in the table: an answer of the database that was lost is no failure."""
    if not frames:
        return []
    ats = [datetime.fromtimestamp(frame.at, UTC) for frame in frames]
    found = RawFrame.objects.filter(
        at__gte=min(ats), at__lte=max(ats), pk__in=[f.id for f in frames]
    )
    kept = set(found.values_list("pk", flat=True))
    return [frame for frame in frames if frame.id not in kept]


def _add_up(frames: Sequence[Frame]) -> None:
    sums: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0, 0])
    for frame in frames:
        one = sums[frame.venue, frame.day]
        one[0] += 1
        one[2 if frame.is_public else 1] += 0 if frame.same_as else frame.size
    # In one order, so that two processes never wait for each other in a circle.
    for (venue, day), (count, private, public) in sorted(sums.items()):
        ArchiveDay.objects.bulk_create([ArchiveDay(venue=venue, day=day)], ignore_conflicts=True)
        ArchiveDay.objects.filter(venue=venue, day=day).update(
            frames=F("frames") + count,
            bytes=F("bytes") + private,
            public_bytes=F("public_bytes") + public,
        )


_made: set[date] = set()


def make_days(days: Iterable[date]) -> int:
    """See to it that each day has its partition; beat makes them ahead, this is for when it did not."""
    made = 0
    for day in sorted(set(days) - _made):
        with connection.cursor() as cursor:
            cursor.execute("SELECT venues_make_day(%s)", [day])
            made += bool(cursor.fetchone()[0])
        _made.add(day)
    return made


def keep_days(*, now: datetime) -> tuple[int, int]:
    """Make the days ahead, and let go of those older than the setting keeps; say how many of each."""
    today = now.astimezone(UTC).date()
    made = make_days(today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1))
    gone = forget_days(before=today - timedelta(days=settings.RAW_KEEP_DAYS))
    if gone:
        words = (
            f"{gone} days of the raw archive are gone: older than {settings.RAW_KEEP_DAYS} days."
        )
        ops.tell("archive.forgotten", words)
    return made, gone


def forget_days(*, before: date) -> int:
    """Let whole days go: the only way anything ever leaves the archive."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT venues_forget_days(%s)", [before])
        gone = int(cursor.fetchone()[0])
    _made.clear()
    return gone


def _storable(text: str) -> str:
    """Leave out what PostgreSQL cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


@cache
def archive() -> Archive:
    """Return the archive of this process."""
    folder = Path(settings.RAW_SPOOL_DIR)
    return Archive(spool=Spool(folder, most_bytes=settings.RAW_SPOOL_MB * MEGABYTE))
