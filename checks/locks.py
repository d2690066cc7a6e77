"""The lock files: solved from pyproject.toml, hashed, free of addresses, and provably fresh.

Solving again needs a package index, so freshness is proved offline instead: the first line of each
lock carries a digest of the dependency lists it was solved from.
"""

import hashlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from checks.tools import ROOT, run, tool

HEADER = "# `make lock` wrote this from pyproject.toml, dependencies sha256:"
OLDEST_PYTHON = "3.11"
PIN = re.compile(r"^[A-Za-z0-9._-]+(\[[^]]*\])?==\S+")
FORBIDDEN = re.compile(r"://|^\s*(-i|-f|--index-url|--extra-index-url|--find-links)\b")


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock file and what decides its content."""

    name: str
    lists: tuple[str, ...]
    options: tuple[str, ...]


LOCKS = (
    Lock(name="requirements.lock", lists=("project",), options=("pyproject.toml",)),
    Lock(
        name="requirements-dev.lock",
        lists=("project", "dev"),
        options=("--group", "dev", "-c", "requirements.lock"),
    ),
    *(
        Lock(name=f"tests/oracles/{name}.lock", lists=(f"oracle-{name}",), options=())
        for name in ("sdks", "ccxt", "schemathesis")
    ),
)


def digest(lock: Lock, pyproject: str) -> str:
    """Condense what a lock is solved from; layout and comments do not matter."""
    data = tomllib.loads(pyproject)
    lists = {
        "project": sorted(data["project"]["dependencies"]),
        **{name: sorted(group) for name, group in data["dependency-groups"].items()},
        "python": data["project"]["requires-python"],
    }
    chosen = {name: lists[name] for name in (*lock.lists, "python")}
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def problems(lock: Lock, text: str, pyproject: str) -> Iterator[str]:
    """Report what is wrong with a lock's text."""
    lines = text.splitlines()
    if not lines or lines[0] != HEADER + digest(lock, pyproject):
        yield f"{lock.name}: not solved from the present pyproject.toml; run `make lock`"
    yield from (
        f"{lock.name}:{number}: holds an address: {line.strip()[:60]}"
        for number, line in enumerate(lines, start=1)
        if FORBIDDEN.search(line)
    )
    yield from _without_hash(lock, lines)


def _without_hash(lock: Lock, lines: list[str]) -> Iterator[str]:
    entries = "\n".join(line for line in lines if not line.startswith("#"))
    for entry in re.split(r"\n(?=\S)", entries):
        first = entry.strip().splitlines()[0] if entry.strip() else ""
        if first and not PIN.match(first):
            yield f"{lock.name}: not pinned: {first[:60]}"
        elif first and "--hash=sha256:" not in entry:
            yield f"{lock.name}: without a hash: {first[:60]}"


def check() -> tuple[bool, str]:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = [
        problem
        for lock in LOCKS
        for problem in problems(lock, (ROOT / lock.name).read_text(encoding="utf-8"), pyproject)
    ]
    return not found, "\n".join(found)


def write() -> int:
    """Solve again, keeping every pin that still fits unless ARGS=upgrade asks for newer ones."""
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for lock in LOCKS:
        command = tool("uv", "pip", "compile", "--quiet", "--universal")
        command += ["--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-header"]
        command += ["--no-annotate", "--no-emit-index-url", "-o", lock.name]
        command += lock.options or ["--group", lock.lists[0]]
        command += ["--upgrade"] if os.environ.get("ARGS") == "upgrade" else []
        is_fine, output = run(command, os.environ)
        if not is_fine:
            print(output, file=sys.stderr)
            return 1
        stamp(lock, pyproject)
        print(f"Wrote {lock.name}")
    return 0


def stamp(lock: Lock, pyproject: str) -> None:
    """Put the digest in front of what was solved."""
    path = ROOT / lock.name
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    path.write_text("\n".join([HEADER + digest(lock, pyproject), *pins, ""]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())
