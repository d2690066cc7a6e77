"""What many listed symbols may stand for, gathered in a handful of queries, however many they are.

What is known is read as it is now; `venues.ranking` ranks it. What two people agreed to at the same venue
before counts as the venue's own code, as long as nobody suspended it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Upper
from django.utils import timezone

from assets.addresses import BadAddress, normalised
from assets.lookalikes import disguises, skeleton
from assets.models import (
    Alias,
    Asset,
    Chain,
    Deployment,
    Identifier,
    Merge,
    QualityFlag,
    Scheme,
    Severity,
)
from assets.services.answering import merged, merged_here
from assets.services.deployments import key_of
from venues.models import InstrumentKind, Listing, Standing, VenueSymbol
from venues.ranking import NATIVE, code_key, contract_key, multiple_in, place_in, suggest
from venues.suggestions import About, Hit, Known, Said, Suggestion

Found = dict[str, dict[UUID, Hit]]


def suggestions_for(listings: Sequence[Listing]) -> dict[UUID, Suggestion]:
    """Rank what each of these symbols may stand for; venues come along with the rows."""
    now = timezone.now()
    chains = {chain.pk: chain for chain in Chain.objects.filter(retired_at=None)}
    said = {one.pk: _said(one, chains) for one in listings}
    known = _known(list(said.values()), chains, now=now)
    return {key: suggest(one, known) for key, one in said.items()}


def _said(listing: Listing, chains: dict[str, Chain]) -> Said:
    chain, address = "", ""
    if listing.kind == InstrumentKind.CUSTODY:
        chain, address = _spelt(*place_in(listing.symbol), chains)
    return Said(
        venue=listing.venue.slug,
        symbol=listing.symbol,
        base=listing.said_base,
        quote=listing.said_quote,
        contract_size=listing.contract_size,
        chain=chain,
        address=address,
    )


def _spelt(slug: str, where: str, chains: dict[str, Chain]) -> tuple[str, str]:
    """Spell a contract the way it is compared; one that is not written right is none."""
    chain = chains.get(slug)
    if chain is None or where == NATIVE:
        return slug, where
    try:
        return slug, key_of(normalised(chain.family, where))
    except BadAddress:
        return slug, ""


def _known(said: Sequence[Said], chains: dict[str, Chain], *, now: datetime) -> Known:
    codes = {text for one in said for text in (one.base, multiple_in(one.base)[1], one.quote)}
    contracts, venue_codes = _contracts(said, chains, now), _venue_codes(said, codes, now)
    currencies = _currencies(codes, now)
    tickers, looks = _tickers(codes, now)
    every = (contracts, venue_codes, currencies, tickers, looks)
    ids = {key for found in every for hits in found.values() for key in hits}
    merges = merged(ids, as_of=now, known_at=now)
    told = [_told(found, merges) for found in every]
    return Known(
        assets=_about(ids | {one.into_id for one in merges.values()}, now),
        contracts=told[0],
        codes=told[1],
        currencies=told[2],
        tickers=told[3],
        looks=told[4],
    )


def _told(found: Found, merges: dict[UUID, Merge]) -> dict[str, tuple[Hit, ...]]:
    """Give what was found as it stands; what was merged is said of the asset it was merged into."""
    return {
        name: tuple({one.asset_id: one for one in _as_the_others(hits, merges)}.values())
        for name, hits in found.items()
    }


def _as_the_others(hits: dict[UUID, Hit], merges: dict[UUID, Merge]) -> Iterable[Hit]:
    for hit in hits.values():
        merge = merges.get(hit.asset_id)
        yield hit if merge is None else Hit(merge.into_id, f"{hit.words} That is said of {merge}.")


def _contracts(said: Sequence[Said], chains: dict[str, Chain], now: datetime) -> Found:
    found: Found = defaultdict(dict)
    places = {(one.chain, one.address) for one in said if one.address}
    for slug, where in places:
        native = chains[slug].native_asset_id if where == NATIVE and slug in chains else None
        if native is not None:
            words = f"It is the coin of {chains[slug].name} itself."
            found[contract_key(slug, where)][native] = Hit(native, words)
    keys = {where for _, where in places if where != NATIVE}
    if not keys:
        return found
    rows = Deployment.objects.at(as_of=now, known_at=now).filter(
        chain__in={slug for slug, _ in places}, address_key__in=keys
    )
    for row in rows:
        words = f"Its contract on {row.chain_id} is {row.address}, says {row.source}."
        name = contract_key(row.chain_id, row.address_key)
        found[name][row.asset_id] = Hit(row.asset_id, words)
    return found


def _venue_codes(said: Sequence[Said], codes: set[str], now: datetime) -> Found:
    """Find the venues' own codes: those of the registry, and those two people agreed to before."""
    venues = {one.venue for one in said}
    found: Found = defaultdict(dict)
    for row in _agreed(venues, codes):
        for code, key in (
            (row.listing.said_base, row.base_id),
            (row.listing.said_quote, row.quote_id),
        ):
            if code in codes:
                words = f"At {row.venue} {code} was agreed to be this before, as in {row.symbol}."
                found[code_key(row.venue.slug, code)].setdefault(key, Hit(key, words))
    values = {code_key(venue, code) for venue in venues for code in codes}
    for own in _identifiers(Scheme.VENUE, values, now):
        words = f"The registry knows the venue's code {own.value}, says {own.source}."
        found[own.value][own.asset_id] = Hit(own.asset_id, words)
    return found


