"""What a venue's symbol may stand for, from what the venue says of it and what the registry knows. Pure.

Base and quote are looked for apart. Each candidate carries what it rests on, the strongest first: a contract
address, an identifier (the venue's own code, or one two people agreed to there before), a name, a ticker.
Nothing is ever picked between two, and what only looks alike is said and never offered: whoever reads the
page chooses then, and a second person agrees. A mapping rests on the weaker of its two legs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from itertools import product
from uuid import UUID

from assets.lookalikes import skeleton

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
# How venues write that one unit is many of a coin: 1000SHIB, 1MBABYDOGE, kPEPE.
_MANY = re.compile(
    r"(?:(?P<count>10{3,9})|(?P<million>1M)|(?P<thousand>k))(?P<coin>[A-Z][A-Z0-9]+)"
)
_PLACE = re.compile(r"(?:evm_)?(?P<chain>[a-z0-9_]+?)(?:_mainnet)?:(?P<where>\S+)")
NATIVE = "native"


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


def suggest(said: Said, known: Known) -> Suggestion:
    """Rank what a symbol may stand for."""
    where = contract_key(said.chain, said.address) if said.address else ""
    return Suggestion(
        base=_base(said, known, known.contracts.get(where, ())), quote=_leg(said.quote, said, known)
    )


def weighed(suggestion: Suggestion, base_id: UUID, quote_id: UUID) -> str:
    """Say what speaks for one reading of a symbol, and what against it."""
    pair = suggestion.pair(base_id, quote_id)
    if pair is None:
        return "Nothing the registry knows suggests this: whoever asks chose it."
    told = [f"{pair.base.label}: {pair.base.words}", f"{pair.quote.label}: {pair.quote.words}"]
    against = [] if suggestion.best == pair else suggestion.warnings
    return " ".join([*told, *(f"Mind: {text}" for text in against)])


def contract_key(chain: str, address: str) -> str:
    return f"{chain}:{address}"


def code_key(venue: str, code: str) -> str:
    return f"{venue}:{code}"


def place_in(symbol: str) -> tuple[str, str]:
    """Read the chain and the contract that a symbol in custody names, as the venue writes them."""
    found = _PLACE.fullmatch(symbol)
    return (found["chain"], found["where"]) if found else ("", "")


def multiple_in(code: str) -> tuple[Decimal, str]:
    """Read how many of a coin a code says one unit is, and of which: 1000SHIB, kPEPE."""
    found = _MANY.fullmatch(code)
    if found is None:
        return Decimal(1), code
    if found["count"]:
        return Decimal(found["count"]), found["coin"]
    return Decimal(1_000_000 if found["million"] else 1000), found["coin"]


def _base(said: Said, known: Known, there: tuple[Hit, ...]) -> Leg:
    """Look for the whole code, and for the coin that it says one unit is many of."""
    count, coin = multiple_in(said.base)
    whole = _leg(said.base, said, known, there=there, name=said.name)
    if count == 1:
        return whole
    itself = {one.asset_id for one in known.tickers.get(said.base.upper(), ())}
    doubt = _miscounted(said, count, coin)
    part = _leg(coin, said, known)
    merged = {one.asset_id: one for one in part.candidates}
    merged |= {one.asset_id: one for one in whole.candidates}
    counted = [
        one if one.asset_id in itself or not doubt else _doubted(one, doubt)
        for one in merged.values()
    ]
    both = itself and any(one.asset_id not in itself for one in part.candidates)
    warnings = [f"{said.base} is also read as {count} {coin}."] if both else []
    return Leg(
        code=said.base,
        candidates=_ranked(counted),
        warnings=(*warnings, *whole.warnings, *part.warnings),
    )


def _miscounted(said: Said, count: Decimal, coin: str) -> str:
    if said.contract_size == count:
        return ""
    return (
        f"{said.base} says that one unit is {count} {coin}, and the venue states {said.contract_size:f}:"
        " mapped like this, everything would be counted wrong."
    )


def _leg(
    code: str, said: Said, known: Known, *, there: tuple[Hit, ...] = (), name: str = ""
) -> Leg:
    by_ticker = known.tickers.get(code.upper(), ())
    by_code = known.codes.get(code_key(said.venue, code), ())
    by_currency = known.currencies.get(code, ())
    found: dict[UUID, Candidate] = {}
    for evidence, hits in (
        (Evidence.CONTRACT, there),
        (Evidence.IDENTIFIER, (*by_code, *by_currency)),
        (Evidence.NAME, known.names.get(name.upper(), ()) if name else ()),
        (Evidence.TICKER, by_ticker),
    ):
        for hit in hits:
            _add(found, hit, evidence, known)
    of_venue = {one.asset_id for one in (*there, *by_code)}
    _contradict(found, there, by_code)
    _crowd(found, code, by_currency, by_ticker, of_venue)
    return Leg(
        code=code,
        candidates=_ranked(found.values()),
        warnings=_alike(code, name, known, set(found)),
    )


def _add(found: dict[UUID, Candidate], hit: Hit, evidence: Evidence, known: Known) -> None:
    """Keep each asset once, by the strongest that says so; what else says so is named beside it."""
    about, there = known.assets.get(hit.asset_id), found.get(hit.asset_id)
    if about is None:
        return
    if there is not None:
        found[hit.asset_id] = replace(there, also=(*there.also, hit.words))
        return
    found[hit.asset_id] = Candidate(
        asset_id=hit.asset_id,
        label=about.label,
        evidence=evidence,
        words=hit.words,
        doubts=tuple(f"{about.label} is flagged: {text}." for text in about.warnings),
    )


def _contradict(
    found: dict[UUID, Candidate], there: tuple[Hit, ...], by_code: tuple[Hit, ...]
) -> None:
    """Let nothing be sure where the contract is one asset and the venue's code another."""
    contracts, codes = {one.asset_id for one in there}, {one.asset_id for one in by_code}
    if contracts and codes and contracts != codes:
        for key in contracts & set(found):
            found[key] = _doubted(found[key], "The contract and the venue's code name two assets.")


def _crowd(
    found: dict[UUID, Candidate],
    code: str,
    by_currency: tuple[Hit, ...],
    by_ticker: tuple[Hit, ...],
    of_venue: set[UUID],
) -> None:
    """Let a currency's code, which is no venue's own, be sure only where nobody else goes by it."""
    for key in {one.asset_id for one in by_currency} & set(found) - of_venue:
        if {one.asset_id for one in by_ticker} & set(found) - {key}:
            found[key] = _doubted(found[key], f"Others go by {code} too.")


def _alike(code: str, name: str, known: Known, found: set[UUID]) -> tuple[str, ...]:
    """Name whoever reads like it, and is not called it."""
    texts = {skeleton(one) for one in (code, name) if one}
    hits = [one for text in sorted(texts) for one in known.looks.get(text, ())]
    others = {one.asset_id: one for one in hits if one.asset_id not in found}
    labels = sorted(known.assets[key].label for key in others if key in known.assets)
    return tuple(f"{code} reads like {label}, which is not called that." for label in labels)


def _ranked(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple(
        sorted(
            found,
            key=lambda one: (RANK[one.evidence], bool(one.doubts), one.label, str(one.asset_id)),
        )
    )


def _nearest_first(pair: Pair) -> tuple[int, int, int, str]:
    base, quote = RANK[pair.base.evidence], RANK[pair.quote.evidence]
    return max(base, quote), base + quote, len(pair.doubts), pair.words


def _doubted(one: Candidate, doubt: str) -> Candidate:
    return replace(one, doubts=(*one.doubts, doubt))


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
