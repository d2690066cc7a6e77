"""A file beside the process for what the database cannot take now: bounded, and read back once it can.

Each process has a file of its own, held by a lock for as long as it lives. What a process that was killed
left behind is adopted by the next one that looks. A line that cannot be read is counted and passed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

SUFFIX = ".frames"


class Spool:
    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._file: IO[bytes] | None = None

    @property
    def size(self) -> int:
        return self._file.seek(0, os.SEEK_END) if self._file else 0

    def put(self, lines: Sequence[bytes]) -> int:
        """Write what fits, and say how many lines did not; nothing here raises at the caller."""
        kept = 0
        try:
            file = self._opened()
            room = self._most_bytes - self.size
            for line in lines:
                room -= len(line) + 1
                if room < 0:
                    break
                file.write(line + b"\n")
                kept += 1
            file.flush()
        except OSError:
            return len(lines)
        return len(lines) - kept

    def give_back(self, take: Callable[[list[bytes]], None], *, at_once: int = 500) -> int:
        """Hand over what is kept, this process's and that of others that are gone; say how many lines.

        A file goes only after all of it was taken. What `take` raises ends this and loses nothing:
        lines that were taken already are handed over again, and known by their id.
        """
        handed = 0
        if self._file is not None and self.size:
            handed += _handed_over(self._file, take, at_once)
            self._file.truncate(0)
        for orphan in self._orphans():
            with orphan:
                handed += _handed_over(orphan, take, at_once)
                Path(orphan.name).unlink(missing_ok=True)
        return handed

    def close(self) -> None:
        """Let go of the file; what is still in it is found by whoever looks next."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            file = os.fdopen(handle, "r+b")
            fcntl.flock(file, fcntl.LOCK_EX)
            self._file = file
        return self._file

    def _orphans(self) -> list[IO[bytes]]:
        """Open and lock the files of processes that are no more."""
        found: list[IO[bytes]] = []
        with contextlib.suppress(OSError):
            for path in sorted(self._folder.glob(f"*{SUFFIX}")):
                file = path.open("r+b")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    file.close()
                    continue
                found.append(file)
        return found


def _handed_over(file: IO[bytes], take: Callable[[list[bytes]], None], at_once: int) -> int:
    file.seek(0)
    handed = 0
    batch: list[bytes] = []
    for line in file:
        batch.append(line.rstrip(b"\n"))
        if len(batch) == at_once:
            take(batch)
            handed += len(batch)
            batch = []
    if batch:
        take(batch)
        handed += len(batch)
    return handed
