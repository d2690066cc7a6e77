"""What a mock venue was asked, in order, and the questions a test has about that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in, whatever became of it."""

    method: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.method}({said})"


class Records:
    """The calls of one mock venue."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def last_call(self, method: str) -> Call:
        found = self.calls_of(method)
        self._hold(found, f"{method} was never called")
        return found[-1]

    def assert_called(self, method: str, *, times: int | None = None, **arguments: Any) -> None:
        """Hold that a method was called, with these arguments among others, so many times."""
        found = [
            call
            for call in self.calls_of(method)
            if all(_holds(call.arguments, name, value) for name, value in arguments.items())
        ]
        is_so = bool(found) if times is None else len(found) == times
        wanted = str(Call(method, arguments))
        often = "never" if not found else f"{len(found)} times"
        self._hold(is_so, f"{wanted} was called {often}")

    def assert_not_called(self, *methods: str) -> None:
        found = [call for call in self.calls if call.method in methods]
        self._hold(not found, f"not to be called: {', '.join(map(str, found))}")

    def assert_order(self, *methods: str) -> None:
        """Hold that these methods were called in this order, whatever came between."""
        made = iter(call.method for call in self.calls)
        missing = next((one for one in methods if one not in made), "")
        self._hold(not missing, f"{missing} did not come in its turn")

    def _hold(self, is_so: object, complaint: str) -> None:
        if not is_so:
            all_of_them = ", ".join(map(str, self.calls)) or "none"
            message = f"{complaint}; the calls were: {all_of_them}"
            raise AssertionError(message)


def _holds(arguments: Mapping[str, Any], name: str, value: object) -> bool:
    return name in arguments and bool(arguments[name] == value)
