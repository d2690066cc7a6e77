import pytest
from django.urls import reverse

from cqops.platform.access.policy import Role
from tests import cast


@pytest.fixture
def desk(client, steward):
    client.force_login(steward)
    return client


@pytest.fixture
def trader(db):
    return cast.person(Role.TRADER, "tom")


@pytest.fixture
def shown(desk):
    """Read a page of the desk as text."""

    def read(name, *args, status=200, **query):
        answer = desk.get(reverse(name, args=args), query)
        assert answer.status_code == status, answer.content.decode()[:2000]
        return answer.content.decode()

    return read
