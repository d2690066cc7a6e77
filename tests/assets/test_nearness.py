"""Addresses with the same ends: seen by Python, and by PostgreSQL in the same way."""

import string

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from assets.addresses.nearness import ENDS, are_near, ends
from tests.assets import stage

HEX = st.text(alphabet="0123456789abcdef", min_size=40, max_size=40)
PLAIN = "1234567890" * 4
SAMPLES = {
    stage.USDC.lower(): ("a0b8", "eb48"),
    "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v": ("EPjF", "Dt1v"),
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": ("R7NH", "Lj6t"),
    # As long as a Solana address, so that its T says something.
    "TPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v": ("TPjF", "Dt1v"),
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": ("qar0", "5mdq"),
    "cosmos1zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3c2tngc": ("zyg3", "tngc"),
    "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2": None,
    "uatom": None,
    "0x2::sui::SUI": None,
    "0x1010": None,
}


@pytest.mark.parametrize(("key", "seen"), SAMPLES.items())
def test_the_ends_of_an_address_are_what_differs_from_the_first_character_on(key, seen):
    assert ends(key) == seen


@given(HEX, st.integers(4, 35), st.sampled_from("0123456789abcdef"))
def test_one_that_differs_in_the_middle_is_near_and_no_other(key, place, letter):
    other = key[:place] + letter + key[place + 1 :]
    assert are_near(f"0x{key}", f"0x{other}") == (key != other)
    for end in (0, -1):
        changed = list(key)
        changed[end] = "f" if key[end] != "f" else "0"
        assert not are_near(f"0x{key}", "0x" + "".join(changed))


@given(st.text(alphabet=string.printable, max_size=60), st.text(max_size=60))
def test_nearness_is_mutual_and_never_of_itself(one, other):
    assert are_near(one, other) == are_near(other, one)
    assert not are_near(one, one)


@pytest.mark.django_db
def test_postgresql_sees_the_same():
    with connection.cursor() as cursor:
        for key, seen in {**SAMPLES, "0x" + PLAIN: ("1234", "7890")}.items():
            cursor.execute("SELECT regexp_match(%s, %s)", [key, ENDS])
            found = cursor.fetchone()[0]
            assert (tuple(found) if found else None) == seen, key
