"""One runner at a time, across processes: a lock of the database that dies with its holder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Hold the lock of a name for as long as this connection lives, and tell whether it is ours.

    Nobody waits for it. It spares work and is no proof: whoever loses the connection also loses the
    lock, so what must not happen twice is held by row locks.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        row = cursor.fetchone()
    is_mine = bool(row and row[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            _let_go(name)


def _let_go(name: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
    except DatabaseError as error:
        log.warning("the lock %s went with its connection: %s", name, error)
