"""The demo set of venue symbols: all ten venues, in each one's own spelling, of assets that are there."""

import re

import pytest

from assets import curated as registry
from assets.models import Asset
from tests import cast
from venues import curated
from venues.demo import seed_symbols
from venues.models import InstrumentKind, Listing, Standing, Venue, VenueSymbol
from venues.services.meaning import by_venue_symbol
from venues.services.registration import save_venue

SPELT = {
    "coinbase_advanced": r"[A-Z]+-[A-Z]+",
    "coinbase_exchange": r"[A-Z]+-[A-Z]+",
    "coinbase_prime": r"[A-Z]+-[A-Z]+",
    "binance": r"[A-Z]+",
    "kraken": r"[A-Z]+/[A-Z]+",
    "hyperliquid": r"[A-Z]+",
    "tradexyz": r"xyz:[A-Z]+",
    "lighter": r"[A-Z]+(/[A-Z]+)?",
    "falconx": r"[A-Z]+/[A-Z]+",
    "fordefi": r"(evm|solana)_[a-z_]+:(native|0x[0-9a-fA-F]{40})",
}


def test_there_are_ten_venues_and_each_has_symbols_of_its_own_spelling():
    assert {one.slug for one in curated.VENUES} == set(curated.SYMBOLS) == set(SPELT)
    assert len(curated.VENUES) == 10
    for slug, symbols in curated.SYMBOLS.items():
        assert symbols
        texts = [one.symbol for one in symbols]
        assert len(set(texts)) == len(texts)
        assert all(re.fullmatch(SPELT[slug], text) for text in texts), slug


def test_every_symbol_stands_for_assets_of_the_registrys_set():
    known = {one.ref for one in registry.ASSETS}
    for symbols in curated.SYMBOLS.values():
        for one in symbols:
            assert {one.base, one.quote} <= known
            assert one.base != one.quote


@pytest.mark.django_db
def test_seeding_again_makes_nothing_and_leaves_what_people_changed():
    known = {one.ref: cast.asset(one.ref[:32]) for one in registry.ASSETS}
    venue = save_venue(
        venue=Venue(
            slug="kraken",
            name="Kraken",
            adapter="none yet",
            is_enabled=False,
            rest_url="http://127.0.0.1:9",
            ws_url="ws://127.0.0.1:9",
        )
    )
    seed_symbols(venue=venue, known=known)
    count = len(curated.SYMBOLS["kraken"])
    assert VenueSymbol.objects.in_force().count() == count
    assert not VenueSymbol.objects.current().exists()
    cast.suspend(VenueSymbol.objects.get(symbol="BTC/USD"))
    seed_symbols(venue=venue, known=known)
    assert VenueSymbol.objects.count() == count
    assert Listing.objects.get(symbol="BTC/USD").standing == Standing.SUSPENDED
    found = by_venue_symbol(venue="kraken", symbol="BTC/USD")
    assert Asset.objects.get(pk=found.asset_id).symbol == "BTC"


def test_what_is_in_custody_is_not_for_trading():
    kinds = {one.kind for one in curated.SYMBOLS["fordefi"]}
    assert kinds == {InstrumentKind.CUSTODY}
