"""How what a venue says of a symbol is held against what the registry knows. Pure.

The strongest comes first: a contract address, an identifier (the venue's own code, or one two people agreed to
there before), a name, a ticker. What only looks alike is said and never offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from assets.lookalikes import skeleton
from venues.suggestions import RANK, Candidate, Evidence, Hit, Known, Leg, Said, Suggestion

# How venues write that one unit is many of a coin: 1000SHIB, 1MBABYDOGE, kPEPE.
_MANY = re.compile(
    r"(?:(?P<count>10{3,9})|(?P<million>1M)|(?P<thousand>k))(?P<coin>[A-Z][A-Z0-9]+)"
)
_PLACE = re.compile(r"(?:evm_)?(?P<chain>[a-z0-9_]+?)(?:_mainnet)?:(?P<where>\S+)")
NATIVE = "native"


def suggest(said: Said, known: Known) -> Suggestion:
    """Rank what a symbol may stand for."""
    where = contract_key(said.chain, said.address) if said.address else ""
    return Suggestion(
        base=_base(said, known, known.contracts.get(where, ())), quote=_leg(said.quote, said, known)
    )


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


def _doubted(one: Candidate, doubt: str) -> Candidate:
    return replace(one, doubts=(*one.doubts, doubt))
