"""Drift: counted in memory, told once a kind, and told again when what was known comes changed."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError

from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from cqops.platform.telemetry.models import OpsEvent
from tests import cast
from venues.models import DriftReport
from venues.services import drifting
from venues.services.drifting import Drift, Sighting, kind_of, mark_known, version_of, write_down

pytestmark = pytest.mark.django_db
CANARY = "hunter2-canary-drift"


@pytest.fixture
def drift():
    return Drift(clock=lambda: cast.NOON)


@pytest.fixture
def meet(drift):
    cast.venue()
    return drift.listener("coinbase_advanced", "coinbase_advanced", "private")


def told(journal):
    journal.flush(is_end=True)
    return list(OpsEvent.objects.filter(kind="venue.drift").values_list("words", flat=True))


def test_meeting_it_touches_no_database(meet, django_assert_num_queries):
    with django_assert_num_queries(0):
        meet("unknown order status", "MAYBE")


def test_a_kind_is_one_report_that_counts_and_is_told_once(drift, meet, journal):
    for _ in range(3):
        meet("unknown order status", "MAYBE")
    drift.write_out()
    meet("unknown order status", "MAYBE")
    drift.write_out()

    report = DriftReport.objects.get()
    assert (report.count, report.sample, report.place) == (4, "MAYBE", "private")
    assert report.version == version_of("coinbase_advanced")
    assert len(told(journal)) == 1


def test_another_value_is_another_report(drift, meet, journal):
    meet("unknown order status", "MAYBE")
    meet("unknown order status", "PERHAPS")
    drift.write_out()

    assert DriftReport.objects.count() == 2
    assert len(told(journal)) == 2


def test_an_unknown_member_is_one_report_whatever_is_in_it(drift, meet, journal):
    meet("unknown field", 'Order.shoe_size = "alpha"')
    meet("unknown field", 'Order.shoe_size = "beta"')
    drift.write_out()

    report = DriftReport.objects.get()
    assert (report.value, report.count) == ("Order.shoe_size", 2)
    assert len(told(journal)) == 1


def test_numbers_and_positions_make_no_new_kind():
    first, second = (
        kind_of(
            venue="v",
            where="public",
            kind="unreadable message",
            detail=f"Order: Expected `str`, got `int` (byte {byte}) - at `$.orders[{byte}].side`",
        )
        for byte in (7, 12345)
    )

    assert first == second
    assert first.place == "public $.orders[#].side"


def test_a_sample_holds_no_secret(drift, meet):
    meet("unreadable answer", f'{{"passphrase": "{CANARY}"}}')
    drift.write_out()

    assert CANARY not in str(DriftReport.objects.values().get())


def test_while_the_database_is_away_it_goes_on_counting(drift, meet, monkeypatch):
    meet("unknown order status", "MAYBE")
    with monkeypatch.context() as patch:

        def away(*_args):
            raise DatabaseError

        patch.setattr(drifting, "write_down", away)
        assert drift.write_out() == 0
        meet("unknown order status", "MAYBE")
        assert drift.write_out() == 0

    assert drift.write_out() == 1
    assert DriftReport.objects.get().count == 2


def test_whatever_breaks_in_taking_it_never_reaches_the_parse(meet, monkeypatch):
    def broken(**_kwargs):
        raise ValueError

    monkeypatch.setattr(drifting, "kind_of", broken)

    meet("unknown order status", "MAYBE")


class TestKnown:
    @pytest.fixture
    def report(self, drift, meet):
        meet("unknown order status", "MAYBE")
        drift.write_out()
        return DriftReport.objects.get()

    @pytest.mark.parametrize("role", [Role.STEWARD, Role.ADMIN])
    def test_it_is_marked_with_a_note_and_stands_in_the_log(self, report, role):
        who = cast.person(role)

        mark_known(report=report, note="Means open, says their notice", by=who)

        report.refresh_from_db()
        assert (report.is_known, report.known_by) == (True, who)
        entry = Entry.objects.get(action="drift.known")
        assert (entry.who_id, entry.reason) == (str(who.pk), "Means open, says their notice")

    @pytest.mark.parametrize("role", [Role.TRADER, Role.AUDITOR, Role.APPROVER, Role.VIEWER])
    def test_nobody_else_may(self, report, role):
        with pytest.raises(PermissionDenied):
            mark_known(report=report, note="Harmless", by=cast.person(role))

    def test_it_needs_a_reason_in_the_database_too(self, report):
        with pytest.raises(IntegrityError):
            mark_known(report=report, note=" ", by=cast.person(Role.STEWARD))

    def test_one_that_is_known_is_counted_and_not_told_again(self, report, drift, meet, journal):
        mark_known(report=report, note="Harmless", by=cast.person(Role.STEWARD))
        meet("unknown order status", "MAYBE")
        drift.write_out()

        report.refresh_from_db()
        assert (report.is_known, report.count) == (True, 2)
        assert len(told(journal)) == 1

    def test_one_that_comes_back_changed_is_told_again_and_known_no_more(
        self, report, drift, meet, journal
    ):
        mark_known(report=report, note="Harmless", by=cast.person(Role.STEWARD))
        kind = kind_of(
            venue="coinbase_advanced",
            where="private",
            kind="unknown order status",
            detail="MAYBE",
        )
        other = Sighting(sample="MAYBE", version="another", first=cast.NOON, last=cast.NOON)
        write_down(kind, other)
        write_down(kind, replace(other, version="another"))

        report.refresh_from_db()
        assert not report.is_known
        assert Entry.objects.filter(action="drift.back").count() == 1
        assert len(told(journal)) == 2

    def test_a_new_value_beside_one_that_is_known_says_so(self, report, drift, meet, journal):
        mark_known(report=report, note="Harmless", by=cast.person(Role.STEWARD))
        meet("unknown order status", "PERHAPS")
        drift.write_out()

        assert "differs from one that is known" in told(journal)[0]
