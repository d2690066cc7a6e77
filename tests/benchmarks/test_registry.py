"""The benchmark of the registry fills one and asks it; what it measures is judged by whoever runs it."""

from __future__ import annotations

import pytest

from assets.models import Alias, Asset, GroupMember, Identifier, QualityFlag
from benchmarks import registry
from benchmarks._registry import fill

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_small_one_is_filled_once_and_asked_the_same_things(capsys):
    filled = fill(assets=400, symbols=2_000)
    counts = [model.objects.count() for model in (Asset, Alias, Identifier)]
    assert counts == [400, 1_200, 800]
    assert GroupMember.objects.count() == 400 + 3 * 10
    assert QualityFlag.objects.count() == len(filled.flagged) == 20

    assert fill(assets=400, symbols=2_000).assets == filled.assets
    assert Asset.objects.count() == 400
    registry.cold(filled)
    registry.admin_lists()
    assert registry.found["cold read queries"] == 1
    assert registry.found["admin list queries"] <= 12
    assert "asset over HTTP" in capsys.readouterr().out
