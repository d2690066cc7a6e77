"""What each venue can do, as the adapters themselves declare it, written into the docs.

The table between the two marks in `docs/venues/README.md` is made from `ADAPTERS`, their
`Capabilities` and `ABILITIES`; `make docs` writes it, and `make check` refuses one that has aged.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial

from checks.tools import ROOT
from venues.adapters.contract import Adapter, Surroundings
from venues.adapters.registry import ADAPTERS
from venues.interface.client import ABILITIES
from venues.interface.types import OrderType, TimeInForce

PAGE = ROOT / "docs" / "venues" / "README.md"
BEGIN, END = "<!-- capabilities: begin -->\n", "<!-- capabilities: end -->\n"
YES, NO = "yes", "-"


def table(adapters: dict[str, Adapter]) -> str:
    names = [f"[{one.name}]({slug}.md)" for slug, one in adapters.items()]
    lines = [_row("", names), _row("---", ["---"] * len(names))]
    lines += [_row(what, [say(one) for one in adapters.values()]) for what, say in _questions()]
    return "\n".join(lines) + "\n"


def _row(head: str, cells: list[str]) -> str:
    return f"| {' | '.join([head, *cells])} |"


def _questions() -> Iterator[tuple[str, Callable[[Adapter], str]]]:
    """Name what each row asks of an adapter: its orders, its abilities, its rules."""
    for kind in OrderType:
        yield f"{_words(kind)} order", partial(_times, kind=kind)
    yield "post-only", lambda one: _listed(one.capabilities.post_only_with)
    yield "sized by notional", _notional
    for name, ability in ABILITIES.items():
        yield name, partial(_has, ability=ability)
    yield "a repeated client id is safe", lambda one: _yes(one.capabilities.repeats_are_safe)
    yield "lists by symbol only", lambda one: _yes(one.capabilities.lists_by_symbol)
    yield "absence proven after", _settling
    yield "key consists of", lambda one: ", ".join(field.label for field in one.key_fields)


def _settling(adapter: Adapter) -> str:
    seconds = adapter.capabilities.absence_seconds
    return f"at least {seconds:g} s" if seconds else "the desk's own time"


def _has(adapter: Adapter, ability: type) -> str:
    client = adapter.build(config=adapter.live, key=None, around=Surroundings())
    return _yes(isinstance(client, ability))


def _times(adapter: Adapter, kind: OrderType) -> str:
    return _listed(adapter.capabilities.times_in_force.get(kind, frozenset()))


def _listed(times: frozenset[TimeInForce]) -> str:
    return ", ".join(one.upper() for one in TimeInForce if one in times) or NO


def _notional(adapter: Adapter) -> str:
    able = adapter.capabilities
    kinds = ", ".join(_words(one) for one in OrderType if one in able.notional_with)
    sides = "buys and sells" if able.sells_by_notional else "buys"
    return f"{kinds} {sides}" if kinds else NO


def _words(kind: OrderType) -> str:
    return kind.value.replace("_", "-")


def _yes(holds: object) -> str:
    return YES if holds else NO


def renewed(page: str) -> str:
    """Return the page with the table as the code has it now."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{PAGE.relative_to(ROOT)} has lost the marks around its table"
        raise ValueError(message)
    return f"{before}{begin}\n{table(dict(ADAPTERS))}\n{end}{after}"


def check() -> tuple[bool, str]:
    page = PAGE.read_text(encoding="utf-8")
    absent = [slug for slug in ADAPTERS if not (PAGE.parent / f"{slug}.md").exists()]
    if absent:
        return False, f"no page in docs/venues for: {', '.join(absent)}"
    is_fresh = renewed(page) == page
    return is_fresh, "" if is_fresh else "the table of capabilities has aged: make docs"


def main() -> int:
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
