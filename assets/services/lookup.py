"""One box for whatever somebody has in hand: a ticker, a name, an address, an id, a symbol of a venue.

Each way to read it is asked, and all that answer are candidates: where they name two assets, the answer
is ambiguous and never one of them. Beside the answer stands whom it may be taken for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.module_loading import import_string

from assets.addresses import BadAddress, Family, normalised
from assets.models import Asset, Chain, QualityFlag, Scheme, Severity
from assets.services.resolution import (
    Candidate,
    Clocks,
    Resolution,
    answered,
    by_address,
    by_asset_id,
    by_group,
    by_identifier,
    by_name,
    by_symbol,
    living_on,
)
from assets.services.search import Collision, Wanted, collisions, rows

LONGEST, TICKER_LONGEST = 120, 32
NEAR = 8
GROUP = "group"
Reading = Callable[..., Resolution]


@dataclass(frozen=True, slots=True)
class Beware:
    """Another asset that this one may be taken for, and what stands against that other."""

    collision: Collision
    flags: tuple[QualityFlag, ...]

    @property
    def is_loud(self) -> bool:
        return any(flag.severity >= Severity.HIGH for flag in self.flags)


@dataclass(frozen=True, slots=True)
class Match:
    """An asset that may be meant: why, what stood against it then, whom it may be taken for now."""

    asset: Asset
    whys: tuple[str, ...]
    flags: tuple[QualityFlag, ...]
    beware: tuple[Beware, ...]

    @property
    def is_loud(self) -> bool:
        return any(flag.is_severe for flag in self.flags)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with its candidates, what was left out and why, and what reads like the question."""

    resolution: Resolution
    matches: tuple[Match, ...]
    notes: tuple[str, ...]
    alike: tuple[Beware, ...] = ()
    near: tuple[Asset, ...] = ()

    @property
    def is_loud(self) -> bool:
        return any(match.is_loud for match in self.matches)


@dataclass(slots=True)
class _Asked:
    """One question under way: the answers so far, and what could not be asked."""

    clocks: Clocks
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, reading: Reading, **given: Any) -> None:
        """Ask it this way; a refusal is a note."""
        try:
            found = reading(**given, as_of=self.clocks.as_of, known_at=self.clocks.known_at)
        except ValidationError as error:
            self.notes.extend(one for one in error.messages if one not in self.notes)
        else:
            self.candidates.extend(found.candidates)


def look_up(text: str, *, clocks: Clocks, chain: str = "") -> Found:
    """Answer what a text means at two moments; `X on Y` and `chain:X` name the chain in it."""
    text = " ".join(text.replace("\0", " ").split())[:LONGEST]
    asked = _Asked(clocks)
    chains = {one.pk: one for one in Chain.objects.all()}
    named, chain = _chain_in(text, chain, chains)
    if chain and chain not in chains:
        asked.notes.append(f"There is no chain called {chain!r} here.")
    else:
        _ask(asked, named, chain, chains)
    question = f"{named} on {chain}" if chain else text
    resolution = answered(question, asked.candidates, clocks)
    matches = _matches(asked.candidates, clocks)
    if matches:
        return Found(resolution, matches, tuple(asked.notes))
    return Found(resolution, (), tuple(asked.notes), _alike(named), _near(named))


def _chain_in(text: str, chain: str, chains: dict[str, Chain]) -> tuple[str, str]:
    """Take a chain out of the text, by its id or its name."""
    head, word, tail = text.rpartition(" on ")
    names = {one.name.lower(): key for key, one in chains.items()} | {key: key for key in chains}
    if word and tail.lower() in names:
        return head, names[tail.lower()]
    head, colon, tail = text.partition(":")
    if colon and head.lower() in names:
        return tail.strip(), names[head.lower()]
    return text, chain


