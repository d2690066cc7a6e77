"""The embedded Redis: append-only, password, loopback; a plain child like every other."""

import signal

import redis as client

from cqops.platform.local.child import Program
from cqops.platform.local.console import Stage
from cqops.platform.local.installation import Installation
from cqops.platform.local.lingering import end_servers
from cqops.platform.local.places import write_private
from cqops.platform.local.ports import LOOPBACK
from cqops.platform.local.supervisor import Supervisor
from cqops.platform.local.wheels import redis_program, version_of

READY_SECONDS = 30.0
ENDINGS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


class Redis:
    """One data folder and the server that runs on it."""

    def __init__(self, supervisor: Supervisor, installation: Installation) -> None:
        self._supervisor = supervisor
        self._installation = installation

    def start(self, stage: Stage) -> str:
        """Bring the server up and return its URL."""
        places = self._supervisor.places
        program = redis_program()
        port = self._installation.port("redis")
        data = places.local / "redis"
        data.mkdir(mode=0o700, exist_ok=True)
        # in a file, because a command line shows its password to everybody on the machine
        configuration = data / "redis.conf"
        write_private(configuration, self._configuration(port))
        self._supervisor.start(
            Program(
                name="redis",
                command=[str(program), str(configuration)],
                environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                folder=data,
                log=places.logs / "redis.log",
                grace=20.0,
                expendable=False,
                prepare=lambda: end_servers("redis-server", data, ENDINGS),
            )
        )
        url = f"redis://:{self._installation.redis_password}@{LOOPBACK}:{port}/0"
        log = places.shown(places.logs / "redis.log")
        self._supervisor.wait_until(
            lambda: answers(url),
            seconds=READY_SECONDS,
            otherwise=f"Redis does not answer on port {port}; its reasons are in {log}.",
        )
        words = (version_of(program) or "").split()
        version = next((word[2:] for word in words if word.startswith("v=")), "unknown")
        stage.summary = f"Redis {version} on {LOOPBACK}:{port}"
        stage.details = [f"program {places.shown(program)}", f"data    {places.shown(data)}"]
        return url

    def _configuration(self, port: int) -> str:
        lines = [
            f"bind {LOOPBACK}",
            f"port {port}",
            f"requirepass {self._installation.redis_password}",
            "dir .",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "databases 16",
        ]
        return "\n".join(lines) + "\n"


def answers(url: str) -> bool:
    """Ask a Redis server whether it is there and lets us in."""
    connection = client.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
    try:
        return bool(connection.ping())
    except (client.RedisError, OSError):
        return False
    finally:
        connection.close()
