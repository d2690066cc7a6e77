"""Mutated messages: refused in one way, never a crash, and on the record. `make fuzz` tries a million."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.venues.adapters.fuzz.decoders import DECODERS
from tests.venues.adapters.fuzz.judging import Broken, Decoder, Sink, Tally, fuzz, judge
from tests.venues.adapters.fuzz.mutations import mutate
from venues.adapters.coinbase_advanced.feed import Books
from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import Unreadable
from venues.adapters.kit.stream import Follower
from venues.interface.errors import Cause, NotSent
from venues.interface.types import BookEvent, Level, StreamReset

ROUNDS = 20_000
NEVER_REFUSES = "error"
AROUND = Surroundings(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", sorted(DECODERS))
def test_a_mutated_message_is_read_or_refused_and_reported(name):
    tally = fuzz(DECODERS[name], seed=name, rounds=ROUNDS)
    if name.endswith(NEVER_REFUSES):
        assert (tally.read, tally.refused) == (ROUNDS, 0)
    else:
        assert ROUNDS / 10 < tally.refused < ROUNDS * 0.95


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_the_sound_message_of_every_decoder_is_read(name):
    tally = Tally()
    judge(DECODERS[name], json.dumps(DECODERS[name].sample).encode(), tally)
    assert (tally.read, tally.refused) == (1, 0)


def _crash(_body: bytes) -> object:
    raise KeyError


def _float(_body: bytes) -> object:
    return Level(1.5, Decimal(1))  # type: ignore[arg-type]


def _infinite(_body: bytes) -> object:
    return (Decimal("Infinity"),)


def _silent(_body: bytes) -> object:
    message = "unreadable"
    raise NotSent(message, cause=Cause.TEMPORARY) from Unreadable("x")


def _slow(_body: bytes) -> object:
    return sum(range(10_000_000)) and None


@pytest.mark.parametrize("read", [_crash, _float, _infinite, _silent, _slow])
def test_a_decoder_that_breaks_one_of_the_rules_is_found_out(read):
    with pytest.raises(Broken):
        fuzz(Decoder({"a": 1}, read, Sink([])), seed="x", rounds=1)


async def test_a_feed_goes_on_through_broken_frames_on_one_connection():
    dice = random.Random(2)  # noqa: S311
    dialect = Books({"BTC-USD": ["BTC-USD"]}, signer=None, around=AROUND)
    dialect.begin()
    follower = Follower("ws://127.0.0.1:1", dialect)
    sample = DECODERS["coinbase_advanced stream level2"].sample
    for number in range(3000):
        for item in await follower.take(mutate(dice, {**sample, "sequence_num": number})):
            assert isinstance(item, BookEvent | StreamReset)
