"""Starts children, restarts those that die, and stops them all, in one thread and one loop."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from cqops.platform.local.account import Account
from cqops.platform.local.child import Child, Program, in_words, last_lines, rotate
from cqops.platform.local.console import Console
from cqops.platform.local.ledger import Ledger
from cqops.platform.local.places import Places
from cqops.platform.local.refusal import Refusal

TICK = 0.1
LOG_CHECK_EVERY = 15.0
SAME_MOMENT = 0.5


class Stopped(Exception):
    """Someone asked the desk to stop."""


class Supervisor:
    """Owns every process of one desk."""

    def __init__(self, places: Places, console: Console) -> None:
        self.places = places
        self.console = console
        self.ledger = Ledger(places.ledger_file)
        self.children: list[Child] = []
        self._asked = threading.Event()
        self._asked_at = 0.0
        self._impatient = False
        self._logs_checked_at = time.monotonic()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Turn Ctrl-C, TERM and a closed terminal into a request to stop; nohup is respected."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._ask) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        """Note the wish to stop; only a second Ctrl-C of a person means: at once.

        Programs often signal twice in the same moment, a process and then its whole group.
        """
        now = time.monotonic()
        if not self._asked.is_set():
            self._asked_at = now
        elif number == signal.SIGINT and now - self._asked_at > SAME_MOMENT:
            self._impatient = True
        self._asked.set()

    @property
    def asked_to_stop(self) -> bool:
        return self._asked.is_set()

    def pause(self, seconds: float = TICK) -> None:
        """Wait a moment, tending the children; ends the present work when asked to stop."""
        self._asked.wait(seconds)
        if self._asked.is_set():
            raise Stopped
        self.tend()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise Refusal(otherwise)
            self.pause()

    def start(self, program: Program) -> Child:
        """Start a child and watch it from now on."""
        rotate(program.log)
        child = Child(program)
        self.children.append(child)
        self._launch(child)
        return child

    def _launch(self, child: Child) -> None:
        pid = child.start()
        self.ledger.record(child.name, pid, stop_signal=child.program.stop_signal)

    def tend(self) -> None:
        """Notice who died and start again who has waited long enough."""
        now = time.monotonic()
        for child in self.children:
            status = child.ended()
            if status is not None:
                self._mourn(child, status, now)
            elif child.restart_at is not None and now >= child.restart_at:
                self._revive(child, now)
        if now - self._logs_checked_at > LOG_CHECK_EVERY:
            self._logs_checked_at = now
            for child in self.children:
                child.bound_log()

    def _mourn(self, child: Child, status: int, now: float) -> None:
        if child.pid is not None:
            self.ledger.forget(child.pid)
        child.bury()
        delay = child.back_off.after(now - child.started_at)
        child.restart_at = now + delay
        self.console.event(f"{child.name} died ({in_words(status)}), restarting in {delay:g} s")

    def _revive(self, child: Child, now: float) -> None:
        try:
            self._launch(child)
        except OSError as error:
            delay = child.back_off.after(0.0)
            child.restart_at = now + delay
            self.console.event(f"{child.name} cannot start ({error}), trying in {delay:g} s")
        else:
            self.console.event(f"{child.name} started again (process {child.pid})")

    def run_job(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        account: Account | None = None,
        folder: Path | None = None,
    ) -> str:
        """Run a command to its end and return what it printed; its complaints go to its log."""
        log = self.places.logs / f"{name}.log"
        rotate(log)
        with tempfile.TemporaryFile() as answer, log.open("ab") as complaints:
            process = subprocess.Popen(
                list(command),
                cwd=folder or self.places.checkout,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=complaints,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
            status = self._see_through(name, process)
            answer.seek(0)
            text = answer.read().decode("utf-8", errors="replace")
        if status != 0:
            with log.open("a", encoding="utf-8") as stream:
                stream.write(text)
            shown = self.places.shown(log)
            message = f"{name} failed ({in_words(status)}); the end of {shown}:\n{last_lines(log)}"
            raise Refusal(message)
        return text

    def _see_through(self, name: str, process: subprocess.Popen[bytes]) -> int:
        self.ledger.record(name, process.pid)
        try:
            while process.poll() is None:
                self.pause(0.02)
        except BaseException:
            _end_group(process)
            raise
        finally:
            self.ledger.forget(process.pid)
        return process.returncode

    def stop(self, children: Sequence[Child]) -> None:
        """Stop some children together: their own signal first, then, after the grace, KILL."""
        waiting = [child for child in children if child.is_running()]
        killed: set[str] = set()
        began = time.monotonic()
        for child in waiting:
            child.send(child.program.stop_signal)
        while waiting:
            for child in list(waiting):
                hurry = self._impatient and child.program.expendable
                grace = 0.0 if hurry else child.program.grace
                if not child.is_running():
                    waiting.remove(child)
                elif child.name not in killed and time.monotonic() - began > grace:
                    self.console.event(f"{child.name} does not stop, killing it")
                    child.send(signal.SIGKILL)
                    killed.add(child.name)
            time.sleep(0.02)
        for child in children:
            if child.pid is not None:
                self.ledger.forget(child.pid)
            child.bury()
            self.children.remove(child)

    def end_leftovers(self) -> None:
        """End what an earlier supervisor of this folder was not able to stop itself."""
        for entry in self.ledger.end_leftovers():
            self.console.say(f"  ended {entry.name} (process {entry.pid}) of an earlier start")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=5)
        except (ProcessLookupError, PermissionError):
            return
        except subprocess.TimeoutExpired:
            continue
