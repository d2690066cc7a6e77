"""What a venue's symbol may stand for: the readings there are, what each rests on, and which is suggested. Pure.

Base and quote are two legs, and a reading rests on the weaker. Nothing is ever picked between two: where
nothing is suggested, whoever reads the page chooses, and a second person agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import product
from uuid import UUID

MOST_CHOICES = 12


class Evidence(StrEnum):
    """What a mapping rests on, the strongest first."""

    CONTRACT = "contract address"
    IDENTIFIER = "identifier"
    DOCUMENT = "the venue's own document"
    NAME = "name"
    TICKER = "ticker"


RANK = {one: place for place, one in enumerate(Evidence)}
WEAK = {Evidence.NAME, Evidence.TICKER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a venue says of one of its symbols; empty is what it does not say."""

    venue: str
    symbol: str
    base: str
    quote: str
    contract_size: Decimal = Decimal(1)
    name: str = ""
    chain: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """That the registry knows an asset by something, and in which words it says so."""

    asset_id: UUID
    words: str


@dataclass(frozen=True, slots=True)
class About:
    """An asset that may be meant: how it is called, and what severe warnings stand against it."""

    label: str
    warnings: tuple[str, ...] = ()


Hits = Mapping[str, tuple[Hit, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the registry knows of the names that were asked about. Tickers, names and looks are folded."""

    assets: Mapping[UUID, About]
    contracts: Hits = field(default_factory=dict)
    codes: Hits = field(default_factory=dict)
    currencies: Hits = field(default_factory=dict)
    names: Hits = field(default_factory=dict)
    tickers: Hits = field(default_factory=dict)
    looks: Hits = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An asset that may be meant, what says so, and what speaks against it."""

    asset_id: UUID
    label: str
    evidence: Evidence
    words: str
    also: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The base or the quote of a symbol: who may be meant, the best first."""

    code: str
    candidates: tuple[Candidate, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> Candidate | None:
        """Name the one that is meant, where nothing speaks against it and nobody else comes as near."""
        if not self.candidates:
            return None
        first, rest = self.candidates[0], self.candidates[1:]
        is_alone = not rest or rest[0].evidence != first.evidence
        is_fooled = bool(self.warnings) and first.evidence in WEAK
        return first if is_alone and not first.doubts and not is_fooled else None

    def candidate(self, asset_id: UUID) -> Candidate | None:
        return next((one for one in self.candidates if one.asset_id == asset_id), None)


@dataclass(frozen=True, slots=True)
class Pair:
    """One way to read a symbol: base and quote, resting on the weaker of the two."""

    base: Candidate
    quote: Candidate

    @property
    def evidence(self) -> Evidence:
        return max(self.base.evidence, self.quote.evidence, key=RANK.__getitem__)

    @property
    def words(self) -> str:
        return f"{self.base.label} paid with {self.quote.label}"

    @property
    def key(self) -> str:
        return f"{self.base.asset_id}:{self.quote.asset_id}"

    @property
    def doubts(self) -> tuple[str, ...]:
        return (*self.base.doubts, *self.quote.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What one symbol may stand for."""

    base: Leg
    quote: Leg

    @property
    def best(self) -> Pair | None:
        """Name the one reading that nothing speaks against, or nothing: never a guess."""
        base, quote = self.base.best, self.quote.best
        is_whole = base and quote and base.asset_id != quote.asset_id
        return Pair(base, quote) if base and quote and is_whole else None

    @property
    def choices(self) -> list[Pair]:
        """List every way to read it, the best first."""
        pairs = [
            Pair(base, quote)
            for base, quote in product(self.base.candidates, self.quote.candidates)
            if base.asset_id != quote.asset_id
        ]
        return sorted(pairs, key=_nearest_first)[:MOST_CHOICES]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what whoever reads this must not overlook."""
        doubts = [text for leg in (self.base, self.quote) for text in _doubts(leg)]
        said = [*self.base.warnings, *self.quote.warnings, *doubts]
        return tuple(dict.fromkeys(said))

    def pair(self, base_id: UUID, quote_id: UUID) -> Pair | None:
        """Find a reading by its assets, where it is one of those offered."""
        base, quote = self.base.candidate(base_id), self.quote.candidate(quote_id)
        return Pair(base, quote) if base and quote and base_id != quote_id else None


def weighed(suggestion: Suggestion, base_id: UUID, quote_id: UUID) -> str:
    """Say what speaks for one reading of a symbol, and what against it."""
    pair = suggestion.pair(base_id, quote_id)
    if pair is None:
        return "Nothing the registry knows suggests this: whoever asks chose it."
    told = [f"{pair.base.label}: {pair.base.words}", f"{pair.quote.label}: {pair.quote.words}"]
    against = [] if suggestion.best == pair else suggestion.warnings
    return " ".join([*told, *(f"Mind: {text}" for text in against)])


def _nearest_first(pair: Pair) -> tuple[int, int, int, str]:
    base, quote = RANK[pair.base.evidence], RANK[pair.quote.evidence]
    return max(base, quote), base + quote, len(pair.doubts), pair.words


def _doubts(leg: Leg) -> list[str]:
    """Say why none of a leg's candidates is taken for sure."""
    if leg.best is not None:
        return []
    if not leg.candidates:
        return [f"The registry knows nothing called {leg.code}."]
    first = leg.candidates[0]
    near = [one for one in leg.candidates if one.evidence == first.evidence]
    told = [text for one in leg.candidates for text in one.doubts]
    if len(near) > 1:
        told = [f"{leg.code} may mean {len(near)} assets by {first.evidence}: choose one.", *told]
    return told
