"""Plants a member nobody knows into every object of a sound message, one object at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from tests.venues.adapters.fuzz.judging import Decoder

NAME, VALUE = "shoe_size", {"private_key": "hunter2", "cm": 43}
SHOWN = 'shoe_size = {"private_key":"[redacted]","cm":43}'
Way = tuple[str | int, ...]


def objects(message: Any, way: Way = ()) -> Iterator[Way]:
    """Say where in a message its objects are."""
    if isinstance(message, dict):
        yield way
    inside = message.items() if isinstance(message, dict) else enumerate(message)
    for step, inner in inside:
        if isinstance(inner, dict | list):
            yield from objects(inner, (*way, step))


def meaning(value: Any) -> Any:
    """Take apart what was read, without what is kept of how it was written."""
    if is_dataclass(value):
        names = [one.name for one in fields(value) if one.name != "raw"]
        return {name: meaning(getattr(value, name)) for name in names}
    return [meaning(one) for one in value] if isinstance(value, list | tuple) else value


def planted(decoder: Decoder, *, unread: Sequence[Way]) -> list[str]:
    """Hold a decoder to it: a sound message reports nothing, a planted member is told once.

    `unread` says which objects nobody looks into, and those whose members are no fixed names.
    """
    _forget(decoder)
    expected = meaning(decoder.read(json.dumps(decoder.sample).encode()))
    assert decoder.sink.kept == []
    found = []
    for way in objects(decoder.sample) if isinstance(decoder.sample, dict | list) else ():
        if any(way[-len(one) :] == one for one in unread):
            continue
        _forget(decoder)
        place = message = json.loads(json.dumps(decoder.sample))
        for step in way:
            place = place[step]
        place[NAME] = VALUE
        body = json.dumps(message).encode()
        for _ in range(2):
            assert meaning(decoder.read(body)) == expected
        ((kind, detail),) = decoder.sink.kept
        assert kind == "unknown field"
        assert detail.partition(".")[2] == SHOWN
        found.append(detail)
    return found


def _forget(decoder: Decoder) -> None:
    decoder.sink.kept.clear()
    decoder.noticed.counts.clear()
    decoder.noticed.told.clear()
