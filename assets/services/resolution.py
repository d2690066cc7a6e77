"""What an address, an id, a ticker, a name or a group's symbol means: one asset, several, or none. Never a guess.

Every question is asked on two clocks: what was true at one moment (`as_of`), as far as it was known at
another (`known_at`). Left out, both are now; a report names both, and gets the same answer for ever.
What was merged answers as the other asset from then on, whichever of the two a claim is about.
Whoever knows further names of assets, such as venues their symbols, answers with `answered` as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper
from django.utils import timezone

from assets.addresses import BadAddress, normalised
from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Chain,
    Claim,
    Deployment,
    GroupMember,
    Identifier,
    Merge,
    Scheme,
)
from assets.models.claims import ClaimQuerySet
from assets.models.registered import Registered
from assets.services.answering import merged, merged_here
from assets.services.deployments import key_of

R = TypeVar("R", bound=Registered)


class Answer(StrEnum):
    OK = "ok"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two moments a question is asked at."""

    as_of: datetime
    known_at: datetime

    @classmethod
    def at(cls, as_of: datetime | None, known_at: datetime | None) -> Clocks:
        now = timezone.now()
        return cls(as_of or now, known_at or now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An asset that may be meant, and the claim that says so."""

    asset_id: UUID
    symbol: str
    name: str
    kind: str
    why: str
    claim_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """An answer. Only `ok` names an asset; `words` say what was asked and why it came out so."""

    answer: Answer
    words: str
    candidates: tuple[Candidate, ...] = ()
    as_of: datetime
    known_at: datetime

    @property
    def asset_id(self) -> UUID | None:
        return self.candidates[0].asset_id if self.answer is Answer.OK else None


def answered(question: str, candidates: Iterable[Candidate], clocks: Clocks) -> Resolution:
    """Turn the candidates into an answer; one asset may be named by several claims."""
    return concluded(question, read_through(candidates, clocks), clocks)


def read_through(candidates: Iterable[Candidate], clocks: Clocks) -> tuple[Candidate, ...]:
    """Let what was merged by then answer as the other asset."""
    found = tuple(candidates)
    keys = {one.asset_id for one in found}
    ways = merged(keys, as_of=clocks.as_of, known_at=clocks.known_at)
    return tuple(_as_the_other(one, ways.get(one.asset_id)) for one in found)


def _as_the_other(candidate: Candidate, merge: Merge | None) -> Candidate:
    if merge is None:
        return candidate
    said = f"{candidate.why} That is said of {merge}."
    return replace(
        candidate,
        asset_id=merge.into_id,
        symbol=merge.into.symbol,
        name=merge.into.name,
        kind=merge.into.kind,
        why=said,
    )


def concluded(question: str, found: tuple[Candidate, ...], clocks: Clocks) -> Resolution:
    """Say what candidates mean that were read through already."""
    assets = {one.asset_id for one in found}
    if not assets:
        return _answer(Answer.UNKNOWN, f"{question} means nothing the registry knows.", (), clocks)
    if len(assets) > 1:
        words = f"{question} may mean {len(assets)} assets, so it stands for none of them."
        return _answer(Answer.AMBIGUOUS, words, found, clocks)
    return _answer(Answer.OK, f"{question} is {found[0].name}.", found, clocks)


def by_address(
    *,
    address: str,
    chain: str = "",
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Resolution:
    """Find the asset whose contract is at an address; without a chain, on whichever it may be."""
    clocks = Clocks.at(as_of, known_at)
    if not chain:
        return answered(address.strip(), _anywhere(address, clocks), clocks)
    family = Chain.objects.filter(pk=chain).values_list("family", flat=True).first()
    if family is None:
        return _answer(Answer.UNKNOWN, f"There is no chain called {chain!r} here.", (), clocks)
    try:
        text = normalised(family, address)
    except BadAddress as error:
        return _answer(Answer.UNKNOWN, str(error), (), clocks)
    rows = _true(Deployment.objects.filter(chain=chain, address_key=key_of(text)), clocks)
    return answered(f"{text} on {chain}", map(_deployed, rows), clocks)


def _anywhere(address: str, clocks: Clocks) -> list[Candidate]:
    """Look on each chain for the spelling that its family has for an address, where it has one.

    The chains are named one by one: that is how the index of addresses begins.
    """
    chains: dict[str, list[str]] = defaultdict(list)
    for key, family in Chain.objects.values_list("pk", "family"):
        chains[family].append(key)
    there = Q(pk=None)
    for family, keys in chains.items():
        with suppress(BadAddress):
            there |= Q(chain__in=keys, address_key=key_of(normalised(family, address)))
    return [_deployed(row) for row in _true(Deployment.objects.filter(there), clocks)]


def _deployed(row: Deployment) -> Candidate:
    return _candidate(row.asset, row, f"Its contract on {row.chain_id} is {row.address}")


def by_identifier(
    *, value: str, scheme: str = "", as_of: datetime | None = None, known_at: datetime | None = None
) -> Resolution:
    """Find the asset that another system has under an id; without a scheme, any of them."""
    clocks = Clocks.at(as_of, known_at)
    text = value.strip()
    schemes = [scheme] if scheme else Scheme.values
    rows = _true(Identifier.objects.filter(scheme__in=schemes, value=text), clocks)
    candidates = [
        _candidate(row.asset, row, f"{row.get_scheme_display()} calls it {row.value}")
        for row in rows
    ]
    return answered(f"{scheme}:{text}" if scheme else text, candidates, clocks)


def by_name(
    *, name: str, as_of: datetime | None = None, known_at: datetime | None = None
) -> Resolution:
    """Find the assets of a whole name, as it is now: names have plain history and no dates."""
    clocks = Clocks.at(as_of, known_at)
    text = name.strip()
    named = Asset.objects.annotate(folded=Upper("name")).filter(folded=text.upper())
    rows = _not_retired(named, clocks).filter(created_at__lte=clocks.known_at)
    candidates = [_itself(row, f"Its name is {row.name}.") for row in rows]
    return answered(text, candidates, clocks)


def by_asset_id(
    *, asset_id: UUID, as_of: datetime | None = None, known_at: datetime | None = None
) -> Resolution:
    """Find the asset itself; an id keeps answering, also when it was retired."""
    clocks = Clocks.at(as_of, known_at)
    rows = Asset.objects.filter(pk=asset_id)
    return answered(str(asset_id), [_itself(row, "It is its id.") for row in rows], clocks)


def _itself(asset: Asset, why: str) -> Candidate:
    return Candidate(
        asset_id=asset.pk, symbol=asset.symbol, name=asset.name, kind=asset.kind, why=why
    )


def by_symbol(
    *,
    symbol: str,
    chain: str = "",
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Resolution:
    """Find the assets that go by a ticker; on a chain, those of them that live there.

    Capital and small letters are not told apart: where they were all there is between two assets,
    a ticker would be a guess.
    """
    clocks = Clocks.at(as_of, known_at)
    candidates = [
        _candidate(row.asset, row, f"Its ticker is {row.ticker}{_since(row)}")
        for row in _true(tickers(symbol), clocks)
    ]
    if not chain:
        return answered(question(symbol, chain), candidates, clocks)
    named_so = read_through(candidates, clocks)
    homes = living_on(chain, {one.asset_id for one in named_so}, clocks)
    there = tuple(one for one in named_so if one.asset_id in homes)
    return concluded(question(symbol, chain), there, clocks)


def question(symbol: str, chain: str) -> str:
    """Repeat what was asked by ticker."""
    return f"{symbol.strip()} on {chain}" if chain else symbol.strip()


def tickers(symbol: str) -> ClaimQuerySet:
    """Return what was ever said to go by a ticker."""
    rows: ClaimQuerySet = Alias.objects.annotate(folded=Upper("ticker"))
    return rows.filter(folded=symbol.strip().upper())


def by_group(
    *, symbol: str, as_of: datetime | None = None, known_at: datetime | None = None
) -> Resolution:
    """Find the canonical member of the group that goes by a symbol."""
    clocks = Clocks.at(as_of, known_at)
    text = symbol.strip()
    groups = _not_retired(AssetGroup.objects.filter(canonical_symbol__iexact=text), clocks)
    members = GroupMember.objects.filter(group__in=groups, is_canonical=True)
    rows = _true(members.select_related("group"), clocks)
    candidates = [
        _candidate(row.asset, row, f"The group {row.group.name} goes by it") for row in rows
    ]
    return answered(f"The group {text}", candidates, clocks)


def members_of(group_id: UUID, clocks: Clocks) -> list[GroupMember]:
    """List who belonged to a group, the canonical one first."""
    rows: list[GroupMember] = _true(GroupMember.objects.filter(group=group_id), clocks)
    return sorted(rows, key=lambda row: (not row.is_canonical, row.asset.symbol))


def _true(rows: ClaimQuerySet, clocks: Clocks) -> list[Any]:
    """Keep the claims that hold on both clocks, of assets that were not retired by then."""
    held = rows.at(as_of=clocks.as_of, known_at=clocks.known_at)
    ended = min(clocks.as_of, clocks.known_at)
    return list(
        held.filter(Q(asset__retired_at=None) | Q(asset__retired_at__gt=ended))
        .select_related("asset")
        .order_by("asset__symbol", "asset__name", "asset_id", "recorded_at")
    )


def _not_retired(rows: QuerySet[R], clocks: Clocks) -> QuerySet[R]:
    ended = min(clocks.as_of, clocks.known_at)
    return rows.filter(Q(retired_at=None) | Q(retired_at__gt=ended))


def living_on(chain: str, assets: set[UUID], clocks: Clocks) -> set[UUID]:
    """Keep the assets that live on a chain, as what answers as one of them does: by a contract, or as its coin."""
    others = merged_here(assets, as_of=clocks.as_of, known_at=clocks.known_at)
    family = assets | others.keys()
    deployed = _true(Deployment.objects.filter(chain=chain, asset__in=family), clocks)
    native = Chain.objects.filter(pk=chain, native_asset__in=family)
    there = {row.asset_id for row in deployed} | set(native.values_list("native_asset", flat=True))
    return there | {others[key] for key in there & others.keys()}


def _candidate(asset: Asset, claim: Claim, why: str) -> Candidate:
    return Candidate(
        asset_id=asset.pk,
        symbol=asset.symbol,
        name=asset.name,
        kind=asset.kind,
        why=f"{why}, says {claim.source}.",
        claim_id=claim.pk,
    )


def _since(claim: Claim) -> str:
    return f" since {claim.valid_from:%Y-%m-%d}" if claim.valid_from else ""


def _answer(
    answer: Answer, words: str, candidates: tuple[Candidate, ...], clocks: Clocks
) -> Resolution:
    return Resolution(
        answer=answer,
        words=words,
        candidates=candidates,
        as_of=clocks.as_of,
        known_at=clocks.known_at,
    )
