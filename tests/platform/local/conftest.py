"""A supervisor in a process of its own, over the fake project."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cqops.platform.local.places import CHECKOUT
from cqops.platform.local.ports import free_port
from tests.platform.local.fake_desk import MANAGE


class FakeDesk:
    """One folder, and the supervisors started in it."""

    def __init__(self, folder: Path, *, embedded: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.embedded = embedded
        self.process: subprocess.Popen[str] | None = None
        (folder / "manage.py").write_text(MANAGE, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        passed_on = ("PATH", "HOME", *(() if self.embedded else ("DATABASE_URL", "REDIS_URL")))
        mine = {name: os.environ[name] for name in passed_on if name in os.environ}
        return {**mine, "PYTHONPATH": str(CHECKOUT), "PORT": str(self.port), **more}

    def launch(self, **more: str) -> subprocess.Popen[str]:
        with self.output.open("a", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.platform.local.fake_desk"],
                cwd=self.folder,
                env=self.environment(**more),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        return self.process

    def second(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Start another one to its end, for what it says."""
        return subprocess.run(
            [sys.executable, "-m", "tests.platform.local.fake_desk"],
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def local(self) -> Path:
        return self.folder / ".local"

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""

    def until(self, words: str, seconds: float = 60) -> str:
        """Wait until the supervisor has said something."""
        wait_for(lambda: words in self.text(), f"{words!r} in\n{self.text()}", seconds)
        return self.text()

    def ready(self, **more: str) -> subprocess.Popen[str]:
        process = self.launch(**more)
        self.until("Ctrl-C stops everything.")
        return process

    def pids(self) -> dict[str, int]:
        lines = json.loads((self.local / "processes.json").read_text(encoding="utf-8"))
        return {line["name"]: line["pid"] for line in lines}

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def desk_in() -> Iterator[Callable[..., FakeDesk]]:
    """Make fake desks, and leave no process of theirs behind whatever the test did."""
    made: list[FakeDesk] = []

    def make(folder: Path, *, embedded: bool = False) -> FakeDesk:
        made.append(FakeDesk(folder, embedded=embedded))
        return made[-1]

    yield make
    for desk in made:
        if desk.process and desk.process.poll() is None:
            desk.stop()
        path = desk.local / "processes.json"
        for pid in desk.pids().values() if path.exists() else ():
            if alive(pid):
                os.killpg(pid, signal.SIGKILL)


@pytest.fixture
def fake_desk(desk_in: Callable[..., FakeDesk], tmp_path: Path) -> FakeDesk:
    """Make a fake desk on the servers of the test run: it starts in a moment."""
    return desk_in(tmp_path)
