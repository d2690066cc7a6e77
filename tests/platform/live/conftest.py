import pytest

from cqops.platform.live.redis import client, forget_failures


@pytest.fixture(autouse=True)
def _clean_redis():
    forget_failures()
    client().flushdb()
    yield
    forget_failures()
