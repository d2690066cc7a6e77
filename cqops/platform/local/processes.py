"""Every process of the product, in one list that the supervisor and docker-compose.yml share."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Process:
    """One long-running part: its command on a local desk and in the production shape, its health.

    Commands are written after the interpreter, so that they run from any environment; words in
    braces are filled from the environment of the process.
    """

    name: str
    what: str
    local: tuple[str, ...] | None
    production: tuple[str, ...] | None
    health: tuple[str, ...] | None = None

    def local_command(self, variables: Mapping[str, str]) -> list[str]:
        if self.local is None:
            message = f"{self.name} does not run on a local desk"
            raise LookupError(message)
        return [sys.executable, *(word.format_map(variables) for word in self.local)]


_WORKER = (
    *("-m", "celery", "-A", "cqops.celery", "worker", "-P", "threads", "-c", "4"),
    *("--without-gossip", "--without-mingle", "-l", "INFO"),
)
_BEAT = ("-m", "celery", "-A", "cqops.celery", "beat", "-l", "INFO")
_PROBE = ("-m", "cqops.platform.local.probe")
_SIMULATOR = ("manage.py", "simulator", "--host")

SIMULATOR = Process(
    name="simulator",
    what="the venues, simulated",
    local=(
        *(*_SIMULATOR, "127.0.0.1", "--port", "{SIMULATOR_PORT}"),
        *("--data-dir", "{SIMULATOR_DIR}"),
    ),
    production=(*_SIMULATOR, "0.0.0.0", "--port", "8600", "--data-dir", "/data"),  # noqa: S104
    health=(*_PROBE, "127.0.0.1:8600"),
)
WEB = Process(
    name="web",
    what="pages, REST and, on a local desk, the sockets too",
    local=("-m", "daphne", "-b", "127.0.0.1", "-p", "{PORT}", "cqops.asgi:application"),
    production=(
        *("-m", "gunicorn", "cqops.wsgi:application", "--bind", "0.0.0.0:8000"),
        *("--workers", "2", "--threads", "4", "--worker-tmp-dir", "/tmp", "--access-logfile", "-"),  # noqa: S108
    ),
    health=(*_PROBE, "127.0.0.1:8000"),
)
LIVE = Process(
    name="live",
    what="the sockets, apart from the pages",
    local=None,
    production=(
        *("-m", "uvicorn", "cqops.asgi:application", "--host", "0.0.0.0", "--port", "8001"),  # noqa: S104
        *("--ws", "websockets-sansio"),
    ),
    health=(*_PROBE, "127.0.0.1:8001"),
)
WORKER = Process(
    name="worker",
    what="submissions and sweeps",
    local=_WORKER,
    production=_WORKER,
    health=(*_PROBE, "web:8000", "worker"),
)
BEAT = Process(
    name="beat",
    what="the clock behind every sweep",
    local=_BEAT,
    production=_BEAT,
    health=(*_PROBE, "web:8000", "beat"),
)
FEEDS = Process(
    name="feeds",
    what="market data",
    local=("manage.py", "feeds"),
    production=("manage.py", "feeds"),
    health=(*_PROBE, "web:8000", "feeds"),
)
REPORTS = Process(
    name="reports",
    what="execution reports, apart from feeds so that market noise never delays a fill",
    local=("manage.py", "reports"),
    production=("manage.py", "reports"),
    health=(*_PROBE, "web:8000", "reports"),
)

RELAY = Process(
    name="relay",
    what="publishes the outbox, seals the audit log",
    local=("manage.py", "relay"),
    production=("manage.py", "relay"),
    health=(*_PROBE, "web:8000", "relay"),
)

PROCESSES = (SIMULATOR, WEB, LIVE, WORKER, BEAT, FEEDS, REPORTS, RELAY)

MIGRATE = ("manage.py", "migrate", "--noinput")
SEED = ("manage.py", "seed")
SHOW_ACCESS = ("manage.py", "seed", "--show-access")
