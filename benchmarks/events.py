"""What does telling the outside cost an order?

The same transaction, `place`, is timed with and without its event while a relay publishes in a process
of its own, as on a desk. They take turns in blocks with a rest between: waking the relay and publishing
happen after the commit, and in single turns would fall on the next order, the one without. What `emit`
takes is also timed by itself, beside a `SELECT 1` in the same transaction, which tells how much of a
long time is the machine's.

It fails when the p99 of the transaction with its event is `BUDGET_MS` or more above the p99 without, or
more than `LIMIT` times it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import uuid
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cqops.settings")
django.setup()

from django.db import connection
from django.utils import timezone

from benchmarks._stage import Stage
from cqops.platform.events.models import Event
from cqops.platform.events.services import emit
from trading import events
from trading.services.tickets import place

BLOCKS, BLOCK = 20, 75
REST_SECONDS = 0.3
BUDGET_MS = 5.0
LIMIT = 1.5


def await_published() -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and Event.objects.filter(published_at=None).exists():
        time.sleep(0.2)


def one(stage: Stage) -> float:
    began = time.perf_counter()
    place(ticket=stage.ticket, client_order_id=str(uuid.uuid4()), by=stage.trader)
    return (time.perf_counter() - began) * 1000


def block(stage: Stage) -> list[float]:
    """Time one block, once what the last one left behind is done."""
    time.sleep(REST_SECONDS)
    return [one(stage) for _ in range(BLOCK)]


def quantile(taken: list[float], share: float) -> float:
    return sorted(taken)[int(len(taken) * share)]


def say(name: str, taken: list[float]) -> None:
    print(
        f"{name:<28} {len(taken):>5}   median {statistics.median(taken):6.2f} ms"
        f"   p95 {quantile(taken, 0.95):6.2f} ms   p99 {quantile(taken, 0.99):6.2f} ms"
    )


class Watch:
    """Times `emit` where a service calls it, beside a statement that does nothing."""

    def __init__(self) -> None:
        self.inside: list[float] = []
        self.nothing: list[float] = []

    def emit(self, **given: object) -> Event:
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        self.nothing.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        made = emit(**given)  # type: ignore[arg-type]
        self.inside.append((time.perf_counter() - began) * 1000)
        return made


def take_turns(watch: Watch) -> tuple[list[float], list[float]]:
    """Time orders without and with their event, while a relay publishes."""
    stage = Stage.set()
    relay = subprocess.Popen([sys.executable, "manage.py", "relay"], stderr=subprocess.DEVNULL)
    silent: list[float] = []
    told: list[float] = []
    block(stage)
    for _ in range(BLOCKS):
        with patch.object(events, "emit", lambda **_: None):
            silent += block(stage)
        told += block(stage)
        with patch.object(events, "emit", watch.emit):
            block(stage)
    await_published()
    relay.terminate()
    relay.wait()
    return silent, told


def main() -> int:
    watch = Watch()
    Event.objects.filter(published_at=None).delete()  # what an earlier benchmark left waiting
    began = timezone.now()
    silent, told = take_turns(watch)
    published = Event.objects.filter(at__gte=began).values_list("at", "published_at")
    say("place, without its event", silent)
    say("place, with its event", told)
    say("emit by itself", watch.inside)
    say("SELECT 1 beside it", watch.nothing)
    say(
        "from event to stream",
        [(there - at).total_seconds() * 1000 for at, there in published if there],
    )
    waiting = Event.objects.filter(published_at=None).count()
    added = quantile(told, 0.99) - quantile(silent, 0.99)
    ratio = quantile(told, 0.99) / quantile(silent, 0.99)
    print(f"added at the median: {statistics.median(told) - statistics.median(silent):.2f} ms")
    print(f"p99 with minus p99 without: {added:.2f} ms, the limit is {BUDGET_MS:.0f} ms")
    print(f"p99 with over p99 without: {ratio:.2f}, the limit is {LIMIT}")
    load = os.getloadavg()[0]
    print(
        f"waiting at the end: {waiting}; load of this machine {load:.1f} on {os.cpu_count()} cores"
    )
    connection.close_pool()
    return 0 if added < BUDGET_MS and ratio <= LIMIT and not waiting else 1


if __name__ == "__main__":
    sys.exit(main())
