"""Steps and status as the venue states them: what changes is taken over, written down and told."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cqops.platform.audit.models import Entry
from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues.interface.errors import Cause, NotSent
from venues.interface.types import Instrument
from venues.models import Standing
from venues.services import instruments
from venues.services.instruments import sync_instruments

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
            if isinstance(listed[0], Exception):
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
