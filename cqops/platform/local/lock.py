"""One supervisor to a folder. The system drops the lock with its holder, however that one dies."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO, Self


class Lock:
    """A file that is locked while a supervisor runs and says who that is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free; never waits."""
        stream = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            return False
        self._stream = stream
        self.describe(pid=os.getpid())
        return True

    def describe(self, **facts: str | int) -> None:
        """Write what a second instance should be able to tell its user."""
        if self._stream is None:
            return
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(json.dumps(facts))
        self._stream.flush()

    def holder(self) -> dict[str, str | int]:
        """Read what the present holder wrote about itself."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def release(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Tell whether somebody runs behind this lock file, leaving the file as it is."""
    try:
        with path.open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
