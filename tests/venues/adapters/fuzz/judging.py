"""What holds of every message, however broken: read or refused, exact, quick, and on the record."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from tests.venues.adapters.fuzz.mutations import mutate
from venues.adapters.contract import Noticed
from venues.adapters.kit.reading import Unreadable
from venues.interface.errors import VenueError

LONGEST_SECONDS = 0.05
# What a venue wrote is kept beside what was read from it, in the venue's own numbers.
_AS_THE_VENUE_WROTE_IT = "raw"
_PLAIN = (str, int, datetime, Enum, type(None))


class Broken(AssertionError):
    """A decoder did what no decoder may."""


@dataclass
class Sink:
    """Keeps drift reports, as the product does."""

    kept: list[tuple[str, str]]

    def __call__(self, kind: str, detail: str) -> None:
        self.kept.append((kind, detail))

    def refusals(self) -> int:
        return sum(kind.startswith("unreadable") for kind, _ in self.kept)


@dataclass
class Tally:
    """What became of the messages of one decoder."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0


@dataclass(frozen=True)
class Decoder:
    """One way a venue's bytes come in: a sound message, and what reads it.

    `read` answers what it read. What it refuses it either raises or, in a stream, reports alone.
    """

    sample: Any
    read: Callable[[bytes], Any]
    sink: Sink
    noticed: Noticed = field(default_factory=Noticed)


def fuzz(decoder: Decoder, *, seed: str, rounds: int) -> Tally:
    """Break a message so many times and hold the decoder against every rule."""
    dice, tally = random.Random(seed), Tally()  # noqa: S311
    for _ in range(rounds):
        body = mutate(dice, decoder.sample)
        try:
            judge(decoder, body, tally)
        except Broken:
            raise
        except Exception as error:
            message = f"{type(error).__name__} on {body[:2000]!r}"
            raise Broken(message) from error
    return tally


def judge(decoder: Decoder, body: bytes, tally: Tally) -> None:
    decoder.sink.kept.clear()
    was_refused, found = False, None
    began = time.thread_time()
    try:
        found = decoder.read(body)
    except VenueError as error:
        was_refused = isinstance(error.__cause__, Unreadable)
    seconds = time.thread_time() - began
    tally.slowest = max(tally.slowest, seconds)
    if seconds > LONGEST_SECONDS:
        message = f"{seconds * 1000:.0f} ms for {body[:2000]!r}"
        raise Broken(message)
    kept = decoder.sink.refusals()
    if was_refused and kept != 1:
        message = f"refused, and reported {kept} times: {body[:2000]!r}"
        raise Broken(message)
    tally.refused += bool(kept)
    tally.read += not kept
    look_for_floats(found)


def look_for_floats(value: Any) -> None:
    """Walk what was read; every number in it is whole or an exact, finite decimal."""
    if isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()):
        message = f"not exact: {value!r}"
        raise Broken(message)
    if isinstance(value, (*_PLAIN, Decimal)):
        return
    for inner in _inside(value):
        look_for_floats(inner)


def _inside(value: Any) -> Iterable[Any]:
    if is_dataclass(value):
        names = (one.name for one in fields(value))
        return [getattr(value, name) for name in names if name != _AS_THE_VENUE_WROTE_IT]
    if isinstance(value, msgspec.Struct):
        return [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, list | tuple):
        return value
    message = f"an unexpected kind of value: {type(value).__name__}"
    raise Broken(message)


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits, for its answers are at hand, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    message = "it waited for something"
    raise Broken(message)
