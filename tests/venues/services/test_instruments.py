"""Steps and status as the venue states them: what changes is taken over, written down and told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues.interface.errors import Cause, NotSent
from venues.interface.types import Instrument, InstrumentKind
from venues.models import Listing, Standing, SymbolStatus, VenueSymbol
from venues.services import instruments
from venues.services.instruments import sync_instruments
from venues.services.mapping import Evidence, propose_mappings
from venues.services.meaning import by_venue_symbol
from venues.services.stopping import set_aside
from venues.services.traded import meaning_of
from venues.services.wanted import Wanted

pytestmark = pytest.mark.django_db
AS_IT_IS = Instrument(
    symbol="BTC-USD",
    base="BTC",
    quote="USD",
    price_tick=Decimal("0.01"),
    quantity_step=Decimal("0.0001"),
    min_quantity=Decimal("0.0001"),
    max_quantity=None,
    min_notional=Decimal(1),
    max_notional=None,
    is_tradable=True,
)


@pytest.fixture
def states(monkeypatch):
    """Let the venue state these instruments."""
    cast.symbol()

    def stating(*listed):
        async def fetch(_venue):
            if listed and isinstance(listed[0], Exception):
                raise listed[0]
            return listed

        monkeypatch.setattr(instruments, "_fetch", fetch)

    return stating


def told(journal):
    journal.flush(is_end=True)
    found = OpsEvent.objects.filter(kind__startswith="instrument").order_by("pk")
    return [(one.kind, one.severity, one.words) for one in found]


def test_what_stays_the_same_is_neither_told_nor_written_down(states, journal):
    states(AS_IT_IS)

    assert sync_instruments(now=cast.NOON) == 0

    assert told(journal) == []
    assert not Entry.objects.filter(action="symbol.changed").exists()
    assert cast.symbol().synced_at is not None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("price_tick", Decimal("0.1"), "price tick 0.01 is now 0.1"),
        ("quantity_step", Decimal("0.001"), "quantity step 0.0001 is now 0.001"),
        ("min_quantity", Decimal("0.002"), "min quantity 0.0001 is now 0.002"),
        ("min_notional", Decimal(5), "min notional 1 is now 5"),
        ("is_tradable", False, "status tradable is now halted"),
    ],
)
def test_what_changes_is_taken_over_told_and_in_the_audit_log(states, journal, field, value, words):
    states(replace(AS_IT_IS, **{field: value}))

    assert sync_instruments(now=cast.NOON) == 1

    ((kind, severity, said),) = told(journal)
    assert (kind, severity) == ("instrument.changed", "attention")
    assert words in said
    entry = Entry.objects.get(action="symbol.changed")
    assert entry.reason == "The venue states it so."
    assert sync_instruments(now=cast.NOON) == 0


def test_a_symbol_that_now_means_something_else_is_suspended_and_urgent(states, journal):
    states(replace(AS_IT_IS, base="WBTC"))

    sync_instruments(now=cast.NOON)

    listing = cast.symbol().listing
    assert listing.standing == Standing.SUSPENDED
    assert "says WBTC/USD" in listing.why
    assert {one[:2] for one in told(journal)} == {
        ("instrument.stopped", "urgent"),
        ("instrument.changed", "attention"),
    }


def test_a_symbol_that_is_listed_no_longer_is_told(states, journal):
    states(replace(AS_IT_IS, symbol="ETH-USD"))

    sync_instruments(now=cast.NOON)

    assert told(journal)[0][:2] == ("instrument.gone", "attention")


def test_a_venue_that_is_away_is_told_and_nothing_changes(states, journal):
    states(NotSent("away", cause=Cause.TEMPORARY))

    assert sync_instruments(now=cast.NOON) == 0

    assert told(journal)[0][:2] == ("instruments.not_synced", "attention")


class TestWhatIsNew:
    def test_comes_in_not_mapped_and_once(self, states):
        new = replace(AS_IT_IS, symbol="PEPE-PERP", base="1000PEPE", kind=InstrumentKind.PERPETUAL)
        new = replace(new, contract_size=Decimal(1000), price_tick=Decimal(0))
        states(AS_IT_IS, new)
        sync_instruments(now=cast.NOON)
        sync_instruments(now=cast.NOON)
        found = Listing.objects.get(symbol="PEPE-PERP")
        assert (found.standing, found.said_base, found.kind) == (
            Standing.UNMAPPED,
            "1000PEPE",
            "perpetual",
        )
        assert (found.contract_size, found.status) == (1000, SymbolStatus.HALTED)
        assert Entry.objects.get(action="symbols.listed").after["symbols"] == 1
        assert VenueSymbol.objects.get().symbol == "BTC-USD"

    def test_that_was_set_aside_comes_back_once_it_is_something_else(self, states):
        steward = cast.person(Role.STEWARD)
        listing = cast.listing("ETH-USD")
        set_aside(listing_ids={listing.pk}, reason="a meme", by=steward)
        eth = replace(AS_IT_IS, symbol="ETH-USD", base="ETH", price_tick=Decimal(1))
        for said, standing in [
            (eth, Standing.NOT_TRADED),
            (replace(eth, base="ETH2"), Standing.UNMAPPED),
        ]:
            states(AS_IT_IS, said)
            sync_instruments(now=cast.NOON)
            assert Listing.objects.get(pk=listing.pk).standing == standing

    def test_and_asked_about_is_asked_about_anew_once_it_is_something_else(self, states):
        steward, _ = cast.person(Role.STEWARD), cast.person(Role.STEWARD)
        listing = cast.listing("ETH-USD")
        wanted = Wanted(
            listing_id=listing.pk, base_id=cast.asset("ETH").pk, quote_id=cast.asset("USD").pk
        )
        asked = propose_mappings(
            wanted=[wanted], evidence=Evidence.TICKER, reason="it is", by=steward
        )
        states(AS_IT_IS, replace(AS_IT_IS, symbol="ETH-USD", base="ETHW"))
        sync_instruments(now=cast.NOON)
        asked.refresh_from_db()
        assert asked.state == "voided"
        assert "says ETHW/USD" in asked.reason
        assert Listing.objects.get(pk=listing.pk).standing == Standing.UNMAPPED


class TestWhatIsGone:
    OTHER = replace(AS_IT_IS, symbol="ETH-USD", base="ETH")

    def test_trades_no_more_at_once_and_ends_after_a_day(self, states):
        row = cast.symbol()
        states(self.OTHER)
        sync_instruments(now=cast.NOON)
        sync_instruments(now=cast.NOON + timedelta(hours=23))
        assert VenueSymbol.objects.get().status == SymbolStatus.GONE
        assert cast.symbol().listing.gone_at is None

        sync_instruments(now=cast.NOON + timedelta(hours=24))

        listing = Listing.objects.get(pk=row.listing_id)
        assert (listing.standing, listing.gone_at) == (
            Standing.SUSPENDED,
            cast.NOON + timedelta(hours=24),
        )
        kept = VenueSymbol.objects.known().get()
        assert (kept.base_id, kept.valid_to) == (row.base_id, cast.NOON)
        slug = row.venue.slug
        early = cast.NOON - timedelta(days=1)
        assert by_venue_symbol(venue=slug, symbol="BTC-USD").answer == "unknown"
        assert by_venue_symbol(venue=slug, symbol="BTC-USD", as_of=early).asset_id == row.base_id

    def test_and_comes_back_in_time_goes_on(self, states):
        cast.symbol()
        states(self.OTHER)
        sync_instruments(now=cast.NOON)
        states(AS_IT_IS)
        sync_instruments(now=cast.NOON + timedelta(hours=1))
        assert cast.symbol().is_traded
        assert cast.symbol().listing.missing_since is None

    def test_and_comes_back_later_is_new_and_means_nothing_yet(self, states):
        row = cast.symbol()
        states(self.OTHER)
        sync_instruments(now=cast.NOON)
        sync_instruments(now=cast.NOON + timedelta(days=1))
        states(AS_IT_IS)
        sync_instruments(now=cast.NOON + timedelta(days=2))
        again = Listing.objects.listed().get(symbol="BTC-USD")
        assert (again.pk == row.listing_id, again.standing) == (False, Standing.UNMAPPED)
        assert not VenueSymbol.objects.in_force().exists()

    def test_a_list_of_nothing_is_not_the_end_of_everything(self, states, journal):
        states()
        assert sync_instruments(now=cast.NOON) == 0
        assert cast.symbol().is_traded
        assert told(journal)[0][0] == "instruments.not_synced"


NAMES = st.sampled_from(["BTC", "XBT", "WBTC", "USD", "USDT", ""])
AMOUNTS = st.decimals(min_value=0, max_value=1000, places=4)
SAID = st.builds(
    Instrument,
    symbol=st.sampled_from(["BTC-USD", "ETH-USD"]),
    base=NAMES,
    quote=NAMES,
    price_tick=AMOUNTS,
    quantity_step=AMOUNTS,
    min_quantity=AMOUNTS,
    max_quantity=st.none(),
    min_notional=AMOUNTS,
    max_notional=st.none(),
    is_tradable=st.booleans(),
    kind=st.sampled_from(InstrumentKind),
    contract_size=st.sampled_from([Decimal(1), Decimal(10), Decimal("0.1")]),
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rounds=st.lists(st.lists(SAID, min_size=1, max_size=3), min_size=1, max_size=3))
def test_whatever_a_venue_says_what_a_symbol_stands_for_stays(states, rounds):
    with transaction.atomic():
        row = cast.symbol()
        meant = meaning_of(row)
        same = ("BTC", "USD", "spot", Decimal(1))
        for number, listed in enumerate(rounds):
            states(*listed)
            sync_instruments(now=cast.NOON + timedelta(hours=number))
            assert [meaning_of(one) for one in VenueSymbol.objects.all()] == [meant]
            listing = Listing.objects.get(pk=row.listing_id)
            says = (listing.said_base, listing.said_quote, listing.kind, listing.contract_size)
            assert listing.standing == Standing.SUSPENDED or says == same
            assert not Listing.objects.exclude(pk=row.listing_id).filter(standing=Standing.MAPPED)
        transaction.set_rollback(True)
