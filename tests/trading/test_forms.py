"""What a person or a program may write as an amount, and what it then means."""

from decimal import Decimal

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests import cast
from trading.forms import ExactField
from trading.services.tickets import preview
from venues.interface.types import OrderType, Side, TimeInForce


def read(text):
    return ExactField().clean(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("1500", "1500"),
        ("1,500", "1500"),
        ("1,234,567.25", "1234567.25"),
        ("007", "7"),
        ("0.50000000000000000000000000000000", "0.5"),
        ("9" * 36 + "." + "9" * 24, "9" * 36 + "." + "9" * 24),
    ],
)
def test_what_a_person_types_is_read_to_the_last_digit(text, number):
    assert read(f" {text} ") == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["0,5", "0,500", "1,50", "1,5000", "12,34,567", "1500,25", "1,500,25", ",5", "1.500,25", "1,"],
)
def test_a_comma_that_groups_no_thousands_is_refused_and_never_dropped(text):
    with pytest.raises(ValidationError, match="a comma only groups thousands"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        *("1e5", "1E5", "1_000", "1 000", "1\u202f000", "+1", "-1", "5.", "1.2.3", "0x10", "NaN"),
        *("Infinity", "\u0661\u0662", "\uff11", "\u00bd", "1\n2"),
    ],
)
def test_whatever_else_is_not_digits_and_a_point_is_refused(text):
    with pytest.raises(ValidationError, match="with a point"):
        read(text)


@pytest.mark.parametrize("text", ["1" + "0" * 36, "0." + "0" * 24 + "1", "9" * 500])
def test_what_the_books_cannot_hold_is_refused_in_words(text):
    with pytest.raises(ValidationError, match="At most 36 digits"):
        read(text)


@pytest.mark.parametrize("text", ["0", "0.000", ".0"])
def test_zero_is_no_amount(text):
    with pytest.raises(ValidationError, match="above zero"):
        read(text)


@pytest.mark.slow
@hypothesis_settings(deadline=None)
@given(st.text("0123456789.,", max_size=90) | st.text(max_size=20))
def test_any_text_is_a_number_within_the_column_or_a_refusal(text):
    try:
        number = read(text)
    except ValidationError:
        return
    assert number.is_finite()
    assert number > 0
    digits = format(number, "f")
    assert digits.strip("0.") == text.strip().replace(",", "").strip("0.")
    assert len(digits.partition(".")[0]) <= 36


amounts = st.builds(
    lambda digits, places: Decimal((0, tuple(digits), -places)),
    st.lists(st.integers(0, 9), min_size=1, max_size=60),
    st.integers(0, 24),
).filter(lambda number: 0 < number < Decimal(10) ** 36)


@pytest.mark.slow
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(quantity=amounts, price=st.none() | amounts, side=st.sampled_from(Side))
def test_the_checks_answer_to_every_amount_the_books_can_hold(
    trader, live_book, quantity, price, side
):
    ticket = cast.ticket(
        trader,
        side=side,
        quantity=quantity,
        limit_price=price,
        order_type=OrderType.LIMIT if price else OrderType.MARKET,
        time_in_force=TimeInForce.GTC if price else TimeInForce.IOC,
    )
    assert len(preview(ticket)) == len(settings.TRADING_CHECKS)
