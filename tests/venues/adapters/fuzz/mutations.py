"""Ways to break a message: its values, its structure, its bytes."""

from __future__ import annotations

import json
import random
from typing import Any

POISON = (
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "NaN",
    "-Infinity",
    "1e400",
    "-0",
    "9" * 5000,
    "\ud800",
    "\uff10\uff11\uff12",
    "\u00e9" * 300,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999-23:59",
    [],
    {},
    [[[[]]]],
)


def mutate(dice: random.Random, value: Any) -> bytes:
    """Break a message in one of two ways, so that half of what is tried is still JSON."""
    if dice.random() < 0.5:
        return json.dumps(mutate_value(dice, value)).encode()
    return mutate_bytes(dice, json.dumps(value).encode())


def mutate_value(dice: random.Random, value: Any) -> Any:
    """Change one thing somewhere inside: poison it, leave it out, double it, or swap two."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        chance = dice.random()
        if chance < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        if chance < 0.15:
            return {**value, key: value[dice.choice(list(value))]}
        return {**value, key: mutate_value(dice, value[key])}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        if dice.random() < 0.1:
            return [*value, value[at]]
        return [*value[:at], mutate_value(dice, value[at]), *value[at + 1 :]]
    return dice.choice(POISON)


def mutate_bytes(dice: random.Random, body: bytes) -> bytes:
    broken = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(broken))
        kind = dice.randrange(16)
        if kind < 5:
            broken[at] ^= 1 << dice.randrange(8)
        elif kind < 8:
            del broken[at : at + dice.randint(1, 3)]
        elif kind < 10:
            del broken[at:]
        elif kind < 15:
            broken[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 5)))
        else:
            broken[at:at] = b"[" * dice.choice([1, 2000])
        if not broken:
            return b""
    return bytes(broken)
