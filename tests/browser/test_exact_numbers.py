"""What the pages do with digits: nothing is rounded, nothing is lost."""

import pytest

from tests.browser.people import enter_as

pytestmark = pytest.mark.browser
THIN = "\u202f"


def _ask(page, expression):
    return page.evaluate(f"import('/static/js/exact.js').then((exact) => {expression})")


def test_digits_survive_the_page(page):
    enter_as(page, "Viewer")

    assert _ask(page, "exact.grouped('1234567.5', 2)") == f"1{THIN}234{THIN}567.50"
    assert _ask(page, "exact.grouped('0.000000000000000001', 2)") == "0.000000000000000001"
    assert _ask(page, "exact.fromUnits(exact.toUnits('0.00000001', 8) * 3n, 8)") == "0.00000003"
    assert _ask(page, "exact.fromUnits(exact.toUnits('1.5', 2) - exact.toUnits('2', 2), 2)") == (
        "-0.50"
    )
    assert (
        _ask(page, "exact.fromUnits(exact.toUnits('9007199254740993.1', 1), 1)")
        == "9007199254740993.1"
    )
