"""Stops asking a venue account that does not answer, and tries it again with one call at a time.

    closed ── so many temporary failures in a row ──> open
    open ── its pause is over ──> half open           open ── a rescue was answered ──> half open
    half open ── the one probe was answered ──> closed
    half open ── the probe failed ──> open, for twice as long

Temporary failures and time-outs count. A refusal is an answer, whatever it says, and being told to
slow down is neither. A cancel, and looking up an order in doubt, always pass: when a venue is in
trouble they are what the desk needs most, and what they hear is counted like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from venues.interface.errors import Cause, NotSent, VenueError
from venues.transport.answers import HeldBack
from venues.transport.operation import Priority


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How much a venue account may fail, and how long it is then left alone."""

    failures: int = 5
    first_pause_seconds: float = 2.0
    longest_pause_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the venue page shows of a breaker."""

    state: State
    failures: int
    again_in_seconds: float
    last_failure: str


class Breaker:
    """The breaker of one venue account in one process."""

    def __init__(
        self,
        *,
        stopwatch: Callable[[], float],
        tolerance: Tolerance | None = None,
        on_change: Callable[[View], None] | None = None,
    ) -> None:
        self._stopwatch = stopwatch
        self._tolerance = tolerance or Tolerance()
        self._on_change = on_change
        self._state = State.CLOSED
        self._failures = 0
        self._pauses = 0
        self._again_at = 0.0
        self._is_probed = False
        self._last_failure = ""

    def view(self) -> View:
        again_in = max(self._again_at - self._stopwatch(), 0.0)
        return View(
            state=self._state,
            failures=self._failures,
            again_in_seconds=again_in if self._state is State.OPEN else 0.0,
            last_failure=self._last_failure,
        )

    @contextmanager
    def passage(self, priority: Priority) -> Iterator[None]:
        """Let one attempt through, or refuse it before it costs anything; learn how it ended."""
        is_probe = self._admit(priority)
        try:
            yield
        except VenueError as error:
            if error.cause is Cause.TEMPORARY and not isinstance(error, HeldBack):
                self._failed(str(error), is_probe=is_probe)
            elif error.cause is not Cause.RATE_LIMITED and not isinstance(error, NotSent):
                self._answered(priority)
            raise
        else:
            self._answered(priority)
        finally:
            # A cancelled probe proved nothing: the next call is the probe.
            if is_probe:
                self._is_probed = False

    def _admit(self, priority: Priority) -> bool:
        """Say whether this call is the probe of a half-open breaker."""
        if self._state is State.OPEN and self._stopwatch() >= self._again_at:
            self._move(State.HALF_OPEN)
        if self._state is State.CLOSED or priority is Priority.RESCUE:
            return False
        if self._state is State.HALF_OPEN and not self._is_probed:
            self._is_probed = True
            return True
        wait = max(self._again_at - self._stopwatch(), 0.0)
        message = f"the venue did not answer {self._failures} times; it is asked again soon"
        raise HeldBack(message, cause=Cause.TEMPORARY, retry_after=wait)

    def _failed(self, words: str, *, is_probe: bool) -> None:
        self._failures += 1
        self._last_failure = words
        is_too_much = self._state is State.CLOSED and self._failures >= self._tolerance.failures
        if is_too_much or is_probe:
            pause = self._tolerance.first_pause_seconds * (1 << min(self._pauses, 16))
            self._pauses += 1
            self._again_at = self._stopwatch() + min(pause, self._tolerance.longest_pause_seconds)
            self._move(State.OPEN)

    def _answered(self, priority: Priority) -> None:
        if self._state is State.OPEN:
            # Only a rescue is let through here; that it was answered earns a probe at once.
            self._move(State.HALF_OPEN)
        elif self._state is State.HALF_OPEN and priority is not Priority.RESCUE:
            self._pauses = 0
            self._failures = 0
            self._move(State.CLOSED)
        elif self._state is State.CLOSED:
            self._failures = 0

    def _move(self, state: State) -> None:
        self._state = state
        if self._on_change is not None:
            self._on_change(self.view())
