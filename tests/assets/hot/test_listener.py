"""The database tells what changed, whoever changes it; while it is not heard, nothing here is believed."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from assets.hot import lookups
from assets.hot.kinds import Cache
from assets.hot.listener import Listener, own_connection
from assets.models import Asset, Merge, QualityFlag, Severity
from assets.services.catalogue import update_asset
from assets.services.flags import raise_flag
from assets.services.groups import add_member
from assets.services.renaming import add_alias
from cqops.platform.access.allowances import seeding
from tests.assets import stage

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("asset", "symbol", "members", "critical")


def eventually(is_so):
    """Wait for another thread; only one that never comes takes long."""
    deadline = time.monotonic() + 4
    while not is_so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


class Ear:
    """The registry's own look-ups in a cache of this test, and a connection that can be cut."""

    def __init__(self):
        self.cache = Cache(size=100, redis=None)
        self.links = []
        self.kinds = {
            kind.name: self.cache.kind(
                kind.name,
                areas=kind._areas,
                ttl=timedelta(minutes=5),
                read=kind._read,
                shape=kind._decoder.type.__args__[1],
            )
            for kind in lookups.cache.kinds
        }
        self.is_shut = False
        self.listener = Listener(
            self.cache, connect=self.connect, proof_seconds=0.05, retry_seconds=0.01
        )

    def connect(self):
        if self.is_shut:
            raise psycopg.OperationalError
        self.links.append(own_connection())
        return self.links[-1]

    def cut(self):
        """Cut the line as a network does: the server ends the connection, and no new one is let in."""
        self.is_shut = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [self.links[-1].info.backend_pid])
        eventually(lambda: not self.cache.is_believed())


@pytest.fixture
def ear():
    made = Ear()
    made.listener.start()
    eventually(made.cache.is_believed)
    yield made
    made.listener.stop()
    assert not made.listener._thread.is_alive()


def warn(asset, severity=Severity.CRITICAL):
    return raise_flag(
        flag=QualityFlag(asset=asset, kind="exploit", severity=severity, note="seen", source="x"),
        by=None,
    )


def test_whatever_writes_is_heard_by_the_kinds_that_rest_on_it_and_by_no_other(ear, steward):
    sol, other, group = stage.asset("SOL"), stage.asset("SOLANA"), stage.group("SOL")
    stage.chain()
    writes = [
        (lambda: stage.asset("ETH"), {"asset", "symbol", "members", "critical"}),
        (
            lambda: add_alias(asset_id=sol.pk, ticker="XSOL", source="x", by=steward),
            {"symbol"},
        ),
        (lambda: stage.deployed(sol), {"symbol"}),
        (
            lambda: add_member(group_id=group.pk, asset_id=sol.pk, source="x", by=None),
            {"members"},
        ),
        (lambda: warn(sol), {"critical"}),
        (lambda: merged(sol, other), {"symbol", "critical"}),
        (
            lambda: stage.run_sql(
                "UPDATE assets_asset SET name = 'By SQL', version = version + 1 WHERE id = %s",
                sol.pk,
            ),
            {"asset", "symbol", "members", "critical"},
        ),
    ]
    for change, moved in writes:
        eventually(lambda: told_all(ear))
        before = {name: ear.kinds[name].stamp for name in KINDS}
        change()
        eventually(lambda: told_all(ear))
        now = {name: ear.kinds[name].stamp for name in KINDS}
        assert {name for name in now if now[name] != before[name]} == moved


def merged(one, into):
    with seeding(), transaction.atomic():
        Merge.objects.create(asset=one, into=into, source="x")


def told_all(ear):
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM assets_told")
        return cursor.fetchone()[0] == max(ear.cache.freshness._areas.values())


def test_a_change_is_seen_after_its_commit_and_one_that_is_taken_back_never_is(ear, steward):
    sol = stage.asset("SOL", "Solana")
    eventually(lambda: told_all(ear))
    look_up = ear.kinds["asset"]
    assert look_up.get(sol.pk).name == "Solana"

    with transaction.atomic():
        update_asset(
            asset_id=sol.pk, expected_version=1, changes={"name": "Never"}, reason="x", by=steward
        )
        transaction.set_rollback(True)
    assert look_up.held(sol.pk).name == "Solana"

    update_asset(
        asset_id=sol.pk, expected_version=1, changes={"name": "Sol"}, reason="x", by=steward
    )
    eventually(lambda: look_up.get(sol.pk).name == "Sol")


def test_within_a_transaction_that_changed_it_nothing_is_kept(ear):
    sol = stage.asset("SOL", "Solana")
    eventually(lambda: told_all(ear))
    look_up = ear.kinds["asset"]
    with transaction.atomic():
        Asset.objects.filter(pk=sol.pk).update(name="Mine alone", version=2)
        assert look_up.get(sol.pk).name == "Mine alone"
        transaction.set_rollback(True)
    assert look_up.get(sol.pk).name == "Solana"


def test_with_the_line_cut_nothing_stale_is_answered_and_back_again_it_is_believed(ear):
    sol = stage.asset("SOL", "Solana")
    eventually(lambda: told_all(ear))
    look_up, flags = ear.kinds["asset"], ear.kinds["critical"]
    assert (look_up.get(sol.pk).name, flags.get(sol.pk)) == ("Solana", ())

    ear.cut()
    stage.run_sql("UPDATE assets_asset SET name = 'Sol', version = 2 WHERE id = %s", sol.pk)
    warn(sol)
    assert look_up.held(sol.pk) is None
    assert look_up.get(sol.pk).name == "Sol"
    assert [one.kind for one in flags.get(sol.pk)] == ["exploit"]

    ear.is_shut = False
    eventually(ear.cache.is_believed)
    assert look_up.get(sol.pk).name == "Sol"
    assert look_up.held(sol.pk).name == "Sol"
    assert flags.get(sol.pk)


def test_what_no_notice_told_is_found_by_the_proof(ear):
    sol = stage.asset("SOL", "Solana")
    eventually(lambda: told_all(ear))
    look_up = ear.kinds["asset"]
    look_up.get(sol.pk)
    ear.cache.freshness.told = lambda area, version: None
    stage.run_sql("UPDATE assets_asset SET name = 'Sol', version = 2 WHERE id = %s", sol.pk)
    eventually(lambda: look_up.get(sol.pk).name == "Sol")


def test_a_line_that_hangs_is_not_believed_for_long(ear):
    now = time.monotonic()
    hung = Cache(size=10, redis=None, clock=lambda: now)
    listener = Listener(hung)
    with own_connection() as link:
        listener._prove(link)
    assert hung.is_believed()
    now += 3.1
    assert not hung.is_believed()


def test_a_look_up_by_symbol_ends_with_the_claims_it_rests_on(steward):
    old, new = stage.asset("SOL", "Old"), stage.asset("XYZ", "New")
    soon = timezone.now() + timedelta(hours=1)
    add_alias(asset_id=new.pk, ticker="SOL", source="x", valid_from=soon, by=steward)
    found = lookups.meaning._read(("SOL", ""), timezone.now())
    assert ([one.asset_id for one in found.value], found.until) == ([old.pk], soon)
    later = lookups.meaning._read(("SOL", ""), soon)
    assert {one.asset_id for one in later.value} == {old.pk, new.pk}
