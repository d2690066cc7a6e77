"""Words for second ways are found, and an allowance needs a reason and a use."""

import pytest

from checks.words import allowances, problems


@pytest.mark.parametrize("word", ["shim", "Legacy", "FEATURE_FLAG", "featureflag"])
def test_a_forbidden_word_is_named_with_its_place(word):
    found = list(problems([("trading/states.py", f"a\nthe_{word} = 1\n")], []))
    assert found == [f"trading/states.py:2: {word!r}: the_{word} = 1"]


def test_a_reasoned_allowance_lets_a_venue_use_its_own_word():
    allowed = allowances("# venue terms\nvenues/adapters/*/wire.py | legacy | a field of its API\n")
    files = [("venues/adapters/deribit/wire.py", "legacy: str")]
    assert list(problems(files, allowed)) == []


def test_an_allowance_nobody_needs_is_a_problem():
    allowed = allowances("venues/wire.py | legacy | a field")
    assert list(problems([], allowed)) == [
        "allowed_words.txt: venues/wire.py | legacy is not needed any more"
    ]


def test_an_allowance_without_a_reason_is_refused():
    with pytest.raises(ValueError, match=r"allowed_words.txt:1: `path \| word \| reason`"):
        allowances("venues/wire.py | legacy")
