"""Which ids a piece of wire text speaks of, so that what was sent and heard is found by its order.

Venues call an id by many names, so every member whose name ends like one is taken. A name too many costs
a place in the index; one too few hides a frame from the order it is evidence of.
"""

from __future__ import annotations

import re
from typing import Final

MOST_NAMES: Final = 1_000
LONGEST: Final = 100
_MEMBER: Final = re.compile(
    r"\"(?!(?:product|instrument|profile|portfolio|retail_portfolio|user|account|asset)_?id)"
    r"\w*(?:id|ids|oid|cloid|ref|link)\"\s*:\s*(\[[^\]{}]{1,20000}\]|\"[^\"\\]{4,100}\"|\d{4,40})",
    re.IGNORECASE,
)
_LISTED: Final = re.compile(r"\"([^\"\\]{4,100})\"|(\d{4,40})")
# An id in a path: longer than a word, with a digit in it, and no time.
_IN_A_LINE: Final = re.compile(r"(?:/|=|:|%3A)((?=[\w-]*\d)(?!\d{4}-\d\d-\d\dT)[\w-]{6,100})")


def names_in(*, text: str, line: str = "", reference: str = "") -> list[str]:
    """Return each once, in lower case: some venues write our ids back so."""
    found: dict[str, None] = {}
    if reference:
        found[_written(reference)] = None
    for name in _IN_A_LINE.findall(line):
        found[_written(name)] = None
    for said in _MEMBER.findall(text):
        for quoted, number in _LISTED.findall(said):
            found[_written(quoted or number)] = None
        if len(found) >= MOST_NAMES:
            break
    return list(found)[:MOST_NAMES]


def _written(name: str) -> str:
    return name.lower()[:LONGEST]
