from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from assets.models import Asset
from assets.services import save_asset
from cqops.platform.access.policy import Role
from cqops.platform.audit import chain
from cqops.platform.audit.context import Context, Door, current, entering, this_process
from cqops.platform.audit.models import Entry, Review, Seal
from cqops.platform.audit.proof import verify_and_remember
from cqops.platform.audit.sequencer import Sequencer
from cqops.platform.audit.services import changes, record, record_saved
from cqops.platform.telemetry.trace import Place, at
from tests import cast

pytestmark = pytest.mark.django_db

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=True)
    | st.decimals(allow_nan=False, allow_infinity=False, places=12)
    | st.text()
    | st.datetimes(timezones=st.just(timezone(timedelta(hours=2))))
    | st.uuids(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
class EveryValue(TestCase):
    @given(st.dictionaries(st.text(), VALUES, max_size=4), st.text())
    def test_every_value_comes_back_from_the_database_as_it_was_hashed(self, values, reason):
        made = record(action="thing.changed", before=values, after=values, reason=reason)

        read = Entry.objects.get(pk=made.pk)

        assert read.hash == chain.entry_hash(read.content())


class TestRecord:
    def test_says_who_in_which_roles_did_what_to_what(self):
        trader = cast.person(Role.TRADER, "tom")
        asset = cast.asset("BTC")

        made = record(action="asset.looked_at", subject=asset, reason="because", by=trader)

        assert (made.who, made.who_id, made.roles) == ("tom", str(trader.pk), "trader")
        assert (made.subject_kind, made.subject_id) == ("assets.asset", str(asset.pk))
        assert (made.subject_text, made.reason) == ("BTC", "because")

    def test_amounts_are_written_as_text_without_exponent_or_padding(self):
        made = record(action="x.y", after={"quantity": Decimal("0.000000010"), "price": Decimal(5)})

        assert made.after == {"quantity": "0.00000001", "price": "5"}

    def test_secrets_are_hidden_wherever_they_stand(self):
        after = {"api_key": "abc", "nested": [{"password": "p"}], "note": "Bearer abcdef123"}

        made = record(action="x.y", after=after, reason="secret=hunter2")

        assert made.after == {
            "api_key": "[redacted]",
            "nested": [{"password": "[redacted]"}],
            "note": "Bearer [redacted]",
        }
        assert "hunter2" not in made.reason

    def test_goes_with_the_transaction_it_belongs_to(self):
        @transaction.atomic
        def fails_after_recording():
            record(action="x.y")
            Asset.objects.create(symbol="", name="refused by the database")

        with pytest.raises(IntegrityError):
            fails_after_recording()

        assert not Entry.objects.exists()

    def test_takes_door_origin_and_request_from_the_context(self):
        context = Context(door=Door.TASK, origin="a.task", request_id="r" * 32)
        with entering(context), at(Place("t1")):
            made = record(action="x.y", decision_id="d1")

        assert (made.door, made.origin, made.request_id) == ("task", "a.task", "r" * 32)
        assert (made.trace_id, made.decision_id) == ("t1", "d1")
        assert current().door is Door.PROCESS


@pytest.mark.parametrize(
    ("words", "door", "origin"),
    [
        (["manage.py", "audit", "verify"], Door.COMMAND, "manage.py audit"),
        (["/x/manage.py", "reports"], Door.PROCESS, "reports"),
        (["/x/celery", "worker"], Door.PROCESS, "celery"),
    ],
)
def test_a_process_knows_from_its_command_line_what_it_is(words, door, origin):
    found = this_process(words)

    assert (found.door, found.origin) == (door, origin)
    assert bool(found.who) is (door is Door.COMMAND)


class TestChanges:
    def test_names_only_what_differs(self):
        old, new = Asset(symbol="A", name="one"), Asset(symbol="A", name="two")

        assert changes(old, new, ["symbol", "name"]) == ({"name": "one"}, {"name": "two"})

    def test_saving_what_was_there_is_no_change(self):
        asset = save_asset(asset=Asset(symbol="ETH", name="Ether", kind="native"))
        assert Entry.objects.filter(action="asset.created").count() == 1

        save_asset(asset=asset)

        assert Entry.objects.count() == 1
        assert record_saved(kind="asset", old=asset, new=asset, fields=["name"]) is None

    def test_a_change_holds_both_sides(self):
        asset = save_asset(asset=Asset(symbol="ETH", name="Ether", kind="native"))
        asset.name = "Ethereum"
        save_asset(asset=asset)

        entry = Entry.objects.get(action="asset.changed")
        assert (entry.before, entry.after) == ({"name": "Ether"}, {"name": "Ethereum"})


class TestAppendOnly:
    @pytest.mark.parametrize("table", ["audit_entry", "audit_seal", "audit_review"])
    @pytest.mark.parametrize(
        "words",
        [
            "UPDATE {} SET {} = {}",
            "DELETE FROM {}",
            "TRUNCATE {}",
            "TRUNCATE {} RESTART IDENTITY CASCADE",
        ],
    )
    def test_the_database_refuses_everything_but_growth(self, table, words):
        record(action="x.y")
        Sequencer().run()
        verify_and_remember()
        column = {"audit_entry": "action", "audit_seal": "entry_hash"}.get(table, "words")
        before = Entry.objects.count(), Seal.objects.count(), Review.objects.count()

        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(words.format(table, column, column))

        after = Entry.objects.count(), Seal.objects.count(), Review.objects.count()
        assert after == before == (1, 1, 1)


def test_moments_are_hashed_in_utc_to_the_microsecond():
    at = datetime(2026, 3, 2, 14, tzinfo=timezone(timedelta(hours=2)))

    assert chain.moment(at) == "2026-03-02T12:00:00.000000+00:00"


def test_an_entry_without_an_action_is_refused_by_the_database():
    with pytest.raises(IntegrityError), transaction.atomic():
        record(action="", subject_id=str(uuid4()))
