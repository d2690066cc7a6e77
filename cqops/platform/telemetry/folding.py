"""Repeats folded into a count: a stream that breaks every second is one line a minute, not sixty.

The first is let through at once. What is the same within its window is counted, and becomes one more
note when the window ends; while it goes on, one window follows the other.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cqops.platform.telemetry.notes import Note

WINDOW = timedelta(seconds=60)
ROOM = 500


@dataclass(slots=True, kw_only=True)
class _Window:
    until: datetime
    repeats: Note | None = None

    def add(self, note: Note) -> None:
        held = self.repeats
        self.repeats = replace(note, since=held.since, count=held.count + 1) if held else note


class Folding:
    """Knows what was told lately, and how often since."""

    def __init__(self, *, window: timedelta = WINDOW, room: int = ROOM) -> None:
        self._window = window
        self._room = room
        self._open: dict[Hashable, _Window] = {}

    def take(self, note: Note) -> list[Note]:
        """Return what is to be written now: the note itself when it is the first of its kind."""
        ready = self.due(note.at)
        window = self._open.get(note.sameness)
        if window is not None:
            window.add(note)
            return ready
        while len(self._open) >= self._room:
            ready += self._close(next(iter(self._open)))
        self._open[note.sameness] = _Window(until=note.at + self._window)
        return [*ready, note]

    def due(self, now: datetime) -> list[Note]:
        """Return the repeats of every window that has ended; one without any is forgotten."""
        ready: list[Note] = []
        for key in [key for key, window in self._open.items() if window.until <= now]:
            found = self._close(key)
            if found:
                self._open[key] = _Window(until=now + self._window)
            ready += found
        return ready

    def rest(self) -> list[Note]:
        """Return what is counted and not written yet, for a process that ends."""
        return [note for key in list(self._open) for note in self._close(key)]

    def _close(self, key: Hashable) -> list[Note]:
        window = self._open.pop(key)
        return [window.repeats] if window.repeats else []
