"""Who has to agree: ordered rules of which the first that fits decides, and quorum over groups.

One person is one voice: somebody in two groups counts for one of them, so that "one of Risk and one of
Operations" always means two people. Where nothing fits, one other person has to agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

ANYONE = ""
NOTIONAL = "notional"
# What a kind of request may know about itself; no rule that asks for another fact ever fits it.
EVERY_FACT = frozenset({NOTIONAL, "venue", "account", "asset_group"})
NO_FACT: frozenset[str] = frozenset()
Seats = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules may look at. A value that there is but nobody knows counts as larger than any bound."""

    notional: Decimal | None = None
    currency: str = ""
    venue: str = ""
    account: str = ""
    portfolio: str = ""
    asset_group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as the rules see it: its kind, the facts there are about it, and who asks."""

    kind: str
    facts: Facts
    roles: frozenset[str] = frozenset()
    tells: frozenset[str] = EVERY_FACT


@dataclass(frozen=True, slots=True)
class Need:
    """How many of one group have to agree."""

    group: str
    label: str
    quorum: int

    def as_json(self) -> dict[str, str | int]:
        return {"group": self.group, "label": self.label, "quorum": self.quorum}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """The groups that have to agree: all of them, or so many of them."""

    needs: tuple[Need, ...]
    groups_required: int | None = None

    @property
    def required(self) -> int:
        return len(self.needs) if self.groups_required is None else self.groups_required


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When a rule applies. An empty condition is met by everything."""

    key: str
    name: str
    quorum: Quorum
    kind: str = ""
    notional_from: Decimal | None = None
    venue: str = ""
    account: str = ""
    asset_group: str = ""
    role: str = ""

    @property
    def asks_about(self) -> frozenset[str]:
        """Name the facts that its conditions look at."""
        wanted = {name for name in EVERY_FACT - {NOTIONAL} if getattr(self, name)}
        return frozenset(wanted if self.notional_from is None else wanted | {NOTIONAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The rule that decides, and in words why it does."""

    name: str
    why: str
    quorum: Quorum
    key: str = ""


ONE_OTHER_PERSON = Quorum(needs=(Need(ANYONE, "One other person", 1),))
DEFAULT = Match(
    name="No rule fits", why="Then one other person has to agree.", quorum=ONE_OTHER_PERSON
)


def first_match(rules: Iterable[Terms], asked: Asked) -> Match:
    """Return the first rule whose every condition is met."""
    for terms in rules:
        met = _conditions(terms, asked)
        if all(fits for fits, _ in met):
            why = "; ".join(words for _, words in met) or "It is for every request"
            return Match(key=terms.key, name=terms.name, why=f"{why}.", quorum=terms.quorum)
    return DEFAULT


def _conditions(terms: Terms, asked: Asked) -> list[tuple[bool, str]]:
    facts = asked.facts
    found = [
        (wanted == actual, words)
        for words, wanted, actual in (
            ("It is for this kind of request", terms.kind, asked.kind),
            (f"the venue is {terms.venue}", terms.venue, facts.venue),
            (f"the account is {terms.account}", terms.account, facts.account),
            (f"the asset group is {terms.asset_group}", terms.asset_group, facts.asset_group),
        )
        if wanted
    ]
    if terms.role:
        found.append((terms.role in asked.roles, f"asked for by a {terms.role}"))
    if terms.notional_from is not None:
        found.append(_is_large(terms.notional_from, asked))
    return found


def _is_large(bound: Decimal, asked: Asked) -> tuple[bool, str]:
    """Compare with a bound: what has no value is not large, and what nobody could price is."""
    facts = asked.facts
    if NOTIONAL not in asked.tells:
        return False, "it has no value"
    if facts.notional is None:
        return True, f"its value is not known, so it counts as {bound:,f} or more"
    words = f"worth {facts.notional:,.2f} {facts.currency}".rstrip()
    return facts.notional >= bound, f"{words}, and {bound:,f} or more needs this"


def is_met(quorum: Quorum, seats: Seats) -> bool:
    """Tell whether these people, each counted once, are enough."""
    return any(
        len(_seated(chosen, seats)) == sum(need.quorum for need in chosen)
        for chosen in combinations(quorum.needs, quorum.required)
    )


def is_met_without_one(quorum: Quorum, seats: Seats, askers: Iterable[str]) -> bool:
    """Tell whether these people are enough whichever of the askers asks, who then cannot agree."""
    asking = [one for one in askers if one in seats]
    if not asking:
        return is_met(quorum, seats)
    return all(
        is_met(quorum, {person: sits for person, sits in seats.items() if person != one})
        for one in asking
    )


def filled(quorum: Quorum, seats: Seats) -> dict[str, tuple[str, ...]]:
    """Place each person where they help most; say who counts for which group."""
    placed: dict[str, list[str]] = {need.group: [] for need in quorum.needs}
    for (group, _), person in _seated(quorum.needs, seats).items():
        placed[group].append(person)
    return {group: tuple(sorted(people)) for group, people in placed.items()}


def is_sound(quorum: Quorum) -> bool:
    """Tell whether the numbers themselves make sense, whoever the people are."""
    groups = [need.group for need in quorum.needs]
    return (
        bool(groups)
        and len(groups) == len(set(groups))
        and all(need.quorum >= 1 for need in quorum.needs)
        and 1 <= quorum.required <= len(groups)
    )


Slot = tuple[str, int]


def _seated(needs: Sequence[Need], seats: Seats) -> dict[Slot, str]:
    """Seat as many people as possible, each once: the largest matching of people and slots."""
    taken: dict[Slot, str] = {}
    for person in sorted(seats):
        _seat(person, needs, seats, taken, set())
    return taken


def _seat(
    person: str, needs: Sequence[Need], seats: Seats, taken: dict[Slot, str], tried: set[Slot]
) -> bool:
    for need in needs:
        if need.group not in seats[person]:
            continue
        for slot in ((need.group, number) for number in range(need.quorum)):
            if slot in tried:
                continue
            tried.add(slot)
            sitting = taken.get(slot)
            if sitting is None or _seat(sitting, needs, seats, taken, tried):
                taken[slot] = person
                return True
    return False
