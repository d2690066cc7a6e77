"""What the person at the terminal sees, kept in a log as well."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

WIDTH = 14


class Stage:
    """One step of the start: a name, what it found, how long it took."""

    def __init__(self) -> None:
        self.summary = ""
        self.details: list[str] = []


class Console:
    """Prints lines at once; a terminal that has gone away never stops the desk."""

    def __init__(
        self, stream: TextIO | None = None, log: Path | None = None, *, details: bool = True
    ) -> None:
        self._stream = stream or sys.stdout
        self._details = details
        self._log = log
        self._line_is_open = False

    def say(self, text: str = "") -> None:
        """Print one line of its own, even in the middle of a stage."""
        self._write(f"\n{text}\n" if self._line_is_open else f"{text}\n")
        self._line_is_open = False
        self._keep(text)

    def show_only(self, text: str) -> None:
        """Print a line that belongs on the screen and not in a log, such as a password."""
        self._write(f"{text}\n")

    def event(self, text: str) -> None:
        """Print something that happened, with the time of day it did."""
        self.say(f"{datetime.now().astimezone():%H:%M:%S} {text}")

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Show a step while it runs and its outcome when it is done."""
        stage, began = Stage(), time.monotonic()
        self._write(f"  {name:<{WIDTH}}")
        self._line_is_open = True
        yield stage
        took = time.monotonic() - began
        line = f"{stage.summary} ({took:.1f} s)"
        self._write(f"{line}\n" if self._line_is_open else f"  {name:<{WIDTH}}{line}\n")
        self._line_is_open = False
        self._keep(f"{name}: {line}")
        for detail in stage.details if self._details else ():
            self.say(f"  {'':<{WIDTH}}{detail}")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone: go on without it
            self._line_is_open = False

    def _keep(self, text: str) -> None:
        if self._log is not None and text:
            with self._log.open("a", encoding="utf-8") as stream:
                stream.write(
                    f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}\n"
                )
