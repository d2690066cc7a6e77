import pytest

from cqops.platform.audit import witness


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch):
    """Leave out what the database counts: it counts what tests tamper with, too, and for good."""
    monkeypatch.setattr(witness, "counted", list)
