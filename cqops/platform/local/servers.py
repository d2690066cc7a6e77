"""PostgreSQL and Redis for a desk: the user's own by URL, otherwise the embedded ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from cqops.platform.local.console import Stage
from cqops.platform.local.environment import LOCAL_KIND, given
from cqops.platform.local.installation import Installation
from cqops.platform.local.postgres import Postgres
from cqops.platform.local.redis import Redis, answers
from cqops.platform.local.refusal import Refusal
from cqops.platform.local.supervisor import Supervisor


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where they are, and which folders hold the data of those that are ours."""

    database_url: str
    redis_url: str
    data: list[Path] = field(default_factory=list)


def start_servers(
    supervisor: Supervisor,
    installation: Installation,
    environ: Mapping[str, str],
    *,
    for_tests: bool = False,
) -> Servers:
    """Bring both up; a test never touches the servers of the user."""
    database, redis = given(environ, "DATABASE_URL"), given(environ, "REDIS_URL")
    data: list[Path] = []
    with supervisor.console.stage("database") as stage:
        if database and not for_tests:
            _use_database(database, stage)
        else:
            server = Postgres(supervisor, installation, for_tests=for_tests)
            database = server.start(stage)
            data.append(server.data)
    with supervisor.console.stage("redis") as stage:
        if redis and not for_tests:
            _use_redis(redis, stage)
        else:
            redis = Redis(supervisor, installation).start(stage)
    return Servers(database_url=database, redis_url=redis, data=data)


def without_password(url: str) -> str:
    """Say where a URL points without its secret."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _use_database(url: str, stage: Stage) -> None:
    shown = without_password(url)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            found = connection.execute("SHOW server_version").fetchone()
            kind = _kind_of(connection)
    except psycopg.Error as error:
        message = f"DATABASE_URL ({shown}) does not let us in: {str(error).strip()}"
        raise Refusal(message) from None
    if kind not in {"", LOCAL_KIND}:
        message = (
            f"DATABASE_URL ({shown}) was set up as {kind}; make run is {LOCAL_KIND} and leaves it"
            " alone. Name an empty database, or one that make run set up."
        )
        raise Refusal(message)
    stage.summary = f"PostgreSQL {found[0] if found else ''} at {shown}, by DATABASE_URL"


def _kind_of(connection: psycopg.Connection) -> str:
    """Read what a database was set up as, before anything of ours is done to it."""
    known = connection.execute("SELECT to_regclass('installation_installation')").fetchone()
    if known is None or known[0] is None:
        return ""
    row = connection.execute("SELECT environment FROM installation_installation").fetchone()
    return str(row[0]) if row else ""


def _use_redis(url: str, stage: Stage) -> None:
    shown = without_password(url)
    try:
        reachable = answers(url)
    except ValueError as error:
        message = f"REDIS_URL is not a Redis URL ({error}); redis://:password@host:6379/0 is one."
        raise Refusal(message) from None
    if not reachable:
        message = f"REDIS_URL ({shown}) does not answer, or refuses its password."
        raise Refusal(message)
    stage.summary = f"Redis at {shown}, by REDIS_URL"
