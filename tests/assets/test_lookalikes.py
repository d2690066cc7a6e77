import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.lookalikes import disguises, skeleton


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
