"""Servers of their own for tests, checks and benchmarks, which never touch the demo's or a user's."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cqops.platform.local.console import Console
from cqops.platform.local.environment import Endpoints, children_environment, desk_variables
from cqops.platform.local.installation import Installation
from cqops.platform.local.lock import Lock
from cqops.platform.local.places import Places
from cqops.platform.local.refusal import Refusal
from cqops.platform.local.servers import start_servers
from cqops.platform.local.supervisor import Stopped, Supervisor

SLOTS = 4
SECRETS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS")
NOT_PASSED_ON = (*SECRETS, *(f"{name}_FILE" for name in SECRETS), "ALLOWED_HOSTS")


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A place to run commands in, with servers that answer."""

    places: Places
    environment: dict[str, str]
    supervisor: Supervisor

    def run(self, command: Sequence[str]) -> int:
        """Run a command in the foreground of the terminal; Ctrl-C reaches it and it answers."""
        process = subprocess.Popen(
            list(command), cwd=self.places.checkout, env=dict(self.environment)
        )
        while True:
            try:
                status = process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if self.supervisor.asked_to_stop:
                    return _end(process)
                self.supervisor.tend()
            else:
                return status if status >= 0 else 128 - status

    def run_python(self, *words: str) -> int:
        return self.run([sys.executable, *words])


def _end(process: subprocess.Popen[bytes]) -> int:
    """Give an interrupted command the time to report, then end it."""
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 130


@contextmanager
def workshop(
    places: Places, environ: Mapping[str, str], *, name: str, durable: bool = False
) -> Iterator[Workshop]:
    """Start PostgreSQL and Redis in a folder nobody else uses now, and stop them afterwards."""
    with _free_slot(places, name) as place:
        console = Console(log=place.logs / "supervisor.log", details=False)
        supervisor = Supervisor(place, console)
        with supervisor.signals():
            try:
                supervisor.end_leftovers()
                installation = Installation.load(place.local)
                servers = start_servers(supervisor, installation, {}, for_tests=not durable)
                endpoints = Endpoints(
                    database_url=servers.database_url,
                    redis_url=servers.redis_url,
                    port=installation.port("web"),
                    simulator_port=installation.port("simulator"),
                )
                mine = {key: value for key, value in environ.items() if key not in NOT_PASSED_ON}
                variables = desk_variables(place, installation, endpoints, {})
                # What one run leaves behind is not asked about, and the ports are a desk's.
                variables["METRICS_PORT"] = "0"
                variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = ""
                environment = children_environment(variables, mine)
                yield Workshop(places=place, environment=environment, supervisor=supervisor)
            except Stopped:
                raise SystemExit(130) from None
            finally:
                for kind in ("redis", "postgres"):
                    supervisor.stop([one for one in supervisor.children if one.name == kind])
                place.ledger_file.unlink(missing_ok=True)


@contextmanager
def _free_slot(places: Places, name: str) -> Iterator[Places]:
    """Take the first folder that no other run holds, so that two runs do not meet."""
    for number in range(1, SLOTS + 1):
        folder = name if number == 1 else f"{name}-{number}"
        place = replace(places, local=places.local / folder)
        place.create()
        with Lock(place.lock_file) as lock:
            if lock.acquire():
                yield place
                return
    message = f"{SLOTS} runs hold {places.shown(places.local / name)} already; wait for one to end."
    raise Refusal(message)
