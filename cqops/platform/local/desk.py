"""`make run`: from a bare checkout to a desk that is ready, then until somebody stops it."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cqops.platform.local import readiness
from cqops.platform.local.child import Program
from cqops.platform.local.console import Console
from cqops.platform.local.environment import (
    Endpoints,
    children_environment,
    desk_variables,
    write_environment_file,
)
from cqops.platform.local.footprint import disk, megabytes, memory
from cqops.platform.local.installation import Installation
from cqops.platform.local.lock import Lock
from cqops.platform.local.places import Places
from cqops.platform.local.ports import holder, is_free
from cqops.platform.local.processes import MIGRATE, PROCESSES, SEED, SHOW_ACCESS, Process
from cqops.platform.local.refusal import Refusal
from cqops.platform.local.servers import start_servers
from cqops.platform.local.supervisor import Stopped, Supervisor

DEFAULT_PORT = 8000
READY_SECONDS = 180.0
SERVERS = ("redis", "postgres")


@dataclass(frozen=True, kw_only=True)
class Access:
    """What `seed --show-access` says: who may sign in, and a token for programs."""

    users: list[dict[str, str]]
    token: str


class Desk:
    """One run of one desk."""

    def __init__(
        self,
        places: Places,
        environ: Mapping[str, str],
        *,
        processes: Sequence[Process] = PROCESSES,
        console: Console | None = None,
    ) -> None:
        places.create()
        self._places = places
        self._environ = environ
        self._processes = [process for process in processes if process.local is not None]
        self._port = port_from(environ)
        self._console = console or Console(log=places.logs / "supervisor.log")
        self._supervisor = Supervisor(places, self._console)
        self._environment: dict[str, str] = {}
        self._data: list[Path] = []
        self._began = time.monotonic()

    def run(self) -> int:
        """Start everything, watch it, stop everything; a refusal leaves nothing running."""
        with self._session():
            self._console.say("Starting the desk")
            self._prepare()
            self._start_processes()
            self._introduce()
            self._watch()
        return 0

    def _watch(self) -> None:
        """Go on until a signal ends the waiting."""
        while True:
            self._supervisor.pause()

    def seed(self) -> int:
        """Only put the demo data in place."""
        with self._session():
            self._prepare()
        return 0

    @contextmanager
    def _session(self) -> Iterator[None]:
        """Hold the folder while something runs in it, and leave nothing running behind."""
        with Lock(self._places.lock_file) as lock, self._supervisor.signals():
            self._enter(lock)
            try:
                yield
            except Stopped:
                self._console.say("Stopping ... (Ctrl-C again: at once)")
            finally:
                self._stop()

    def _enter(self, lock: Lock) -> None:
        if not lock.acquire():
            facts = lock.holder()
            pid, port = facts.get("pid", "unknown"), facts.get("port", "unknown")
            message = (
                f"The desk already runs at http://localhost:{port} (process {pid},"
                f" {self._places.shown(self._places.local)})."
                f" Stop it with Ctrl-C in its terminal, or with: kill {pid}"
            )
            raise Refusal(message)
        lock.describe(pid=os.getpid(), port=self._port)

    def _prepare(self) -> None:
        """Bring up servers, schema and data."""
        with self._console.stage("environment") as stage:
            self._supervisor.end_leftovers()
            self._check_port()
            installation = Installation.load(self._places.local)
            version = ".".join(str(part) for part in sys.version_info[:3])
            stage.summary = f"Python {version}, files in {self._places.shown(self._places.local)}"
            stage.details = [f"program {sys.executable}"]
        servers = start_servers(self._supervisor, installation, self._environ)
        self._data = servers.data
        endpoints = Endpoints(
            database_url=servers.database_url,
            redis_url=servers.redis_url,
            port=self._port,
            simulator_port=installation.port("simulator"),
        )
        variables = desk_variables(self._places, installation, endpoints, self._environ)
        write_environment_file(self._places, variables)
        self._environment = children_environment(variables, self._environ)
        self._prepare_data()

    def _check_port(self) -> None:
        if not is_free(self._port):
            message = (
                f"Port {self._port} is in use by {holder(self._port)}."
                f" Free it, or take another one: make run PORT={self._port + 1}"
            )
            raise Refusal(message)

    def _prepare_data(self) -> None:
        for name, command, summary in (
            ("migrations", MIGRATE, "up to date"),
            ("demo data", SEED, "in place"),
        ):
            with self._console.stage(name) as stage:
                self._manage(name.replace(" ", "-"), command)
                stage.summary = summary

    def _manage(self, name: str, command: Sequence[str]) -> str:
        return self._supervisor.run_job(name, [sys.executable, *command], self._environment)

    def _start_processes(self) -> None:
        with self._console.stage("processes") as stage:
            for process in self._processes:
                self._supervisor.start(
                    Program(
                        name=process.name,
                        command=process.local_command(self._environment),
                        environment=self._environment,
                        folder=self._places.checkout,
                        log=self._places.logs / f"{process.name}.log",
                    )
                )
            self._await_green()
            stage.summary = ", ".join(process.name for process in self._processes)

    def _await_green(self) -> None:
        seconds = float(self._environ.get("READY_SECONDS") or READY_SECONDS)
        deadline = time.monotonic() + seconds
        while not (status := readiness.ask(self._port)).is_green:
            if time.monotonic() > deadline:
                missing = "; ".join(status.waiting_for)
                logs = self._places.shown(self._places.logs)
                message = f"Not ready after {seconds:g} s: {missing}. The logs are in {logs}."
                raise Refusal(message)
            self._supervisor.pause(0.25)

    def _introduce(self) -> None:
        """Say that it is ready, how to enter, and what it takes."""
        access = self._access()
        took = time.monotonic() - self._began
        url = f"http://localhost:{self._port}"
        say = self._console.say
        self._console.show_only("")
        say(f"Ready: {url}")
        show = self._console.show_only
        show("")
        show('  Sign in as (or press an "enter as" button on the sign-in page):')
        for user in access.users:
            name, password = user["username"], user["password"]
            show(f"    {user['role']:<20} {name:<12} {password:<20} {user.get('what', '')}")
        show("  As a program:")
        show(f'    curl -H "Authorization: Bearer {access.token}" {url}/api/v1/positions')
        show("")
        say(f"  Started in {took:.1f} s. {self._footprint()}")
        show(f"  Logs in {self._places.shown(self._places.logs)}. Ctrl-C stops everything.")

    def _access(self) -> Access:
        answer = self._manage("access", SHOW_ACCESS)
        try:
            found = json.loads(answer.strip().splitlines()[-1])
            return Access(users=found["users"], token=found["token"])
        except (ValueError, KeyError, IndexError) as error:
            message = f"`manage.py seed --show-access` answered no JSON ({error!r})."
            raise Refusal(message) from error

    def _footprint(self) -> str:
        pids = [child.pid for child in self._supervisor.children if child.pid]
        environment = Path(sys.prefix)
        return (
            f"It takes {megabytes(memory([os.getpid(), *pids]))} of memory and on disk"
            f" {megabytes(disk(environment))} for the environment,"
            f" {megabytes(self._data_size())} for its data."
        )

    def _data_size(self) -> int:
        local = self._places.local
        folders = [local, *(one for one in self._data if not one.is_relative_to(local))]
        return sum(disk(folder) for folder in folders)

    def _stop(self) -> None:
        """Stop what uses the servers before the servers."""
        supervisor = self._supervisor
        supervisor.stop([child for child in supervisor.children if child.name not in SERVERS])
        for name in SERVERS:
            supervisor.stop([child for child in supervisor.children if child.name == name])
        self._places.ledger_file.unlink(missing_ok=True)
        self._console.say("Stopped.")


def port_from(environ: Mapping[str, str]) -> int:
    """Read PORT, refusing what cannot be one."""
    text = environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004
        message = f"PORT is {text!r}; a number from 1 to 65535 is expected."
        raise Refusal(message)
    return int(text)
