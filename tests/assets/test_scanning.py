"""The scan opens each finding once, keeps a person's word until the facts change, and deletes nothing."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from assets.errors import Conflict, Unfounded
from assets.metrics import findings_open
from assets.models import Finding
from assets.overview import rows
from assets.services.catalogue import retire_asset, update_asset
from assets.services.findings import dismiss
from assets.services.scanning import readings, scan
from assets.tasks import scan_task
from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from tests.assets import stage

pytestmark = pytest.mark.django_db
NEAR_USDC = "0xa0b8" + "1" * 32 + "eb48"


@pytest.fixture
def clock():
    """Give one moment after another, so that no scan takes place at the time of the one before."""
    start = timezone.now()
    return (start + timedelta(minutes=number) for number in range(1, 100))


def found(kind):
    return Finding.objects.get(kind=kind)


def keys(finding):
    return set(finding.assets)


def test_each_kind_is_found_with_its_evidence(clock):
    one, same = stage.asset("USDC", "USD Coin"), stage.asset("usdc", "Circle dollar")
    forged = stage.asset("US\u0414\u0421", "Forged")
    posing = stage.asset("XYZ", "USD C\u043e\u0456n")
    stage.deployed(one)
    stage.deployed(same, stage.USDC, chain_id=stage.chain("base").pk)
    stage.deployed(posing, NEAR_USDC, chain_id="base")
    stage.deployed(forged, "0x" + "7" * 40)

    scanned = scan(now=next(clock))

    assert scanned.opened == {
        "same_address": 1,
        "near_address": 1,
        "looks_alike": 1,
        "same_symbol": 1,
    }
    symbol = found("same_symbol")
    assert (symbol.key, keys(symbol)) == ("USDC", {one.pk, same.pk})
    address = found("same_address")
    assert (address.key, keys(address)) == (f"evm {stage.USDC.lower()}", {one.pk, same.pk})
    assert set(address.evidence) == {f"ethereum: {stage.USDC}", f"base: {stage.USDC}"}
    near = found("near_address")
    assert (near.key, keys(near)) == ("evm a0b8...eb48", {one.pk, same.pk, posing.pk})
    looks = found("looks_alike")
    assert (looks.key, keys(looks)) == ("name USD COIN", {one.pk, posing.pk})
    assert set(looks.evidence) == {"USD Coin", "USD C\u043e\u0456n"}


@pytest.mark.parametrize(
    ("one", "other", "is_found"),
    [
        (("UNI", "Uniswap"), ("UNl", "Another"), True),
        (("UNI", "Uniswap"), ("UNl", "Uniswap"), True),
        (("A", "Amber"), ("B", "Arnber"), True),
        (("USDC", "USD Coin"), ("USDT", "Tether"), False),
        # Of one ticker and one name: the ticker tells it.
        (("USDC", "USD Coin"), ("USDC", "USD Coin"), False),
        (("USDC", "USD Coin"), ("USDC.E", "USD Coin"), True),
        (("A", "\u0301"), ("B", "\u0301"), False),
    ],
)
def test_what_reads_alike(clock, one, other, is_found):
    stage.asset(*one), stage.asset(*other)
    scan(now=next(clock))
    assert Finding.objects.filter(kind="looks_alike").count() == is_found


def test_one_asset_at_near_addresses_of_its_own_is_nothing(clock):
    one = stage.asset("ONE")
    stage.deployed(one)
    stage.deployed(one, NEAR_USDC)
    stage.deployed(one, stage.USDC, chain_id=stage.chain("base").pk)
    assert sum(scan(now=next(clock)).found.values()) == 0


def test_nothing_is_opened_twice_and_what_is_over_opens_again(clock, steward):
    stage.asset("DUP", "One")
    other = stage.asset("DUP", "Two")
    first, second = next(clock), next(clock)
    assert scan(now=first).opened["same_symbol"] == 1
    again = scan(now=second)
    assert (again.found["same_symbol"], sum(again.opened.values())) == (1, 0)
    finding = Finding.objects.get()
    assert (finding.opened_at, finding.first_seen_at, finding.last_seen_at) == (
        first,
        first,
        second,
    )
    assert Event.objects.filter(kind="registry.duplicates_found").count() == 1
    assert Entry.objects.filter(action="registry.scanned").count() == 2

    retire_asset(asset_id=other.pk, expected_version=1, reason="gone", by=steward)
    assert scan(now=next(clock)).over == 1
    finding.refresh_from_db()
    assert finding.state == "over"
    stage.asset("dup", "Three")
    assert scan(now=next(clock)).opened["same_symbol"] == 1
    finding.refresh_from_db()
    assert (finding.state, finding.first_seen_at) == ("open", first)


def test_what_was_dismissed_stays_until_there_is_something_new(clock, steward):
    stage.asset("DUP", "One")
    other = stage.asset("DUP", "Two")
    third = stage.asset("DUP", "Three")
    scan(now=next(clock))
    finding = Finding.objects.get()
    dismiss(finding_id=finding.pk, reason="three tokens of three issuers", by=steward)
    retire_asset(asset_id=third.pk, expected_version=1, reason="gone", by=steward)
    update_asset(asset_id=other.pk, expected_version=1, changes={"name": "Second"}, by=None)
    assert sum(scan(now=next(clock)).opened.values()) == 0
    finding.refresh_from_db()
    assert (finding.state, len(finding.assets)) == ("dismissed", 3)

    stage.asset("DUP", "Four")
    assert scan(now=next(clock)).opened["same_symbol"] == 1
    finding.refresh_from_db()
    assert (finding.state, finding.dismissed_reason) == ("open", "three tokens of three issuers")


def test_dismissing_takes_a_reason_a_steward_and_something_open(clock, steward):
    stage.asset("DUP", "One"), stage.asset("DUP", "Two")
    scan(now=next(clock))
    finding = Finding.objects.get()
    with pytest.raises(Unfounded):
        dismiss(finding_id=finding.pk, reason=" ", by=steward)
    with pytest.raises(NotAllowed):
        dismiss(finding_id=finding.pk, reason="no", by=cast.person(Role.TRADER))
    dismiss(finding_id=finding.pk, reason="two issuers", by=steward)
    entry = Entry.objects.get(action="finding.dismissed")
    assert (entry.who, entry.reason) == ("stella", "two issuers")
    with pytest.raises(Conflict, match="dismissed"):
        dismiss(finding_id=finding.pk, reason="again", by=steward)
    for wrong in (
        "DELETE FROM assets_finding",
        "UPDATE assets_finding SET key = 'x'",
        "UPDATE assets_finding SET dismissed_reason = ''",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            stage.run_sql(wrong)


def test_an_import_asks_about_what_it_brought_and_ends_nothing(clock):
    stage.asset("OLD", "One"), stage.asset("OLD", "Two")
    scan(now=next(clock))
    brought = stage.asset("NEW", "Three")
    stage.asset("NEW", "Four"), stage.asset("MORE", "Five"), stage.asset("MORE", "Six")
    scanned = scan(now=next(clock), assets={brought.pk})
    assert (scanned.found["same_symbol"], scanned.over) == (1, 0)
    assert set(Finding.objects.values_list("key", "state")) == {("OLD", "open"), ("NEW", "open")}


def test_what_waits_is_counted_where_people_and_collectors_look(steward):
    stage.asset("DUP", "One"), stage.asset("DUP", "Two")
    assert rows(steward) == []
    scan_task()
    assert [row.count for row in rows(steward)] == [1]
    assert rows(cast.person(Role.VIEWER)) == []
    values = {one.labels["kind"]: one.value for one in findings_open()}
    assert values == {"same_symbol": 1, "looks_alike": 0, "same_address": 0, "near_address": 0}


def test_it_runs_every_night():
    task = PeriodicTask.objects.get(name="nightly-registry-scan")
    assert (task.task, task.crontab.hour, task.enabled) == ("assets.scan", "3", True)


def test_a_text_that_reads_as_nothing_is_compared_with_nothing():
    assert readings("\u200b") == []
    assert readings("Sol") == ["SOL", "as written SoI"]
    assert readings("Tether") == ["TETHER"]
