"""Seals committed entries within a second, one sequencer at a time.

Business transactions take no lock for the chain. Numbers are given at insert and not at commit, so a
late transaction may bring an entry with a lower number than one sealed long ago: what is sealed is
whatever has no seal, never whatever is newer than the last. To look at little, everything older than
the oldest transaction that was still running at a complete pass is known to be sealed.

The number of the newest seal is also held in a sequence of the database. A chain whose newest seals
were cut away goes on after the number it once had, so that the gap stays for ever.
"""

from __future__ import annotations

from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from cqops.platform.audit import chain
from cqops.platform.audit.models import Seal

LOCK = 0x61756469  # "audi"; any number that nobody else uses
BATCH = 2_000
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
WITHOUT_A_SEAL = """
    SELECT entry.id, entry.hash FROM audit_entry entry
    WHERE entry.transaction >= %s
    AND NOT EXISTS (SELECT 1 FROM audit_seal seal WHERE seal.entry_id = entry.id)
    ORDER BY entry.id LIMIT %s
"""

GIVEN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_seal_given"
GIVE = "SELECT setval('audit_seal_given', greatest(last_value, %s)) FROM audit_seal_given"


class Sequencer:
    """Remembers from which transaction on to look; a new one looks at everything once."""

    def __init__(self) -> None:
        self._floor = 0

    def run(self) -> int:
        """Seal everything that waits; 0 also when somebody else is at it."""
        total = 0
        while True:
            sealed = self._pass()
            total += sealed
            if sealed < BATCH:
                return total

    @transaction.atomic
    def _pass(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return 0
            # Read before the entries: whatever is older than this has ended and can be seen.
            cursor.execute(HORIZON)
            horizon = cursor.fetchone()[0]
            cursor.execute(WITHOUT_A_SEAL, [self._floor, BATCH])
            waiting: list[tuple[int, str]] = cursor.fetchall()
        _seal(waiting)
        if len(waiting) < BATCH:
            self._floor = horizon
        return len(waiting)


def _seal(waiting: list[tuple[int, str]]) -> None:
    if not waiting:
        return
    head = Seal.objects.order_by("-sequence").first()
    link = head.link() if head else None
    known = given()
    now = timezone.now()
    seals = []
    for entry_id, entry_hash in waiting:
        link = chain.following(
            link,
            entry_id=entry_id,
            entry_hash=entry_hash,
            sealed_at=chain.moment(now),
            after=known,
        )
        seals.append(
            Seal(
                sequence=link.sequence,
                entry_id=entry_id,
                entry_hash=entry_hash,
                previous_hash=link.previous_hash,
                sealed_at=now,
                seal_hash=link.seal_hash,
            )
        )
    Seal.objects.bulk_create(seals)
    transaction.on_commit(partial(_give, seals[-1].sequence))


def given() -> int:
    """Return the number of the newest seal there ever was, as the database remembers it."""
    with connection.cursor() as cursor:
        cursor.execute(GIVEN)
        return int(cursor.fetchone()[0])


def _give(sequence: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GIVE, [sequence])


seal = Sequencer().run
