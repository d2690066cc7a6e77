"""Addresses that may be taken for one another: the same ends with something else between, or one half the same.

People compare the ends of an address, and whoever poisons a history makes one whose ends fit. One that
is a single character away shares one half. The pattern is read alike by Python and by PostgreSQL, which
compares all addresses at once.
"""

from __future__ import annotations

import re

SHOWN = 4
# What every address of a family begins with is no likeness: 0x, Tron's T, and the name of a bech32 chain.
# What is shorter than any address, or has other signs in it (a denomination), is not compared.
BODY = (
    r"^(?:0x|T(?=[1-9A-HJ-NP-Za-km-z]{33}$)|[a-z]+1(?=[02-9ac-hj-np-z]+$))?"
    r"([0-9A-Za-z]{24,})$"
)
_READ = re.compile(BODY, re.ASCII)


def glances(key: str) -> tuple[str, ...]:
    """Return what a person who only glances at an address may see of it; none of what is no address."""
    found = _READ.fullmatch(key)
    if found is None:
        return ()
    body, half = found[1], len(found[1]) // 2
    return f"{body[:SHOWN]}...{body[-SHOWN:]}", f"{body[:half]}...", f"...{body[-half:]}"


def are_near(one: str, other: str) -> bool:
    """Tell whether two different addresses, as they are compared, look the same at a glance."""
    return one != other and not set(glances(one)).isdisjoint(glances(other))
