"""`make fuzz`: break ROUNDS messages for every decoder (ONLY=... names some of them), SEED varies it.

Two processes share the decoders. Exit code 1 when one of them did what no decoder may.
"""

# ruff: noqa: T201 -- it talks to a terminal
from __future__ import annotations

import multiprocessing
import os
import sys
import time

from tests.venues.adapters.fuzz.decoders import DECODERS
from tests.venues.adapters.fuzz.judging import Broken, Tally, fuzz

ROUNDS = int(os.environ.get("ROUNDS") or 1_000_000)
SEED = os.environ.get("SEED") or "1"


def attempt(name: str) -> tuple[str, Tally | str, float]:
    began = time.monotonic()
    try:
        outcome: Tally | str = fuzz(DECODERS[name], seed=f"{SEED} {name}", rounds=ROUNDS)
    except Broken as problem:
        outcome = str(problem)
    return name, outcome, time.monotonic() - began


def main() -> int:
    only = os.environ.get("ONLY", "")
    names = [name for name in DECODERS if only in name]
    broken = 0
    with multiprocessing.Pool(min(2, os.cpu_count() or 1)) as pool:
        for name, outcome, seconds in pool.imap_unordered(attempt, names):
            if isinstance(outcome, str):
                broken += 1
                print(f"BROKEN {name}: {outcome}", flush=True)
                continue
            print(
                f"ok     {name:<36} {outcome.read:>9,} read {outcome.refused:>9,} refused"
                f"   slowest {outcome.slowest * 1000:5.1f} ms   ({seconds:.0f} s)",
                flush=True,
            )
    print(f"{len(names)} decoders, {ROUNDS:,} messages each, seed {SEED}; {broken} broken")
    return 1 if broken or not names else 0


if __name__ == "__main__":
    sys.exit(main())
