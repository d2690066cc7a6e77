"""What is fresh enough, and what was used before."""

from __future__ import annotations

import math

import pytest

from tests.venues.simulator.test_wire import HOST, NOW, ROOT, token
from venues.simulator.demo_keys import generate_demo_key, register_key
from venues.simulator.keys import BadToken, KeyRing
from venues.simulator.replay import GrowingNonces, OnceOnly, is_within


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(70, True), (69, False), (130, True), (131, False), (math.nan, False), (math.inf, False)],
)
def test_a_window_is_as_wide_both_ways_unless_said(sent, expected):
    assert is_within(sent, 100, late=30) is expected


def test_a_window_may_be_narrower_for_what_is_ahead():
    assert is_within(101, 100, late=5, early=1)
    assert not is_within(102, 100, late=5, early=1)


def test_a_growing_nonce_never_goes_back_within_its_key():
    nonces = GrowingNonces()

    assert [nonces.accepts("a", n) for n in (5, 5, 4, 6, 9, 8)] == [
        *(True, False, False, True, True, False)
    ]
    assert nonces.accepts("b", 1)


def test_a_window_forgives_disorder_but_no_repeat():
    nonces = GrowingNonces(window=10)

    assert [nonces.accepts("a", n) for n in (20, 15, 15, 11, 10, 40, 30, 31)] == [
        *(True, True, False, True, False, True, False, True)
    ]


def test_a_mark_is_taken_once_until_nobody_could_use_it_anyway():
    once = OnceOnly()

    assert once.accepts("a", "n", now=0, keep=10)
    assert not once.accepts("a", "n", now=9, keep=10)
    assert once.accepts("b", "n", now=9, keep=10)
    assert once.accepts("a", "n", now=10, keep=10)


def test_a_token_is_good_again_unless_the_venue_minds(tmp_path):
    key = generate_demo_key()
    register_key(tmp_path, key.entry)
    uris = frozenset({f"GET {HOST}{ROOT}/accounts"})
    strict, lax = (
        KeyRing(tmp_path, "coinbase_advanced", NOW.timestamp, once=once)
        for once in (OnceOnly(), None)
    )
    same = token(key)

    for ring in (strict, lax, lax):
        assert ring.verify(same, uris=uris).key_id == key.key_id
    with pytest.raises(BadToken, match="used before"):
        strict.verify(same, uris=uris)
    assert strict.verify(token(key, header={"nonce": "another"}), uris=uris)
