import pytest

from cqops.platform.access.policy import Role
from tests import cast
from venues.services import clients


@pytest.fixture
def trader(db):
    cast.desk_switch()
    return cast.person(Role.TRADER)


@pytest.fixture
def scripted_venue(monkeypatch):
    venue = cast.ScriptedVenue()
    monkeypatch.setattr(clients, "_open", lambda account, credential: venue)
    monkeypatch.setattr(clients, "_clients", {})
    return venue


@pytest.fixture
def live_book(db):
    cast.publish_book(cast.symbol())
