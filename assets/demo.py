"""Seeds the curated set of a SIMULATED desk. What people changed stays as it is."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation

from django.utils import timezone

from assets import curated
from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Chain,
    Deployment,
    Finding,
    GroupMember,
    Identifier,
    QualityFlag,
    RatioRule,
    Relationship,
    Scheme,
)
from assets.services.catalogue import create_asset, register_chain
from assets.services.claims import recorded
from assets.services.deployments import key_of, record_deployment
from assets.services.flags import raise_flag
from assets.services.groups import add_member, create_group
from assets.services.identifiers import add_identifier
from assets.services.relations import relate
from assets.services.scanning import scan
from cqops.platform.access.allowances import seeding

SOURCE = "curated demo set"
Known = dict[str, Asset]


def seed_registry(*, names: uuid.UUID) -> Known:
    """Make whatever of the curated set is missing, and return its assets by their reference."""
    with seeding():
        known = _assets(names)
        _chains(known)
        _deployments(known)
        _names(known)
        _relations(known)
        _groups(known, names)
        _flags(known)
    if not Finding.objects.exists():
        scan(now=timezone.now())
    return known


def _assets(names: uuid.UUID) -> Known:
    found: Known = {}
    for new in curated.ASSETS:
        key = uuid.uuid5(names, f"asset:{new.ref}")
        asset = Asset(
            id=key,
            symbol=new.symbol,
            name=new.name,
            kind=new.kind,
            category=new.category,
            display_places=new.places,
        )
        found[new.ref] = Asset.objects.filter(pk=key).first() or create_asset(asset=asset)
    return found


def _chains(known: Known) -> None:
    for new in curated.CHAINS:
        if not Chain.objects.filter(pk=new.slug).exists():
            chain = Chain(
                id=new.slug,
                name=new.name,
                family=new.family,
                native_asset=known[new.native],
                explorer_url=new.explorer,
            )
            register_chain(chain=chain)


def _deployments(known: Known) -> None:
    for ref, chain, address, decimals, is_canonical in curated.DEPLOYMENTS:
        if not Deployment.objects.filter(chain=chain, address_key=key_of(address)).exists():
            record_deployment(
                asset_id=known[ref].pk,
                chain_id=chain,
                address=address,
                decimals=decimals,
                is_canonical=is_canonical,
                source=SOURCE,
                by=None,
            )


def _names(known: Known) -> None:
    ids = [(new.ref, Scheme.COINGECKO, new.coingecko) for new in curated.ASSETS if new.coingecko]
    ids += [(code, Scheme.ISO4217, code) for code in curated.CURRENCIES]
    for ref, scheme, value in ids:
        if not Identifier.objects.filter(scheme=scheme, value=value).exists():
            add_identifier(
                asset_id=known[ref].pk, scheme=scheme, value=value, source=SOURCE, by=None
            )
    for ref, ticker in curated.TICKERS:
        if not Alias.objects.filter(asset=known[ref], ticker=ticker).exists():
            recorded(Alias(asset=known[ref], ticker=ticker, source=SOURCE), by=None)


def _relations(known: Known) -> None:
    for ref, kind, other, rate in curated.RELATIONS:
        one, two = known[ref], known[other]
        if Relationship.objects.filter(asset=one, kind=kind, other=two).exists():
            continue
        ratio = _number(rate)
        relate(
            asset_id=one.pk,
            kind=kind,
            other_id=two.pk,
            ratio_rule=RatioRule.RATE if ratio is None else RatioRule.FIXED,
            ratio=ratio,
            rate_source=rate if ratio is None else "",
            source=SOURCE,
            by=None,
        )


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _groups(known: Known, names: uuid.UUID) -> None:
    for symbol, name, members in curated.GROUPS:
        key = uuid.uuid5(names, f"group:{symbol}")
        group = AssetGroup.objects.filter(pk=key).first() or create_group(
            group=AssetGroup(id=key, canonical_symbol=symbol, name=name)
        )
        for place, ref in enumerate(members):
            if not GroupMember.objects.filter(group=group, asset=known[ref]).exists():
                add_member(
                    group_id=group.pk,
                    asset_id=known[ref].pk,
                    is_canonical=place == 0,
                    is_for_risk=True,
                    is_for_pnl=True,
                    source=SOURCE,
                    by=None,
                )


def _flags(known: Known) -> None:
    for ref, kind, severity, note in curated.FLAGS:
        if not QualityFlag.objects.filter(asset=known[ref], kind=kind).exists():
            flag = QualityFlag(
                asset=known[ref], kind=kind, severity=severity, note=note, source=SOURCE
            )
            raise_flag(flag=flag, by=None)
