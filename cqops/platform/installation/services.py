"""Keeps SIMULATED, SANDBOX and LIVE apart.

The database says what it is, and a process that was configured for something else does not start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from cqops.platform.installation.models import Installation


class WrongInstallation(Exception):
    """The settings and the database belong to different kinds of installation."""


def write_on_first_start(**_: Any) -> None:
    """Record the environment after the first migration, and never change it afterwards."""
    if Installation._meta.db_table not in connection.introspection.table_names():
        return  # migrated back to nothing
    if not Installation.objects.exists():
        Installation.objects.get_or_create(environment=settings.ENVIRONMENT)
    verify()


def verify() -> None:
    """Refuse a database that was first started as another kind of installation."""
    recorded = Installation.objects.values_list("environment", flat=True).first()
    if recorded != settings.ENVIRONMENT:
        message = (
            f"ENVIRONMENT: is {settings.ENVIRONMENT}, but this database was set up as "
            f"{recorded or 'nothing yet (run manage.py migrate)'}; expected both to be the same."
        )
        raise WrongInstallation(message)


def verify_or_exit() -> None:
    """Check at process start, and end with one plain line when it does not hold."""
    try:
        end_unless_of_this_kind()
    finally:
        connection.close()


def end_unless_of_this_kind() -> None:
    """Check on the connection one has, and go on with it."""
    with _one_line_refusals():
        verify()


def verify_before_migrating() -> None:
    """Check that a database is fresh or of this kind before its schema is touched."""
    with _one_line_refusals():
        if Installation._meta.db_table in connection.introspection.table_names():
            recorded = Installation.objects.values_list("environment", flat=True).first()
            if recorded is not None:
                verify()


@contextmanager
def _one_line_refusals() -> Iterator[None]:
    try:
        yield
    except WrongInstallation as error:
        sys.stderr.write(f"cqops: {error}\n")
        raise SystemExit(2) from None
    except DatabaseError as error:
        first_line = str(error).strip().partition("\n")[0]
        sys.stderr.write(
            f"cqops: DATABASE_URL: the database cannot be used ({first_line}); "
            "expected a running PostgreSQL with all migrations applied.\n"
        )
        raise SystemExit(3) from None
