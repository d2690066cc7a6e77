"""A token is asked for again every two seconds, once for all who wait for the same."""

from __future__ import annotations

import asyncio

import pytest

from cqops.platform.access import known_tokens
from cqops.platform.access.known_tokens import REMEMBERED_SECONDS, KnownTokens
from cqops.platform.access.models import User


class Door:
    """Who a token belongs to, how often that was asked, and a clock that stands."""

    def __init__(self):
        self.now = 0.0
        self.asked = []
        self.owners = {"good": User(username="good"), "other": User(username="other")}
        self.tokens = KnownTokens(find=self.find, clock=lambda: self.now)

    async def find(self, token):
        self.asked.append(token)
        await asyncio.sleep(0)
        return self.owners.get(token)


@pytest.fixture
def door():
    return Door()


async def test_a_good_token_is_remembered_for_two_seconds_and_no_longer(door):
    first = await door.tokens.owner("good")
    door.now += REMEMBERED_SECONDS - 0.1
    assert await door.tokens.owner("good") is first
    door.owners.clear()
    door.now += 0.1
    assert await door.tokens.owner("good") is None
    assert door.asked == ["good", "good"]


async def test_what_opened_nothing_is_asked_for_each_time(door):
    assert [await door.tokens.owner("bad"), await door.tokens.owner("bad")] == [None, None]
    assert door.asked == ["bad", "bad"]


async def test_who_asks_at_the_same_time_waits_for_one_answer(door):
    people = await asyncio.gather(*(door.tokens.owner("good") for _ in range(20)))
    assert len(set(map(id, people))) == 1
    assert door.asked == ["good"]


async def test_no_more_are_remembered_than_there_is_room_for(door, monkeypatch):
    monkeypatch.setattr(known_tokens, "ROOM", 1)
    for token in ("good", "other", "good"):
        await door.tokens.owner(token)
    assert door.asked == ["good", "other", "good"]
