"""Addresses made to be taken for one another: the same first and last characters, and something else between.

People compare the ends of an address, and whoever poisons a history makes one whose ends fit. The
pattern is read alike by Python and by PostgreSQL, which compares all addresses at once.
"""

from __future__ import annotations

import re

SHOWN = 4
# What every address of a family begins with is no likeness: 0x, Tron's T, and the name of a bech32 chain.
# What is shorter than any address, or has other signs in it (a denomination), has no ends.
ENDS = (
    r"^(?:0x|T(?=[1-9A-HJ-NP-Za-km-z]{33}$)|[a-z]+1(?=[02-9ac-hj-np-z]+$))?"
    rf"(?=[0-9A-Za-z]{{24,}}$)(.{{{SHOWN}}}).*(.{{{SHOWN}}})$"
)
_READ = re.compile(ENDS)


def ends(key: str) -> tuple[str, str] | None:
    """Return the characters of an address that people look at, or none of what is no address."""
    found = _READ.search(key)
    return (found[1], found[2]) if found else None


def are_near(one: str, other: str) -> bool:
    """Tell whether two different addresses, as they are compared, look the same at a glance."""
    seen = ends(one)
    return one != other and seen is not None and seen == ends(other)
