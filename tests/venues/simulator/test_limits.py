"""How many calls the simulated venues take, and what they say to one more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from venues.simulator.app import Simulator

START = datetime(2026, 1, 1, tzinfo=UTC)
ADVANCED = "/coinbase_advanced/api/v3/brokerage"
# The head {"alg":"EdDSA","kid":"mine"} and a claim that proves nothing: counted all the same.
TOKEN = "eyJhbGciOiJFZERTQSIsImtpZCI6Im1pbmUifQ.eyJzdWIiOiJtaW5lIiwibmJmIjowLCJleHAiOjF9.AA"


class Counted:
    def __init__(self, folder: Path, *, has_limits: bool = True) -> None:
        self.now = START
        self.app = Simulator(
            folder, 1, now=lambda: self.now, is_ticking=False, has_limits=has_limits
        )

    async def calls(
        self, number: int, path: str, *, peer: str = "127.0.0.1", **headers: str
    ) -> list[httpx.Response]:
        transport = httpx.ASGITransport(self.app, client=(peer, 1))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://venue") as http:
            return [await http.get(path, headers=named) for _ in range(number)]


@pytest.fixture
def counted(tmp_path):
    counted = Counted(tmp_path)
    yield counted
    counted.app.close()


def refused(answers: list[httpx.Response]) -> int:
    return sum(one.status_code == 429 for one in answers)


async def test_an_address_has_a_bucket_that_fills_again(counted):
    assert refused(await counted.calls(12, f"{ADVANCED}/time")) == 2
    counted.now += timedelta(seconds=0.5)
    assert refused(await counted.calls(7, f"{ADVANCED}/time")) == 2
    assert refused(await counted.calls(7, f"{ADVANCED}/time", peer="10.0.0.1")) == 0


async def test_a_key_has_a_bucket_of_its_own_from_any_address(counted):
    authorization = f"Bearer {TOKEN}"
    first = await counted.calls(20, f"{ADVANCED}/accounts", authorization=authorization)
    more = await counted.calls(
        12, f"{ADVANCED}/accounts", peer="10.0.0.1", authorization=authorization
    )

    assert (refused(first), refused(more)) == (0, 2)
    assert refused(await counted.calls(1, f"{ADVANCED}/time")) == 0


async def test_the_venues_own_headers_count_down(counted):
    answers = await counted.calls(11, f"{ADVANCED}/time")
    left = [one.headers["x-ratelimit-remaining"] for one in answers]

    assert left == ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0", "0"]
    assert answers[-1].headers["x-ratelimit-limit"] == "10"
    assert answers[-1].headers["x-ratelimit-reset"] == "1"
    assert "retry-after" not in answers[-1].headers
    assert answers[-1].json()["errors"][0]["id"] == "rate_limit_exceeded"


async def test_the_other_venue_has_other_numbers_and_words(counted):
    public = await counted.calls(16, "/coinbase_exchange/time")
    fills = await counted.calls(21, "/coinbase_exchange/fills", cb_access_key="mine")
    private = await counted.calls(31, "/coinbase_exchange/orders", cb_access_key="mine")

    assert [refused(one) for one in (public, fills, private)] == [1, 1, 1]
    assert public[-1].json() == {"message": "Public rate limit exceeded"}
    assert fills[-1].json() == {"message": "Private rate limit exceeded"}
    assert not [name for name in public[-1].headers if "limit" in name]


async def test_without_limits_nothing_is_counted(tmp_path):
    free = Counted(tmp_path, has_limits=False)
    answers = await free.calls(40, f"{ADVANCED}/time")
    free.app.close()

    assert refused(answers) == 0
    assert "x-ratelimit-limit" not in answers[0].headers
