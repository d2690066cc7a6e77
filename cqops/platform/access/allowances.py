"""What the database is told before it lets a power be given: which approval stands behind it.

Where there is nobody yet to agree (demo people, tests, the first admins and their recovery on the server)
it is told that this is seeded. It takes a power from nobody else, and forgets what it was told as soon
as the block ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction


@contextmanager
def seeding() -> Iterator[None]:
    with _told("cqops.seeding", "on"):
        yield


@contextmanager
def approved(request_id: UUID) -> Iterator[None]:
    with _told("cqops.approval", str(request_id)):
        yield


@contextmanager
def _told(name: str, value: str) -> Iterator[None]:
    """Hold a setting for the block; a failure takes it back with everything else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        yield
        cursor.execute("SELECT set_config(%s, '', true)", [name])
