"""Addresses that look the same at a glance: to Python, and to PostgreSQL in the same way."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from assets.addresses.nearness import BODY, are_near, glances
from tests.assets import stage

DIGITS = st.sampled_from("0123456789abcdef")
HEX = st.text(alphabet=DIGITS, min_size=40, max_size=40)
SOLANA = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
SAMPLES = {
    stage.USDC.lower(): "a0b8...eb48",
    SOLANA: "EPjF...Dt1v",
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": "R7NH...Lj6t",
    # As long as a Solana address, so that its T says something.
    "T" + SOLANA[1:]: "TPjF...Dt1v",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": "qar0...5mdq",
    "cosmos1zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3c2tngc": "zyg3...tngc",
    "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2": None,
    "uatom": None,
    "0x2::sui::SUI": None,
    "0x1010": None,
}


@pytest.mark.parametrize(("key", "seen"), SAMPLES.items())
def test_people_look_at_the_ends_from_where_addresses_differ(key, seen):
    assert (glances(key) or (None,))[0] == seen


@given(HEX, st.integers(0, 39), DIGITS)
def test_one_digit_away_is_near_wherever_it_is(key, place, digit):
    other = key[:place] + digit + key[place + 1 :]
    assert are_near(f"0x{key}", f"0x{other}") == (key != other)


@given(HEX, HEX)
def test_the_same_ends_are_near_whatever_is_between(key, between):
    other = key[:4] + between[4:36] + key[36:]
    assert are_near(f"0x{key}", f"0x{other}") == (key != other)


@given(HEX)
def test_other_ends_and_halves_are_not(key):
    turned = key.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    assert not are_near(f"0x{key}", f"0x{turned}")
    assert not are_near(f"0x{key}", "0x" + turned[0] + key[1:-1] + turned[-1])


@given(st.text(max_size=60), st.text(max_size=60))
def test_nearness_is_mutual_and_never_of_itself(one, other):
    assert are_near(one, other) == are_near(other, one)
    assert not are_near(one, one)


@pytest.mark.django_db
def test_postgresql_reads_the_same_part():
    with connection.cursor() as cursor:
        for key, seen in SAMPLES.items():
            cursor.execute("SELECT (regexp_match(%s, %s))[1]", [key, BODY])
            (body,) = cursor.fetchone()
            assert (f"{body[:4]}...{body[-4:]}" if body else None) == seen, key
