import pytest
import redis
from django.conf import settings

from cqops.platform.events.streams import PREFIX
from tests.trading.conftest import live_book, scripted_venue, trader

__all__ = ["live_book", "scripted_venue", "trader"]


@pytest.fixture
def raw_redis():
    """Redis as the outside sees it, without the streams of other tests."""
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    for key in client.keys(f"{PREFIX}*"):
        client.delete(key)
    yield client
    client.close()
