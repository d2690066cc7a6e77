import pytest

from cqops.platform.access.policy import Role
from tests.assets.api.calling import program_of


@pytest.fixture
def api(steward):
    """Return a steward's program."""
    return program_of(steward)


@pytest.fixture
def reader(db):
    from tests import cast  # noqa: PLC0415

    return program_of(cast.person(Role.AUDITOR))
