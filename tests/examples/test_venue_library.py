"""The examples of the venue library run, and run without any of the desk's frameworks installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from examples.own_simulator import SIMULATED
from venues.adapters.registry import ADAPTERS

ROOT = Path(__file__).resolve().parents[2]
REFUSED = ("django", "celery", "redis", "channels", "rest_framework", "psycopg", "asgiref", "cqops")
# What an environment without these packages does: no module of theirs can be found.
BARE = f"""
import runpy, sys

class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {REFUSED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}: not installed here", name=name)

sys.meta_path.insert(0, Refuses())
module, sys.argv = sys.argv[1], sys.argv[1:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def run_bare(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_adapter_can_be_tried_by_the_examples():
    assert SIMULATED.keys() == ADAPTERS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(ADAPTERS))
def test_the_library_trades_without_the_frameworks(slug):
    ran = run_bare("examples.simple", slug)
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout
    assert "health: up" in said
    assert "BTC-USD" in said
    assert "balance: USD 2000000" in said
    assert "placed: buy 0.01 BTC-USD" in said
    assert "looked up: acknowledged, 0" in said
    assert "cancel taken: now cancelled" in said


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(ADAPTERS))
def test_the_streams_bring_a_book_trades_and_own_orders(slug):
    ran = run_bare("examples.streaming", slug, "--seconds", "4")
    assert ran.returncode == 0, ran.stderr
    seen = ran.stdout.rpartition("seen in 4 s:")[2]
    for what in ("book", "trades", "executions"):
        assert f"'{what}'" in seen, ran.stdout


@pytest.mark.slow
def test_the_mock_client_needs_no_framework():
    ran = run_bare("venues.mock.client")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_an_environment_without_a_framework_really_lacks_it(name, tmp_path):
    (tmp_path / "reaches.py").write_text(f"import {name}\n")
    ran = subprocess.run(
        [sys.executable, "-c", BARE, "reaches"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
        timeout=60,
    )
    assert ran.returncode != 0
    assert f"No module named '{name}': not installed here" in ran.stderr
