"""A lock that is stale, unpinned, without a hash or with an address is found."""

import pytest

from checks.locks import HEADER, LOCKS, digest, problems
from checks.tools import ROOT

LOCK, DEV, *_ORACLES = LOCKS
PYPROJECT = """
[project]
dependencies = ["django", "redis"]
requires-python = ">=3.11"
[dependency-groups]
dev = ["ruff"]
"""
PIN = "django==5.2.19 \\\n    --hash=sha256:00ff\n"


def lock_text(body: str = PIN, pyproject: str = PYPROJECT) -> str:
    return f"{HEADER}{digest(LOCK, pyproject)}\n{body}"


def test_the_locks_of_this_checkout_are_fresh():
    pyproject = (ROOT / "pyproject.toml").read_text()
    for lock in LOCKS:
        assert list(problems(lock, (ROOT / lock.name).read_text(), pyproject)) == []


def test_a_fresh_lock_has_no_problem():
    assert list(problems(LOCK, lock_text(), PYPROJECT)) == []


def test_a_changed_dependency_makes_the_lock_stale():
    changed = PYPROJECT.replace('"redis"', '"redis>8"')
    assert list(problems(LOCK, lock_text(), changed)) == [
        "requirements.lock: not solved from the present pyproject.toml; run `make lock`"
    ]


def test_only_the_tools_lock_depends_on_the_tools():
    changed = PYPROJECT.replace('"ruff"', '"ruff", "mypy"')
    assert digest(LOCK, changed) == digest(LOCK, PYPROJECT)
    assert digest(DEV, changed) != digest(DEV, PYPROJECT)


def test_order_and_comments_in_the_project_file_do_not_matter():
    other = PYPROJECT.replace('"django", "redis"', '\n  "redis",  # queues\n  "django",\n')
    assert digest(LOCK, other) == digest(LOCK, PYPROJECT)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("django==5.2.19\n", "without a hash: django==5.2.19"),
        ("django>=5 \\\n    --hash=sha256:00ff\n", "not pinned: django>=5"),
        (PIN + "--extra-index-url nowhere\n", "holds an address: --extra-index-url nowhere"),
        (PIN + "x @ https://host/x.whl\n", "holds an address: x @ https://host/x.whl"),
    ],
)
def test_what_a_lock_must_not_hold_is_named(body, complaint):
    assert any(complaint in found for found in problems(LOCK, lock_text(body), PYPROJECT))
