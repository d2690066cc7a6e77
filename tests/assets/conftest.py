import pytest

from cqops.platform.access.policy import Role
from tests import cast


@pytest.fixture
def steward(db):
    return cast.person(Role.STEWARD, "stella")


@pytest.fixture
def second(db):
    return cast.person(Role.STEWARD, "sven")


@pytest.fixture
def approver(db):
    return cast.person(Role.APPROVER, "alma")
