"""The embedded PostgreSQL: made once, run as a plain child, recovered after any kill.

The wheel's own start helper is not used: as root it opens every folder above the data to everyone,
and it stops the server when the calling process ends. Here initdb and postgres are driven directly.
"""

import os
import shutil
import signal
from pathlib import Path

import psycopg
from psycopg import sql

from cqops.platform.local.account import Account, postgres_account
from cqops.platform.local.child import Child, Program
from cqops.platform.local.console import Stage
from cqops.platform.local.installation import Installation
from cqops.platform.local.lingering import end_servers
from cqops.platform.local.places import write_private
from cqops.platform.local.ports import LOOPBACK
from cqops.platform.local.refusal import Refusal
from cqops.platform.local.store import Store
from cqops.platform.local.supervisor import Supervisor
from cqops.platform.local.wheels import postgres_programs, readable_copy, version_of

ROLE = DATABASE = "cqops"
SUPERUSER = "postgres"
READY_SECONDS = 60.0

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # A statement that fails would stand in the log with its values, sealed keys and hashes among them.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One data folder and the server that runs on it."""

    def __init__(
        self, supervisor: Supervisor, installation: Installation, *, for_tests: bool = False
    ) -> None:
        self._supervisor = supervisor
        self._installation = installation
        self._for_tests = for_tests
        self._account: Account | None = None
        self._programs = Path()
        self.data = Path()
        self.port = 0

    def start(self, stage: Stage) -> str:
        """Bring the server up and return the URL of the desk's own database on it."""
        self._place()
        version = version_of(self._programs / "bin" / "postgres", self._account) or "unknown"
        if not self.data.exists():
            self._initialise()
        self._check_version(version)
        self.port = self._installation.port("postgres")
        child = self._supervisor.start(self._program())
        self._wait(child)
        self._ensure_database()
        stage.summary = f"PostgreSQL {version.rsplit(' ', 1)[-1]} on {LOOPBACK}:{self.port}"
        shown = self._supervisor.places.shown
        stage.details = [
            f"program {shown(self._programs / 'bin' / 'postgres')}",
            f"data    {shown(self.data)}"
            + (f", under the account {self._account.name}" if self._account else ""),
        ]
        password = self._installation.database_password
        return f"postgres://{ROLE}:{password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def _place(self) -> None:
        """Choose binaries and data folder: the environment's and ours, or root's own store."""
        places, say = self._supervisor.places, self._supervisor.console.say
        self._programs = postgres_programs()
        self._account = postgres_account(lambda text: say(f"    {text}"))
        if self._account is None:
            self.data = places.local / "postgres"
            return
        store = Store(places.checkout)
        store.create()
        for folder in store.abandoned():
            free_data(folder / "postgres")
            shutil.rmtree(folder)
            say(f"    removed {folder}: the desk it belonged to no longer exists")
        program = self._programs / "bin" / "postgres"
        if version_of(program, self._account) is None:
            version = (version_of(program) or "unknown").rsplit(" ", 1)[-1]
            copy = store.folder / f"programs-{version}"
            self._programs = readable_copy(self._programs, copy, lambda text: say(f"    {text}"))
        self.data = store.desk(self._installation.identity, places.local) / "postgres"

    def _initialise(self) -> None:
        """Run initdb beside the final name, so that a start cut short leaves nothing half made."""
        fresh = self.data.with_name("postgres.new")
        password = self.data.with_name("postgres.password")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        write_private(password, self._installation.superuser_password)
        if self._account:
            os.chown(fresh, self._account.uid, self._account.gid)
            os.chown(password, self._account.uid, self._account.gid)
        command = [
            *(str(self._programs / "bin" / "initdb"), "-D", str(fresh), "-U", SUPERUSER),
            *("--pwfile", str(password), "--encoding=UTF8", "--auth=scram-sha-256"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(["--no-sync"] if self._for_tests else []),
        ]
        try:
            self._supervisor.run_job(
                "initdb", command, _bare(), account=self._account, folder=Path("/")
            )
        finally:
            password.unlink()
        fresh.replace(self.data)

    def _check_version(self, version: str) -> None:
        ours = version.rpartition(" ")[2].partition(".")[0]
        theirs = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if version != "unknown" and ours != theirs:
            message = (
                f"{self.data} was written by PostgreSQL {theirs}, this is PostgreSQL {ours}."
                " Dump it with the older release first, or start afresh with `make clean`."
            )
            raise Refusal(message)

    def _program(self) -> Program:
        settings = {**SETTINGS, **(FOR_TESTS if self._for_tests else {}), "port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[str(self._programs / "bin" / "postgres"), "-D", str(self.data), *options],
            environment=_bare(),
            folder=Path("/"),
            log=self._supervisor.places.logs / "postgres.log",
            stop_signal=signal.SIGINT,
            grace=30.0,
            expendable=False,
            account=self._account,
            prepare=lambda: free_data(self.data),
        )

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self._installation.superuser_password,
            dbname=SUPERUSER,
            connect_timeout=5,
            autocommit=True,
        )

    def _wait(self, child: Child) -> None:
        log = self._supervisor.places.shown(child.program.log)

        def answers() -> bool:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                return False
            return True

        self._supervisor.wait_until(
            answers,
            seconds=READY_SECONDS,
            otherwise=f"PostgreSQL does not answer on port {self.port}; its reasons are in {log}.",
        )

    def _ensure_database(self) -> None:
        """Give the desk a role that is not a superuser and a database it owns."""
        role = sql.Identifier(ROLE)
        rights = sql.SQL("LOGIN CREATEDB" if self._for_tests else "LOGIN NOCREATEDB")
        password = sql.Literal(self._installation.database_password)
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
            verb = sql.SQL("ALTER" if found.fetchone() else "CREATE")
            connection.execute(
                sql.SQL("{} ROLE {} {} PASSWORD {}").format(verb, role, rights, password)
            )
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not found.fetchone():
                database = sql.Identifier(DATABASE)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))


def free_data(data: Path) -> None:
    """Make a data folder free to be started on, after whatever happened to its last server.

    A killed postmaster leaves its pid file, whose number may since belong to somebody else, and
    for a moment its backends, which hold the shared memory. Both would stop the next start.
    """
    stages = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
    end_servers("postgres", data, stages)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _bare() -> dict[str, str]:
    """Keep the user's PG* variables away from the embedded server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
