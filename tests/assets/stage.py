"""What tests of the registry start from: a chain, some assets, and two people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection, transaction

from assets.models import Asset, AssetGroup, AssetKind, Chain, Deployment
from assets.services.catalogue import create_asset, register_chain
from assets.services.deployments import record_deployment
from assets.services.groups import create_group
from cqops.platform.access.allowances import seeding

USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
JAN, FEB, MAR, APR = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4))


def asset(symbol: str, name: str = "", kind: str = AssetKind.TOKEN, **more: object) -> Asset:
    return create_asset(asset=Asset(symbol=symbol, name=name or symbol, kind=kind), **more)


def chain(slug: str = "ethereum", family: str = "evm") -> Chain:
    found = Chain.objects.filter(pk=slug).first()
    return found or register_chain(chain=Chain(id=slug, name=slug.title(), family=family))


def deployed(one: Asset, address: str = USDC, **more: object) -> Deployment:
    given = {"chain_id": chain().pk, "decimals": 6, "source": "issuer", "by": None}
    with seeding():
        return record_deployment(asset_id=one.pk, address=address, **{**given, **more})


def group(symbol: str = "ETH") -> AssetGroup:
    return create_group(group=AssetGroup(canonical_symbol=symbol, name=f"All {symbol}"))


def run_sql(text: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


@contextmanager
def tried() -> Iterator[None]:
    """Seed what one example needs, and take all of it back."""
    with transaction.atomic():
        with seeding():
            yield
        transaction.set_rollback(True)
