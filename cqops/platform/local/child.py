"""One supervised child: started in its own session, logged, restarted with growing patience."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cqops.platform.local.account import Account

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0
LOG_LIMIT = 10 * 1024 * 1024
LOGS_KEPT = 3


class BackOff:
    """How long to wait before the next start: doubled each time, forgotten once it holds."""

    def __init__(self, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def after(self, ran_for: float) -> float:
        if ran_for >= STEADY_AFTER:
            self._next = self._first
        delay = self._next
        self._next = min(self._next * 2, self._longest)
        return delay


@dataclass(kw_only=True)
class Program:
    """What to start and how to stop it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    expendable: bool = True  # a server that is killed has to recover, so it is given its time
    account: Account | None = None
    prepare: Callable[[], None] = field(default=lambda: None)


class Child:
    """A program and its present process, if it has one."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.back_off = BackOff()
        self.restart_at: float | None = None
        self.started_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> int:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.program.prepare()
        account = self.program.account
        with self.program.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(self.program.command),
                cwd=self.program.folder,
                env=dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        self.started_at = time.monotonic()
        self.restart_at = None
        return self._process.pid

    def ended(self) -> int | None:
        """Return the exit status once it has ended, reaping it."""
        return None if self._process is None else self._process.poll()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: int) -> None:
        """Signal the whole group, so that nothing a child started outlives it."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, number)
            except (ProcessLookupError, PermissionError):
                return

    def bury(self) -> None:
        """Forget an ended process and make sure that nothing of its group remains."""
        self.send(signal.SIGKILL)
        self._process = None

    def bound_log(self) -> None:
        """Keep a talkative child from filling the disk: move the text away, go on in the file."""
        log = self.program.log
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            rotate(log, copy=True)


def rotate(log: Path, *, copy: bool = False) -> None:
    """Shift the older logs by one; a file still written to is copied and emptied instead."""
    if not log.exists() or log.stat().st_size == 0:
        return
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    first = log.with_name(f"{log.name}.1")
    if copy:
        first.write_bytes(log.read_bytes())
        os.truncate(log, 0)
    else:
        log.replace(first)


def in_words(status: int) -> str:
    """Say an exit status the way a person would."""
    return f"signal {-status}" if status < 0 else f"exit code {status}"


def last_lines(log: Path, count: int = 15) -> str:
    """Quote the end of a log, for a message about why its writer failed."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(f"    {line}" for line in lines[-count:])
