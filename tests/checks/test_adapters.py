"""The size of an adapter is counted in statements, and nobody grows past the limit unseen."""

from checks.adapters import LIMIT, Size, code_lines, problems, sizes, statements
from venues.adapters.registry import ADAPTERS

SOURCE = '''"""Why."""

import json

# a comment


def read(text):
    """Say what."""
    if text: return json.loads(
        text,
    )
    return None
'''


def sized(count, name="venue"):
    return Size(name=name, statements=count, lines=count)


def test_statements_are_counted_without_docstrings_however_they_are_laid_out():
    assert statements(SOURCE) == 5
    assert statements(SOURCE.replace("if text: return", "if text:\n        return")) == 5


def test_lines_of_code_leave_out_blank_lines_comments_and_docstrings():
    assert code_lines(SOURCE) == 6


def test_an_adapter_at_the_limit_is_a_problem():
    assert list(problems([sized(LIMIT - 1)])) == []
    assert list(problems([sized(LIMIT)]))


def test_every_adapter_is_under_the_limit_and_the_kit_is_none():
    measured = list(sizes())

    assert {one.name for one in measured} == ADAPTERS.keys()
    assert list(problems(measured)) == []