def _agreed(venues: set[str], codes: set[str]) -> Iterable[VenueSymbol]:
    """Take one claim in force for each code and meaning at a venue; a thousand pairs say it no better."""
    there = VenueSymbol.objects.in_force().filter(
        venue__slug__in=venues, listing__standing=Standing.MAPPED
    )
    for code, other, asset in (
        ("listing__said_base", "listing__said_quote", "base_id"),
        ("listing__said_quote", "listing__said_base", "quote_id"),
    ):
        yield from (
            there.filter(**{f"{code}__in": codes})
            .select_related("venue", "listing")
            .order_by("venue_id", code, asset, other, "pk")
            .distinct("venue_id", code, asset)
        )


def _currencies(codes: set[str], now: datetime) -> Found:
    found: Found = defaultdict(dict)
    for row in _identifiers(Scheme.ISO4217, codes, now):
        words = f"{row.value} is its code of ISO 4217, says {row.source}."
        found[row.value][row.asset_id] = Hit(row.asset_id, words)
    return found


def _identifiers(scheme: Scheme, values: set[str], now: datetime) -> QuerySet[Identifier]:
    held: QuerySet[Identifier] = Identifier.objects.at(as_of=now, known_at=now)
    return held.filter(scheme=scheme, value__in=values)


def _tickers(codes: set[str], now: datetime) -> tuple[Found, Found]:
    """Find who goes by these tickers, and who only looks as if."""
    same = {code.upper() for code in codes}
    forged = {text for code in codes for text in disguises(code)}
    held = Alias.objects.at(as_of=now, known_at=now).annotate(folded=Upper("ticker"))
    tickers: Found = defaultdict(dict)
    looks: Found = defaultdict(dict)
    for row in held.filter(folded__in=same | forged):
        hit = Hit(row.asset_id, f"Its ticker is {row.ticker}, says {row.source}.")
        tickers[row.ticker.upper()][row.asset_id] = hit
        looks[skeleton(row.ticker)][row.asset_id] = hit
    return tickers, looks


def _about(ids: set[UUID], now: datetime) -> dict[UUID, About]:
    """Say how assets in use are called, and what severe flags stand against them."""
    flags: dict[UUID, list[str]] = defaultdict(list)
    others = merged_here(ids, as_of=now, known_at=now)
    severe = QualityFlag.objects.standing(now=now).filter(
        asset__in=ids | set(others), severity__gte=Severity.HIGH
    )
    for flag in severe:
        flags[others.get(flag.asset_id, flag.asset_id)].append(str(flag).lower())
    assets = Asset.objects.filter(pk__in=ids, retired_at=None)
    return {one.pk: About(one.label, tuple(flags[one.pk])) for one in assets}