def _ask(asked: _Asked, text: str, chain: str, chains: dict[str, Chain]) -> None:
    if (asset_id := _as_id(text)) is not None:
        asked.read(by_asset_id, asset_id=asset_id)
        return
    if len(text) <= TICKER_LONGEST:
        asked.read(by_symbol, symbol=text, chain=chain)
    asked.read(by_address, address=text, chain=chain)
    _note_bad_address(asked, text, chains.get(chain))
    if chain:
        _ask_names_on(asked, text, chain)
        return
    asked.read(by_name, name=text)
    asked.read(by_identifier, value=text)
    head, colon, tail = text.partition(":")
    if not colon:
        _ask_venues(asked, text)
    elif head.lower() in Scheme.values:
        asked.read(by_identifier, scheme=head.lower(), value=tail)
    elif head.lower() == GROUP:
        asked.read(by_group, symbol=tail)
    else:
        _ask_venue(asked, head.lower(), tail.strip())


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _note_bad_address(asked: _Asked, text: str, chain: Chain | None) -> None:
    """Say what is wrong with what looks like an address; a ticker is not told that it is none."""
    if not text.lower().startswith("0x"):
        return
    try:
        normalised(chain.family if chain else Family.EVM, text)
    except BadAddress as error:
        asked.notes.append(str(error))


def _ask_names_on(asked: _Asked, text: str, chain: str) -> None:
    named = by_name(name=text, as_of=asked.clocks.as_of, known_at=asked.clocks.known_at)
    homes = living_on(chain, {one.asset_id for one in named.candidates}, asked.clocks)
    asked.candidates.extend(one for one in named.candidates if one.asset_id in homes)


def _ask_venues(asked: _Asked, text: str) -> None:
    """Ask each venue that has a symbol of this spelling what it means there."""
    having: Callable[[str], list[tuple[str, str]]] = import_string(settings.REGISTRY_VENUES_HAVING)
    for venue, symbol in having(text):
        _ask_venue(asked, venue, symbol)


def _ask_venue(asked: _Asked, venue: str, symbol: str) -> None:
    """Ask what a venue's symbol means."""
    by_venue_symbol: Reading = import_string(settings.REGISTRY_VENUE_SYMBOLS)
    asked.read(by_venue_symbol, venue=venue, symbol=symbol)


def _matches(candidates: Iterable[Candidate], clocks: Clocks) -> tuple[Match, ...]:
    whys: dict[UUID, dict[str, None]] = {}
    for one in candidates:
        whys.setdefault(one.asset_id, {})[one.why] = None
    assets = Asset.objects.in_bulk(list(whys))
    held = QualityFlag.objects.at(as_of=clocks.as_of, known_at=clocks.known_at)
    flags = _by_asset(held.filter(asset__in=assets))
    others = beware(list(assets.values()))
    return tuple(
        Match(assets[key], tuple(said), flags.get(key, ()), others.get(key, ()))
        for key, said in whys.items()
    )


def beware(assets: list[Asset]) -> dict[UUID, tuple[Beware, ...]]:
    """Tell for each asset whom it may be taken for now, those with the gravest flags first."""
    now = timezone.now()
    found = collisions(assets, now=now)
    others = {one.asset_id for told in found.values() for one in told}
    flags = _by_asset(QualityFlag.objects.standing(now=now).filter(asset__in=others))
    return {
        key: tuple(
            sorted(
                (Beware(one, flags.get(one.asset_id, ())) for one in told),
                key=lambda one: not one.is_loud,
            )
        )
        for key, told in found.items()
    }


def _by_asset(flags: Iterable[QualityFlag]) -> dict[UUID, tuple[QualityFlag, ...]]:
    found: dict[UUID, tuple[QualityFlag, ...]] = {}
    for flag in flags:
        found[flag.asset_id] = (*found.get(flag.asset_id, ()), flag)
    return found


def _alike(text: str) -> tuple[Beware, ...]:
    """Tell what a text that means nothing here may be taken for."""
    if not text or len(text) > TICKER_LONGEST:
        return ()
    typed = Asset(symbol=text, name=text)
    return beware([typed])[typed.pk]


def _near(text: str) -> tuple[Asset, ...]:
    if not text:
        return ()
    return tuple(rows(Wanted(text=text), now=timezone.now()).order_by("symbol", "pk")[:NEAR])
