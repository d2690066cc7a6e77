"""Which assets a list shows, and whom each of them may be taken for: tickers are not identity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper

from assets.lookalikes import disguises, skeleton
from assets.models import Alias, Asset, Chain, Deployment, Merge, QualityFlag
from assets.services.standing import coming, soonest

IN_USE, RETIRED, ALL = "no", "only", "all"
TOLD = 20
TRIGRAM = 3
SAME_TICKER, LOOKS_ALIKE = "same_ticker", "looks_alike"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What assets to list. A symbol is a whole ticker, present or further; a text is part of a name."""

    kind: str = ""
    category: str = ""
    symbol: str = ""
    text: str = ""
    chain: str = ""
    # The least severity of a flag that stands against it.
    severity: int = 0
    retired: str = IN_USE


@dataclass(frozen=True, slots=True)
class Collision:
    """Another asset in use that one may be taken for."""

    why: str
    asset_id: UUID
    symbol: str
    name: str


def rows(wanted: Wanted, *, now: datetime) -> QuerySet[Asset]:
    found = Asset.objects.all()
    if wanted.retired != ALL:
        found = found.filter(retired_at__isnull=wanted.retired == IN_USE)
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.category:
        found = found.filter(category__iexact=wanted.category)
    if wanted.symbol:
        found = found.filter(pk__in=_called({wanted.symbol.upper()}, now).values("asset"))
    if wanted.text:
        # Asked first: beside a list of ids both trigram indexes are used, beside a query neither is.
        called = list(_called({wanted.text.upper()}, now).values_list("asset", flat=True))
        found = found.filter(part(wanted.text) | Q(pk__in=called))
    if wanted.chain:
        there = Deployment.objects.at(as_of=now, known_at=now).filter(chain=wanted.chain)
        native = Chain.objects.filter(pk=wanted.chain).values("native_asset")
        found = found.filter(Q(pk__in=there.values("asset")) | Q(pk__in=native))
    if wanted.severity:
        flags = QualityFlag.objects.standing(now=now).filter(severity__gte=wanted.severity)
        found = found.filter(pk__in=flags.values("asset"))
    return found


def collisions(assets: Sequence[Asset], *, now: datetime) -> dict[UUID, list[Collision]]:
    """Find for each asset the others of its ticker, or that read like it.

    A ticker is looked for as it is read, and with one letter exchanged; a name as it is read. All
    of it goes by an index.
    """
    tickers = {asset.symbol.upper() for asset in assets}
    forged = {text for asset in assets for text in disguises(asset.symbol)}
    names = {skeleton(asset.name) for asset in assets}
    called = list(_called(tickers | forged, now).order_by().values_list("ticker", "asset"))
    # By their ids: joined to the many tickers asked for, all assets there are would be read.
    others = {
        other.pk: other
        for other in Asset.objects.annotate(folded=Upper("name")).filter(
            Q(pk__in={key for _, key in called}) | Q(folded__in=names), retired_at=None
        )
    }
    by_ticker: dict[str, list[Asset]] = defaultdict(list)
    by_look: dict[str, list[Asset]] = defaultdict(list)
    by_name: dict[str, list[Asset]] = defaultdict(list)
    for ticker, key in called:
        if key in others:
            by_ticker[ticker.upper()].append(others[key])
            by_look[skeleton(ticker)].append(others[key])
    for one in others.values():
        if one.folded in names:
            by_name[skeleton(one.name)].append(one)
    return {
        asset.pk: _told(
            asset,
            by_ticker[asset.symbol.upper()],
            by_look[skeleton(asset.symbol)] + by_name[skeleton(asset.name)],
        )
        for asset in assets
    }


def part(text: str) -> Q:
    """Look anywhere in symbol and name, or at their beginning where it is too short for that."""
    way = "icontains" if len(text) >= TRIGRAM else "istartswith"
    return Q(**{f"name__{way}": text}) | Q(**{f"symbol__{way}": text})


def collisions_until(asset: Asset, *, now: datetime) -> datetime | None:
    """Return the next moment at which time alone changes whom it may be taken for, or answers as."""
    alike: Any = Alias.objects.annotate(folded=Upper("ticker"))
    alike = alike.filter(folded__in={asset.symbol.upper(), *disguises(asset.symbol)})
    return soonest(now, coming(alike, now), coming(Merge.objects.all(), now))


def _told(asset: Asset, same: list[Asset], alike: list[Asset]) -> list[Collision]:
    found: dict[UUID, Collision] = {}
    for why, others in ((SAME_TICKER, same), (LOOKS_ALIKE, alike)):
        for other in others:
            if other.pk != asset.pk:
                said = Collision(why, other.pk, other.symbol, other.name)
                found.setdefault(other.pk, said)
    order = sorted(found.values(), key=lambda one: (one.why, one.symbol, str(one.asset_id)))
    return order[:TOLD]


def _called(tickers: set[str], now: datetime) -> QuerySet[Alias]:
    held: QuerySet[Alias] = Alias.objects.at(as_of=now, known_at=now)
    return held.annotate(folded=Upper("ticker")).filter(folded__in=tickers)
