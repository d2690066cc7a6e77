"""A consumer of the desk's events that loses nothing and does nothing twice.

    python examples/consume_events.py --redis redis://... --name worker-1 order position

It belongs to a consumer group, so several of it share the work. Redis delivers at least once: what was
done is written down in the same SQLite transaction as its effect, and an event that comes again is only
acknowledged. An entry that some consumer took and never finished is taken over after a while
(XAUTOCLAIM). A Redis that came back empty is met by making the group again, from the beginning.

The effect here is a table of the latest state of each order and position. Replace `apply`.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

GROUP = "example"
BATCH = 100
WAIT_MS = 1_000
ABANDONED_MS = 30_000
TABLES = """
    CREATE TABLE IF NOT EXISTS done (id INTEGER PRIMARY KEY, stream TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS seen (
        aggregate TEXT NOT NULL, aggregate_id TEXT NOT NULL, events INTEGER NOT NULL,
        kind TEXT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (aggregate, aggregate_id)
    );
"""
Message = tuple[str, dict[str, str]]


@dataclass
class Consumer:
    """One member of the group, with its own memory of what it has done."""

    client: redis.Redis
    store: sqlite3.Connection
    streams: list[str]
    name: str
    abandoned_ms: int = ABANDONED_MS

    def __post_init__(self) -> None:
        self.store.executescript(TABLES)

    def run(self) -> None:
        """Go on for ever; an answer that was lost costs a pause and no event."""
        while True:
            try:
                self.step()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                print(f"Redis is away: {error}", flush=True)
                time.sleep(1)

    def step(self, wait_ms: int = WAIT_MS) -> int:
        """Finish what others abandoned, then take what is new; tell how many were done."""
        try:
            taken = [*self._abandoned(), *self._new(wait_ms)]
        except redis.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._join()
            return 0
        return sum(self._do(stream, message) for stream, message in taken)

    def apply(self, stream: str, event: dict[str, str]) -> None:
        """Take in one event; runs once for each, inside the transaction that remembers it."""
        json.loads(event["payload"])  # a payload that cannot be read must not be acknowledged
        self.store.execute(
            "INSERT INTO seen VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET"
            " events = events + 1, kind = excluded.kind, payload = excluded.payload",
            (stream, event["aggregate_id"], event["kind"], event["payload"]),
        )

    def _do(self, stream: str, message: Message) -> int:
        key, event = message
        with self.store:
            is_new = self.store.execute(
                "INSERT OR IGNORE INTO done VALUES (?, ?)", (int(event["id"]), stream)
            ).rowcount
            if is_new:
                self.apply(stream, event)
        # Only now: whoever dies before this line gets the event again, and passes over it.
        self.client.xack(stream, GROUP, key)
        return int(is_new)

    def _new(self, wait_ms: int) -> Iterator[tuple[str, Message]]:
        wanted: dict[Any, Any] = dict.fromkeys(self.streams, ">")
        answer: Any = self.client.xreadgroup(GROUP, self.name, wanted, count=BATCH, block=wait_ms)
        for stream, messages in answer or []:
            for message in messages:
                yield stream, message

    def _abandoned(self) -> Iterator[tuple[str, Message]]:
        for stream in self.streams:
            _, messages, *_ = self.client.xautoclaim(
                stream, GROUP, self.name, min_idle_time=self.abandoned_ms, count=BATCH
            )
            for message in messages:
                if message[1]:  # trimmed away meanwhile: nothing is left of it
                    yield stream, message

    def _join(self) -> None:
        """Make the group where it is missing, to read each stream from its first entry."""
        for stream in self.streams:
            try:
                self.client.xgroup_create(stream, GROUP, id="0", mkstream=True)
            except redis.ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--redis", required=True, help="REDIS_URL of the desk")
    parser.add_argument("--name", default="one", help="of this member of the group")
    parser.add_argument("--store", type=Path, default=Path("consumed.sqlite3"))
    parser.add_argument("aggregates", nargs="+", help="such as order, position")
    given = parser.parse_args()
    client = redis.Redis.from_url(given.redis, decode_responses=True, socket_timeout=10)
    streams = [f"events:{aggregate}" for aggregate in given.aggregates]
    consumer = Consumer(client, sqlite3.connect(given.store), streams, given.name)
    print(f"Reading {', '.join(streams)} as {given.name}; Ctrl-C ends it.", flush=True)
    try:
        consumer.run()
    except KeyboardInterrupt:
        print("Ended; what was taken and not acknowledged comes again.")


if __name__ == "__main__":
    main()
