"""What one method of a mock venue does when it is called, as the test says.

The script decides first; where it says nothing, the venue answers by what it keeps. Words said last
go first: a failure on the third call is heard although an answer for every call was given.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# What a method does by itself, as the last resort.
Usual = Callable[[], Any]
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A failure that comes after the venue has done what it was asked."""

    error: Exception


class Script:
    """The words for one method. Each of them returns the script, so that they can be chained."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._calls = 0
        self._numbered: dict[int, Exception | Accepted] = {}
        self._in_turn: deque[Any] = deque()
        self._always: Any = _NOTHING
        self._function: Callable[..., Any] | None = None
        self._seconds = 0.0

    # What a test says

    def returns(self, answer: Any) -> Script:
        """Give this answer to every call."""
        self._always = answer
        return self

    def returns_in_turn(self, *answers: Any) -> Script:
        """Give one answer a call; an error among them is raised. Afterwards it is as before."""
        self._in_turn.extend(answers)
        return self

    def calls(self, function: Callable[..., Any]) -> Script:
        """Let a function answer, plain or async; it is given the call's arguments by name."""
        self._function = function
        return self

    def raises(self, error: Exception) -> Script:
        """Fail every call."""
        self._always = error
        return self

    def fails(self, error: Exception, *, on_call: int) -> Script:
        """Fail one call, counted from 1 since the venue was made."""
        self._numbered[on_call] = error
        return self

    def accepts_then_fails(self, error: Exception, *, on_call: int | None = None) -> Script:
        """Do what is asked and fail all the same: an order stands whose answer was lost."""
        if on_call is None:
            self._always = Accepted(error)
        else:
            self._numbered[on_call] = Accepted(error)
        return self

    def takes(self, seconds: float) -> Script:
        """Let every answer wait; the venue sleeps by the `sleep` it was made with."""
        self._seconds = seconds
        return self

    # What the venue asks

    async def play(
        self,
        arguments: Mapping[str, Any],
        usual: Usual,
        sleep: Callable[[float], Awaitable[None]],
    ) -> Any:
        said = self._next()
        if self._seconds:
            await sleep(self._seconds)
        if said is _NOTHING and self._function is not None:
            answer = self._function(**arguments)
            return await answer if inspect.isawaitable(answer) else answer
        return _told(said, usual)

    def play_at_once(self, arguments: Mapping[str, Any], usual: Usual) -> Any:
        """Play for a method that is not awaited: one that subscribes."""
        said = self._next()
        if self._seconds:
            message = f"{self._method} is not awaited, so it cannot take its time"
            raise ValueError(message)
        if said is _NOTHING and self._function is not None:
            return self._function(**arguments)
        return _told(said, usual)

    def _next(self) -> Any:
        self._calls += 1
        if self._calls in self._numbered:
            return self._numbered[self._calls]
        return self._in_turn.popleft() if self._in_turn else self._always


def _told(said: Any, usual: Usual) -> Any:
    if said is _NOTHING:
        return usual()
    if isinstance(said, Accepted):
        usual()
        raise said.error
    if isinstance(said, Exception):
        raise said
    return said
