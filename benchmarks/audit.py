"""Do orders still commit in their usual time while one transaction fills the log for a minute?

The same order transactions (`place`, with its audit entry) are timed twice: with nothing beside them,
and while one long transaction writes 50,000 entries and the sequencer seals twice a second. It fails
when the second time is more than `LIMITS` times the first: two cores are shared by three then, so some of
that is the machine's, but a lock that orders wait for would cost a multiple.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cqops.settings")
django.setup()

from django.db import connection, transaction
from django.db.models import Max

from benchmarks._stage import Stage
from cqops.platform.audit import proof
from cqops.platform.audit.models import Entry, Seal
from cqops.platform.audit.sequencer import Sequencer
from cqops.platform.audit.services import record
from trading.services.tickets import place

SECONDS = float(os.environ.get("SECONDS", "60"))
ENTRIES = int(os.environ.get("ENTRIES", "50000"))
PAUSE = 0.02
LIMITS = {"median": (0.5, 1.5), "p95": (0.95, 2.0), "p99": (0.99, 2.5)}


def place_for(stage: Stage, seconds: float, until: threading.Event | None = None) -> list[float]:
    """Place orders at a steady pace and take the time of each."""
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (until and until.is_set()):
        began = time.perf_counter()
        place(ticket=stage.ticket, client_order_id=str(uuid.uuid4()), by=stage.trader)
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE)
    return taken


def fill(done: threading.Event) -> None:
    """Write 50,000 entries in one transaction, spread over a minute."""
    began = time.monotonic()
    with transaction.atomic():
        for number in range(ENTRIES):
            record(action="bulk.changed", subject_kind="bulk", subject_id=str(number))
            ahead = began + SECONDS * (number + 1) / ENTRIES - time.monotonic()
            if ahead > 0.01:  # noqa: PLR2004 -- sleeping less costs more than it waits
                time.sleep(ahead)
    connection.close()
    done.set()


def seal(done: threading.Event) -> None:
    """Seal as the relay does."""
    sequencer = Sequencer()
    while not done.is_set():
        sequencer.run()
        time.sleep(0.5)
    connection.close()


def longest_without_a_seal(first: int) -> float:
    """Take the longest time an order's entry waited for its seal, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM max(seal.sealed_at - entry.at)) FROM audit_seal seal"
            " JOIN audit_entry entry ON entry.id = seal.entry_id"
            " WHERE entry.action = 'order.placed' AND entry.id > %s",
            [first],
        )
        return float(cursor.fetchone()[0])


def quantile(taken: list[float], share: float) -> float:
    return sorted(taken)[min(int(len(taken) * share), len(taken) - 1)]


def say(name: str, taken: list[float]) -> None:
    print(
        f"{name:<34} {len(taken):>6} orders   median {statistics.median(taken):6.2f} ms"
        f"   p95 {quantile(taken, 0.95):6.2f} ms   p99 {quantile(taken, 0.99):6.2f} ms"
    )


def judge(alone: list[float], beside: list[float]) -> bool:
    """Say each ratio beside its limit, and whether all keep theirs."""
    ratios = {
        name: quantile(beside, share) / quantile(alone, share)
        for name, (share, _) in LIMITS.items()
    }
    for name, ratio in ratios.items():
        print(f"ratio of the {name}: {ratio:.2f}, the limit is {LIMITS[name][1]}")
    load = os.getloadavg()[0]
    print(f"load of this machine {load:.1f} on {os.cpu_count()} cores")
    return all(ratio <= LIMITS[name][1] for name, ratio in ratios.items())


def main() -> int:
    stage = Stage.set()
    place_for(stage, 3)
    alone = place_for(stage, SECONDS / 2)
    say("orders alone", alone)

    Sequencer().run()
    first = Seal.objects.aggregate(last=Max("entry_id"))["last"]
    done, stop = threading.Event(), threading.Event()
    writer = threading.Thread(target=fill, args=(done,))
    sealer = threading.Thread(target=seal, args=(stop,))
    began = time.monotonic()
    writer.start()
    sealer.start()
    beside = place_for(stage, SECONDS * 4, until=done)
    length = time.monotonic() - began
    writer.join()
    say(f"beside {ENTRIES} entries", beside)
    stop.set()
    sealer.join()

    began = time.monotonic()
    sealed = Sequencer().run()
    took = time.monotonic() - began
    began = time.monotonic()
    verdict = proof.verify()
    print(f"the long transaction wrote {ENTRIES} entries in {length:.0f} s")
    print(f"sealed after its commit: {sealed} entries in {took:.1f} s")
    print(f"longest wait of an order's entry for its seal: {longest_without_a_seal(first):.2f} s")
    print(f"verified {verdict.seals} seals in {time.monotonic() - began:.1f} s: {verdict.words()}")
    print(f"entries {Entry.objects.count()}, seals {Seal.objects.count()}")
    is_usual = judge(alone, beside)
    connection.close_pool()
    return 0 if verdict.is_good and is_usual else 1


if __name__ == "__main__":
    sys.exit(main())
