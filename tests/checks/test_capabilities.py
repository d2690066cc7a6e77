"""The table of the docs says what the code can do, or the check says that it does not."""

from dataclasses import replace

import pytest

from checks import capabilities
from venues.adapters.registry import ADAPTERS
from venues.interface.types import OrderType


def test_the_page_is_what_the_code_says():
    assert capabilities.check() == (True, "")


def test_a_capability_that_is_taken_away_ages_the_page(monkeypatch):
    whole = ADAPTERS["coinbase_advanced"]
    fewer = {
        kind: times
        for kind, times in whole.capabilities.times_in_force.items()
        if kind is not OrderType.TWAP
    }
    changed = replace(whole, capabilities=replace(whole.capabilities, times_in_force=fewer))
    monkeypatch.setattr(capabilities, "ADAPTERS", {**ADAPTERS, "coinbase_advanced": changed})
    is_fine, words = capabilities.check()
    assert not is_fine
    assert "make docs" in words


def test_a_venue_without_a_page_is_named(monkeypatch):
    monkeypatch.setattr(
        capabilities, "ADAPTERS", {**ADAPTERS, "moon": ADAPTERS["coinbase_advanced"]}
    )
    assert capabilities.check() == (False, "no page in docs/venues for: moon")


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="lost the marks"):
        capabilities.renewed("# The venues\n")
