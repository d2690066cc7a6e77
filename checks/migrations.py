"""Every migration runs up, down and up again, on PostgreSQL and in a database of its own.

The schema after the second way up must be the schema after the first, and on the way down nothing
of ours may stay: a table, function or trigger that does was forgotten in a reverse step.
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from psycopg import sql

from checks.tools import ROOT
from cqops.platform.local.wheels import postgres_programs

DATABASE = "cqops_migrations"
LEFT = """
    SELECT 'table ' || relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'function ' || proname FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def main() -> int:
    url = _fresh_database(os.environ["DATABASE_URL"])
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cqops.settings")
    django.setup()
    found = _both_ways(url)
    print("\n".join(found))
    return 1 if found else 0


def _fresh_database(url: str) -> str:
    name = sql.Identifier(DATABASE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    return urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))


def _both_ways(url: str) -> list[str]:
    # Django's parts exist only after setup
    from django.apps import apps  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    ours = [
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT) and ".venv" not in Path(config.path).parts
    ]
    migrated = MigrationLoader(None).migrated_apps
    call_command("migrate", verbosity=0)
    first = _schema(url)
    before = _django_alone(url)
    for label in ours:
        if label in migrated:
            call_command("migrate", label, "zero", verbosity=0)
    found = [f"left behind on the way down: {name}" for name in sorted(_left(url) - before)]
    call_command("migrate", verbosity=0)
    connections.close_all()
    if _schema(url) != first:
        found.append("the schema after up, down and up again is not the schema after up")
    return found


def _django_alone(url: str) -> set[str]:
    """Name what belongs to apps that are not ours and may stay, by the prefix of their tables."""
    return {
        name
        for name in _left(url)
        if name.split(" ", 1)[1].startswith(("django_", "auth_", "axes_"))
    }


def _left(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute(LEFT).fetchall()}


def _schema(url: str) -> str:
    """Dump the schema; the dump's random guard lines are no part of it."""
    command = [str(postgres_programs() / "bin" / "pg_dump"), "--schema-only", "--dbname", url]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in dump.splitlines() if "restrict" not in line[:11])


if __name__ == "__main__":
    sys.exit(main())
