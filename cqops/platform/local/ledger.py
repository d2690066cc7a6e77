"""The processes a supervisor started, written down so that the next one can end what is left.

A supervisor that is killed cannot stop its children. Its successor finds them here and ends a
process only when number, start time and program all agree: a number alone may have been reused,
and a command line alone is no witness, for some servers rewrite theirs.
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from cqops.platform.local.places import write_private

CLOCK_TOLERANCE = 2.0
GRACE = 10.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One child as it was when it started; it leads its own process group."""

    name: str
    pid: int
    started: float
    program: str
    stop_signal: int

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same_start = abs(process.create_time() - self.started) < CLOCK_TOLERANCE
            same_program = process.exe() == self.program
            return same_start and same_program and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


class Ledger:
    """The list of children in a file, rewritten at each start and end of one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[int, Entry] = {}

    def record(self, name: str, pid: int, *, stop_signal: int = signal.SIGTERM) -> None:
        """Write a child down; one that is already gone again needs no line."""
        try:
            process = psutil.Process(pid)
            started, program = process.create_time(), process.exe()
        except psutil.Error:
            return
        self._entries[pid] = Entry(
            name=name, pid=pid, started=started, program=program, stop_signal=int(stop_signal)
        )
        self._save()

    def forget(self, pid: int) -> None:
        if self._entries.pop(pid, None) is not None:
            self._save()

    def leftovers(self) -> list[Entry]:
        """Read which children of an earlier supervisor still run."""
        try:
            lines = json.loads(self._path.read_text(encoding="utf-8"))
            entries = [Entry(**line) for line in lines]
        except (OSError, ValueError, TypeError):
            return []
        return [entry for entry in entries if entry.is_alive()]

    def end_leftovers(self, *, grace: float = GRACE) -> list[Entry]:
        """End what an earlier supervisor left running: politely first, then for certain."""
        found = self.leftovers()
        for entry in found:
            _signal_group(entry.pid, entry.stop_signal)
        deadline = time.monotonic() + grace
        while any(entry.is_alive() for entry in found) and time.monotonic() < deadline:
            time.sleep(0.05)
        for entry in found:
            if entry.is_alive():
                _signal_group(entry.pid, signal.SIGKILL)
        self._path.unlink(missing_ok=True)
        return found

    def _save(self) -> None:
        lines = [asdict(entry) for entry in self._entries.values()]
        write_private(self._path, json.dumps(lines, indent=1))


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
