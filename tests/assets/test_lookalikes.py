import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.lookalikes import as_written, disguises, skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("USDC", "U\u0405DC"),
        ("usdc", "USD\u0441"),
        ("Tether", "\u0422ether"),
        ("ETH", "\u0395\u03a4\u0397"),
        ("USD0", "USDO"),
        ("USDC", "US\u200bDC"),
        ("USDC", "\uff35\uff33\uff24\uff23"),
        ("USD Coin", "USD  Co\u0456n"),
    ],
)
def test_what_reads_the_same_has_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("USDC", "USDT"), ("ETH", "WETH"), ("BTC", "BTG")])
def test_what_reads_otherwise_has_another(one, other):
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=32))
def test_reading_twice_is_reading_once(text):
    assert skeleton(skeleton(text)) == skeleton(text)


@given(st.text(alphabet=string.ascii_uppercase, min_size=1, max_size=8))
def test_every_disguise_reads_like_the_original(text):
    found = disguises(text)
    assert text not in found
    assert found
    assert {skeleton(one) for one in found} == {skeleton(text)}


@pytest.mark.parametrize(
    ("one", "other"), [("UNI", "UNl"), ("LINK", "L1NK"), ("amber", "arnber"), ("Sol", "So\u0406")]
)
def test_signs_that_only_capitals_tell_apart_are_one_as_written(one, other):
    assert as_written(one) == as_written(other)
    assert as_written("Poi") != as_written("Pol")


@given(st.text(max_size=32))
def test_reading_as_written_twice_is_reading_once(text):
    assert as_written(as_written(text)) == as_written(text)
