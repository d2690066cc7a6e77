"""Nothing counts as audited that was not looked up."""

import json

import pytest

from checks import audit

LOOKED_UP = {"name": "django", "version": "5.2.19", "vulns": []}
BAD = {"name": "redis", "version": "1", "vulns": [{"id": "CVE-1"}]}
SKIPPED = {"name": "celery", "skip_reason": "could not be audited"}


def audited(monkeypatch, packages) -> int:
    text = "No known vulnerabilities found\n" + json.dumps({"dependencies": packages})
    monkeypatch.setattr(audit, "run", lambda words, environment: (True, text))
    return audit.main()


def test_all_looked_up_and_clean_passes(monkeypatch):
    assert audited(monkeypatch, [LOOKED_UP]) == 0


def test_a_known_vulnerability_fails_and_is_named(monkeypatch, capsys):
    assert audited(monkeypatch, [LOOKED_UP, BAD]) == 1
    assert "redis 1: CVE-1" in capsys.readouterr().out


@pytest.mark.parametrize("packages", [[], [SKIPPED, SKIPPED]])
def test_reaching_nobody_is_not_run_and_no_success(monkeypatch, capsys, packages):
    assert audited(monkeypatch, packages) == 2
    assert "NOT RUN" in capsys.readouterr().out


def test_a_gap_is_no_success(monkeypatch, capsys):
    assert audited(monkeypatch, [LOOKED_UP, SKIPPED]) == 1
    assert "NOT RUN for 1 packages: celery" in capsys.readouterr().out
