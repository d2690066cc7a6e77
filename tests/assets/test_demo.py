"""The curated set is seeded once, is what it says, and its look-alikes are flagged."""

import uuid

import pytest

from assets import curated
from assets.demo import seed_registry
from assets.models import (
    Asset,
    Chain,
    Deployment,
    Finding,
    Identifier,
    QualityFlag,
    Relationship,
)
from assets.services.resolution import by_address, by_group, by_identifier, by_symbol
from cqops.platform.audit.models import Entry
from tests.assets import stage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NAMES = uuid.UUID(int=7)


@pytest.fixture
def known():
    return seed_registry(names=NAMES)


def test_a_second_start_makes_nothing_new(known):
    counts = [
        model.objects.count()
        for model in (Asset, Chain, Deployment, Identifier, Relationship, QualityFlag, Entry)
    ]
    assert counts[:3] == [
        len(curated.ASSETS),
        len(curated.CHAINS),
        len(curated.DEPLOYMENTS),
    ]
    seed_registry(names=NAMES)
    assert counts == [
        model.objects.count()
        for model in (Asset, Chain, Deployment, Identifier, Relationship, QualityFlag, Entry)
    ]


def test_the_look_alikes_are_found_by_the_first_scan(known):
    found = Finding.objects.get(kind="same_symbol", key="USDC")
    assert known["USDC"].pk in found.assets
    near = Finding.objects.get(kind="near_address", evidence__contains=[f"ethereum: {stage.USDC}"])
    assert known["USDC look-alike"].pk in near.assets
    forged = {flag.asset_id for flag in QualityFlag.objects.all()}
    assert forged <= {key for one in Finding.objects.all() for key in one.assets}


def test_every_address_is_written_with_its_own_checksum(known):
    """What was copied with a wrong digit would fail the checksum, or not be what is written here."""
    for _, chain, address, _, is_canonical in curated.DEPLOYMENTS:
        if is_canonical:
            assert Deployment.objects.get(chain=chain, address=address)


def test_a_shared_ticker_is_ambiguous_and_the_rest_answers(known):
    assert by_symbol(symbol="USDC").answer == "ambiguous"
    assert by_symbol(symbol="USDC", chain="base").asset_id == known["USDC"].pk
    assert by_symbol(symbol="USDC.E").asset_id == known["USDC.e"].pk
    assert by_symbol(symbol="xbt").asset_id == known["BTC"].pk
    assert by_symbol(symbol="ETH", chain="ethereum").asset_id == known["ETH"].pk
    assert by_group(symbol="ETH").asset_id == known["ETH"].pk
    assert by_identifier(scheme="coingecko", value="tether").asset_id == known["USDT"].pk
    usdt = "0xdac17f958d2ee523a2206206994597c13d831ec7"
    assert by_address(chain="ethereum", address=usdt).asset_id == known["USDT"].pk


def test_both_look_alikes_carry_a_critical_flag(known):
    flags = QualityFlag.objects.select_related("asset")
    assert {flag.asset.category for flag in flags} == {"look-alike"}
    assert len(flags) == 2
