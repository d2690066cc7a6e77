"""The judges and the stage they judge: environments of their own, and the simulator over TLS.

A judge is a library of somebody else that knows the venue. It cannot be installed beside the product,
nor beside the others, so it is spoken to as a subprocess: JSON in, JSON out.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from venues.simulator.authority import papers
from venues.simulator.demo_keys import DemoKey, register_key
from venues.simulator.server import free_socket

ROOT = Path(__file__).parents[2]
DRIVERS = Path(__file__).parent / "drivers"
ORACLES = ROOT / ".local" / "oracles"
PATIENCE = 20.0
VENUES = """
import sys
from pathlib import Path
from venues.simulator.app import serve
port, tls_port, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
serve(host="127.0.0.1", port=port, data_dir=folder, seed=1, tls_port=tls_port)
"""


@dataclass(frozen=True)
class Judge:
    """One library in its own environment."""

    python: Path

    def ask(self, driver: str, asked: dict[str, Any], *, bundle: Path | None = None) -> Any:
        """Run a driver and return what it says; nothing of ours is in its way or in its reach."""
        # requests and OpenSSL find the authority there; a real key or proxy they do not find at all
        trust = {"REQUESTS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)} if bundle else {}
        outcome = subprocess.run(
            [self.python, DRIVERS / f"{driver}.py"],
            input=json.dumps(asked),
            env={"PATH": os.environ["PATH"], **trust},
            cwd=self.python.parent,
            capture_output=True,
            text=True,
            timeout=45,
            check=False,
        )
        if outcome.returncode != 0:
            pytest.fail(f"{driver} gave up:\n{outcome.stderr[-3000:]}", pytrace=False)
        return json.loads(outcome.stdout)


def judge(name: str) -> Judge:
    """Bring a judge's environment up to its lock, once for however many runs want it at a time."""
    if os.environ.get("SKIP_ORACLES", "") not in {"", "0", "false"}:
        pytest.skip("SKIP_ORACLES is set: nobody independent judges the simulator")
    ORACLES.mkdir(parents=True, exist_ok=True)
    with (ORACLES / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = subprocess.run(
            [
                *(sys.executable, "-m", "cqops.platform.local.bootstrap"),
                *("oracle", name, str(ORACLES / name)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if outcome.returncode != 0:
        pytest.fail(
            f"The judges of tests/oracles/{name}.lock could not be installed, so nobody independent"
            " judges the simulator. They come from the package registry; SKIP_ORACLES=1 leaves them"
            f" out.\n{outcome.stderr.strip()[-1500:]}",
            pytrace=False,
        )
    return Judge(ORACLES / name / "bin" / "python")


@pytest.fixture(scope="session")
def sdks() -> Judge:
    return judge("sdks")


@pytest.fixture(scope="session")
def ccxt() -> Judge:
    return judge("ccxt")


@dataclass(frozen=True)
class Stage:
    """The simulated venues, running; `host` is where they are encrypted."""

    folder: Path
    host: str
    bundle: Path

    def admit(self, key: DemoKey) -> DemoKey:
        register_key(self.folder, key.entry)
        return key


@pytest.fixture(scope="session")
def stage(tmp_path_factory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("venues")
    ports = []
    for _ in range(2):
        with free_socket() as bound:
            ports.append(bound.getsockname()[1])
    bundle = papers(folder).ca
    child = subprocess.Popen(
        [sys.executable, "-c", VENUES, *map(str, ports), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    try:
        _await(child, ports[1])
        yield Stage(folder, f"localhost:{ports[1]}", bundle)
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.wait()


def _await(child: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert child.poll() is None, "the simulator ended by itself"
            assert time.monotonic() < until, "the simulator does not listen"
            time.sleep(0.05)
        else:
            return
