"""Typed readers of the environment that refuse instead of guessing.

Every problem is collected and told in one line a variable, with what is expected; the process
then ends with exit code 2. A variable that holds a secret may come from the file named by
`<NAME>_FILE` instead.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import environ

T = TypeVar("T")
MIN_SECRET_LENGTH = 50


class Refused(Exception):
    """One variable cannot be used, and the message says why."""


def _refuse(why: str) -> NoReturn:
    raise Refused(why)


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def load_files(root: Path) -> None:
    """Fill unset variables from `.env`, or from the running local desk's own file."""
    if os.environ.get("ENVIRONMENT"):
        return
    local = Path(os.environ.get("LOCAL_DIR", root / ".local")) / "env"
    for candidate in (root / ".env", local):
        if candidate.is_file():
            environ.Env.read_env(candidate)
            return


class Environment:
    """Reads variables, remembers what is wrong, and says it all at once."""

    def __init__(self, variables: Iterable[tuple[str, str]]) -> None:
        self._variables = dict(variables)
        self._problems: list[str] = []

    def text(self, name: str, *, default: str | None = None, expected: str = "a text") -> str:
        return self._read(name, str, default, expected, fallback="")

    def secret(self, name: str, *, min_length: int = 1, expected: str = "a secret") -> str:
        def long_enough(value: str) -> str:
            if len(value) < min_length:
                _refuse(f"has {len(value)} characters")
            return value

        return self._read(name, long_enough, None, f"{expected}, or {name}_FILE", fallback="")

    def flag(self, name: str, *, default: bool = False) -> bool:
        def boolean(value: str) -> bool:
            if value.lower() in {"1", "true", "yes", "on"}:
                return True
            if value.lower() in {"0", "false", "no", "off"}:
                return False
            _refuse(f"is {value!r}")

        return self._read(name, boolean, default, "true or false", fallback=default)

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        def bounded(value: str) -> int:
            if not re.fullmatch(r"-?\d{1,12}", value) or not low <= int(value) <= high:
                _refuse(f"is {value!r}")
            return int(value)

        return self._read(
            name, bounded, default, f"a whole number from {low} to {high}", fallback=default
        )

    def choice(self, name: str, options: Iterable[str], *, default: str | None = None) -> str:
        allowed = tuple(options)

        def one_of(value: str) -> str:
            if value not in allowed:
                _refuse(f"is {value!r}")
            return value

        return self._read(
            name, one_of, default, f"one of {', '.join(allowed)}", fallback=allowed[0]
        )

    def names(self, name: str, *, default: str | None = None) -> list[str]:
        """Read a list; one that is given holds at least one name."""

        def split(value: str) -> list[str]:
            return _listed(value) or _refuse("names nothing")

        otherwise = None if default is None else _listed(default)
        return self._read(name, split, otherwise, "names, with commas between", fallback=[])

    def secrets(self, name: str, *, expected: str) -> list[str]:
        """Read a list of secrets, at least one."""

        def split(value: str) -> list[str]:
            return _listed(value) or _refuse("holds none")

        return self._read(name, split, None, f"{expected}, or {name}_FILE", fallback=[])

    def origins(self, name: str) -> list[str]:
        """Read a list of schemes with hosts, such as a browser sends; it may be empty."""
        found = self.names(name, default="")
        for one in found:
            if not re.fullmatch(r"https?://[^/\s]+", one):
                self.refuse(name, f"holds {one!r}", "origins such as https://desk.example.com")
        return found

    def url(
        self,
        name: str,
        schemes: Iterable[str],
        *,
        default: str | None = None,
        path: tuple[str, str] = (".*", "..."),
    ) -> str:
        """Read a URL with a host; `path` is what has to follow it, as a pattern and in words."""
        allowed = tuple(schemes)
        pattern, words = path

        def with_host(value: str) -> str:
            try:
                parts = urlsplit(value)
                port_is_fine = parts.port is None or parts.port > 0
            except ValueError as error:
                _refuse(f"is not a URL ({error})")
            if parts.scheme not in allowed:
                _refuse(f"starts with {parts.scheme or 'nothing'!r}")
            if not parts.hostname or not port_is_fine:
                _refuse("names no host")
            if not re.fullmatch(pattern, parts.path.removeprefix("/")):
                _refuse(f"goes on with {parts.path or 'nothing'!r} after the host")
            return value

        expected = f"a URL such as {allowed[0]}://host:port/{words}"
        return self._read(name, with_host, default, expected, fallback=f"{allowed[0]}://invalid/0")

    def refuse(self, name: str, problem: str, expected: str) -> None:
        """Add a problem found by the caller, such as two values that contradict each other."""
        self._problems.append(f"{name}: {problem}; expected {expected}.")

    def finish(self) -> None:
        """End the process when anything was refused."""
        if self._problems:
            self._exit()

    def _exit(self) -> NoReturn:
        for problem in self._problems:
            sys.stderr.write(f"cqops: {problem}\n")
        raise SystemExit(2)

    def _raw(self, name: str) -> str | None:
        value = self._variables.get(name)
        if value:
            return value.strip()
        source = self._variables.get(f"{name}_FILE")
        if not source:
            return None
        try:
            return Path(source).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            _refuse(f"the file {source} cannot be read ({type(error).__name__})")

    def _read(
        self,
        name: str,
        convert: Callable[[str], T],
        default: T | None,
        expected: str,
        *,
        fallback: T,
    ) -> T:
        try:
            value = self._raw(name)
            if value:
                return convert(value)
            if default is not None:
                return default
            _refuse("is missing")
        except Refused as refusal:
            self._problems.append(f"{name}: {refusal}; expected {expected}.")
            return fallback
