"""What is looked up is what the services say, frozen, and the same once it went through Redis."""

import msgspec
import pytest
from django.utils import timezone

from assets.hot import answers, lookups
from assets.models import QualityFlag, Severity
from assets.services.flags import raise_flag
from assets.services.groups import add_member
from assets.services.relations import relate
from assets.services.resolution import by_symbol
from tests.assets import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(steward):
    sol, wrapped, group = stage.asset("SOL", "Solana"), stage.asset("WSOL"), stage.group("SOL")
    stage.asset("SOL", "Another")
    stage.deployed(sol)
    relate(asset_id=wrapped.pk, kind="wraps", other_id=sol.pk, source="x", by=steward)
    add_member(group_id=group.pk, asset_id=sol.pk, source="x", by=None, is_for_risk=True)
    add_member(group_id=group.pk, asset_id=wrapped.pk, source="x", by=None, is_canonical=False)
    raise_flag(
        flag=QualityFlag(asset=wrapped, kind="exploit", severity=Severity.CRITICAL, note="seen"),
        by=steward,
    )
    return sol, group


def test_every_answer_is_frozen_and_comes_back_from_redis_as_it_went(world):
    sol, group = world
    asked = {
        lookups.asset: sol.pk,
        lookups.meaning: ("SOL", "ethereum"),
        lookups.members: group.pk,
        lookups.critical: sol.pk,
        answers.asset_answer: str(sol.pk),
        answers.symbol_answer: ("SOL", ""),
    }
    assert set(asked) <= set(lookups.cache.kinds)
    for kind, key in asked.items():
        value = kind.get(key)
        assert value, kind.name
        hash(value)
        assert kind._decoder.decode(msgspec.msgpack.encode((1.0, value))) == (1.0, value)


def test_what_is_looked_up_is_what_the_rows_say(world):
    sol, group = world
    assert (lookups.asset.get(sol.pk).symbol, lookups.asset.get(sol.pk).version) == ("SOL", 1)
    members = lookups.members.get(group.pk)
    assert [(one.symbol, one.is_for_risk) for one in members] == [("SOL", True), ("WSOL", False)]
    assert [one.kind for one in lookups.critical.get(sol.pk)] == ["exploit"]


@pytest.mark.parametrize(("symbol", "chain"), [("sol", ""), ("SOL", "ethereum"), ("X", "base")])
def test_a_ticker_means_what_the_resolver_says(world, monkeypatch, symbol, chain):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert lookups.by_symbol_now(symbol=symbol, chain=chain) == by_symbol(
        symbol=symbol, chain=chain
    )
