"""`manage.py simulator`: what its words do."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from venues.management.commands import simulator as command
from venues.simulator.scenario import names


@pytest.fixture
def served(monkeypatch, tmp_path):
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(command, "serve_metrics", lambda _: None)
    monkeypatch.setattr(command, "serve", lambda **words: calls.append(words))
    return calls


def test_all_venues_run_unless_one_is_named(served, tmp_path):
    call_command(command.Command(), data_dir=tmp_path)
    call_command(command.Command(), data_dir=tmp_path, venue="coinbase_exchange", scenario="calm")

    assert [(one["venues"], one["scenario"]) for one in served] == [
        (None, ""),
        (["coinbase_exchange"], "calm"),
    ]


def test_the_bundle_is_printed_before_it_serves(served, tmp_path):
    out = StringIO()
    call_command(command.Command(stdout=out), data_dir=tmp_path, tls_port=8643)

    assert str(tmp_path / "tls" / "ca.pem") in out.getvalue()
    assert (tmp_path / "tls" / "ca.pem").exists()
    assert served[0]["tls_port"] == 8643


def test_the_scenarios_are_listed_with_what_they_are_about(served):
    out = StringIO()
    call_command(command.Command(stdout=out), list=True)

    assert [line.split()[0] for line in out.getvalue().splitlines()] == names()
    assert served == []


def test_a_scenario_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "serve_metrics", lambda _: None)

    with pytest.raises(CommandError, match=r"no scenario 'stormy'.*volatile"):
        call_command(command.Command(), data_dir=tmp_path, scenario="stormy")
