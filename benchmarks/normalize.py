"""What does it cost to make a venue's message into ours?

Each kind of message the two Coinbase venues send is read from its bytes to the desk's own values, by
the code that reads it on a desk, and compared with two others on the same bytes: the floor, which is
`msgspec` decoding into typed structs with every amount left as text, and ccxt's parse, which runs in
an environment of its own (`make test` makes the same one). The three take turns, round after round, so
that a machine that is slow for a minute is slow for all of them; what counts is the median of the
rounds' ratios, in processor time.

Beside it: the longest that one snapshot of `LEVELS` levels holds an event loop, read and put into a
book. Goals that are missed are named; it fails when what is reached is lost again (`HELD`).
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks._messages import BATCH, PAGE, messages
from benchmarks._readers import FLOORS, READERS, hold

LEVELS = 5000
ROUNDS = int(os.environ.get("ROUNDS") or 15)
SECONDS_A_CASE = 0.02
HOLDS = 200

CHECKOUT = Path(__file__).resolve().parents[1]
ORACLE = CHECKOUT / ".local" / "oracles" / "ccxt"


class Goals(NamedTuple):
    """How far from the two others a message may be at most, and how long a loop may stand still."""

    book_over_floor: float
    book_under_ccxt: float
    other_under_ccxt: float
    hold_ms: float


GOALS = Goals(book_over_floor=1.8, book_under_ccxt=4, other_under_ccxt=15, hold_ms=10)
# What is reached, with a quarter's margin: ratios move that much from one hour to another.
HELD = Goals(book_over_floor=2.8, book_under_ccxt=4, other_under_ccxt=3.5, hold_ms=10)
ITEMS = {"trades": BATCH, "orders by REST": PAGE, "fills by REST": PAGE}
"""How many things one message of a kind holds, where it is more than one."""


@dataclass(frozen=True)
class Case:
    """One kind of message and what the three made of it, a time for every round."""

    name: str
    ours: list[float]
    floor: list[float]
    ccxt: list[float]

    @property
    def over_floor(self) -> float:
        return statistics.median(a / b for a, b in zip(self.ours, self.floor, strict=True))

    @property
    def under_ccxt(self) -> float | None:
        if not self.ccxt:
            return None
        return statistics.median(b / a for a, b in zip(self.ours, self.ccxt, strict=True))

    @property
    def most_under_ccxt(self) -> float | None:
        """Say how far below ccxt the floor itself is: nobody who decodes can be further."""
        if not self.ccxt:
            return None
        return statistics.median(b / a for a, b in zip(self.floor, self.ccxt, strict=True))

    @property
    def micros(self) -> float:
        _, _, kind = self.name.partition(" ")
        each = ITEMS.get(kind, 1) if self.name != "exchange trades" else 1
        return statistics.median(self.ours) * 1e6 / each

    def misses(self, goals: Goals) -> Iterator[str]:
        is_book = "book" in self.name
        goal = goals.book_under_ccxt if is_book else goals.other_under_ccxt
        if is_book and self.over_floor > goals.book_over_floor:
            yield f"{self.name}: {self.over_floor:.2f} of the floor, not {goals.book_over_floor}"
        # No goal was set for tickers.
        if "ticker" not in self.name and self.under_ccxt is not None and self.under_ccxt < goal:
            yield f"{self.name}: {self.under_ccxt:.1f} times under ccxt, not {goal:g}"


class Ccxt:
    """The other process; it waits for its turn."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        python = ORACLE / "bin" / "python"
        self._process = subprocess.Popen(
            [python, Path(__file__).with_name("_ccxt.py")],
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._say(json.dumps({name: body.decode() for name, body in bodies.items()}))
        self.version = self._hear().strip()

    def round(self) -> dict[str, float]:
        self._say("")
        found: dict[str, float] = json.loads(self._hear())
        return found

    def close(self) -> None:
        self._in.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        self._in.write(line + "\n")
        self._in.flush()

    def _hear(self) -> str:
        return self._out.readline()


def install_ccxt() -> bool:
    """Bring ccxt's environment up to its lock; without it only the floor is compared with."""
    command = [sys.executable, "-m", "cqops.platform.local.bootstrap", "oracle", "ccxt", ORACLE]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode == 0


def times_for(read: Callable[[bytes], Any], body: bytes) -> int:
    read(body)
    began = time.process_time()
    for _ in range(3):
        read(body)
    return max(1, int(SECONDS_A_CASE / max((time.process_time() - began) / 3, 1e-6)))


def taken(read: Callable[[bytes], Any], body: bytes, times: int) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(times):
        read(body)
    return (time.process_time() - began) / times


def measure(bodies: Mapping[str, bytes], ccxt: Ccxt | None, rounds: int) -> list[Case]:
    """Let the three take turns."""
    cases = {name: Case(name, [], [], []) for name in bodies}
    both = {name: (READERS[name], msgspec.json.Decoder(FLOORS[name]).decode) for name in bodies}
    times = {name: [times_for(read, bodies[name]) for read in pair] for name, pair in both.items()}
    for _ in range(rounds):
        theirs = ccxt.round() if ccxt else {}
        for name, case in cases.items():
            for read, kept, often in zip(
                both[name], (case.ours, case.floor), times[name], strict=True
            ):
                kept.append(taken(read, bodies[name], often))
            case.ccxt.extend([theirs[name]] if name in theirs else [])
    return list(cases.values())


def show(cases: list[Case]) -> None:
    print(f"{'message':<26} {'us each':>8} {'over floor':>11} {'under ccxt':>11} {'at most':>8}")
    for case in cases:
        ccxt = f"{case.under_ccxt:.1f}" if case.under_ccxt else "-"
        most = f"{case.most_under_ccxt:.1f}" if case.most_under_ccxt else "-"
        print(f"{case.name:<26} {case.micros:>8.2f} {case.over_floor:>11.2f} {ccxt:>11} {most:>8}")


def longest_hold(name: str, body: bytes, times: int) -> float:
    held = sorted(hold(name, body) * 1000 for _ in range(times))
    print(f"{name}, into a book: median {held[times // 2]:.1f} ms, longest {held[-1]:.1f} ms")
    return held[-1]


def compare(bodies: Mapping[str, bytes], ccxt: Ccxt | None, *, rounds: int, holds: int) -> bool:
    """Measure, show, and say whether what was reached is kept."""
    cases = measure(bodies, ccxt, rounds)
    show(cases)
    snapshots = [name for name in bodies if name.endswith("snapshot")]
    held = max(longest_hold(name, bodies[name], holds) for name in snapshots)
    for what, goals in (("goal missed", GOALS), ("LOST", HELD)):
        missed = [miss for case in cases for miss in case.misses(goals)]
        missed += [f"a loop held {held:.1f} ms, not {goals.hold_ms:g}"] * (held > goals.hold_ms)
        for miss in missed:
            print(f"{what}: {miss}")
    print(f"load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return not missed


def main() -> int:
    bodies = messages(levels=LEVELS)
    if not install_ccxt():
        print("ccxt could not be installed, so nothing is compared with it")
        return 1
    ccxt = Ccxt(bodies)
    print(f"ccxt {ccxt.version}, {ROUNDS} rounds in turn; processor time")
    try:
        return 0 if compare(bodies, ccxt, rounds=ROUNDS, holds=HOLDS) else 1
    finally:
        ccxt.close()


if __name__ == "__main__":
    sys.exit(main())
