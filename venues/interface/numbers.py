"""Exact numbers at the border: what comes in is a finite `Decimal` or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Context, Decimal, InvalidOperation, localcontext

MAX_DIGITS = 60
# Room for what sums, products and remainders of such numbers can need; Python's own 28 digits round
# a product silently, and refuse a remainder that does not fit.
_EXACT = Context(prec=6 * MAX_DIGITS)


class BadNumber(ValueError):
    """The text is not a finite decimal number."""


@contextmanager
def exactly() -> Iterator[None]:
    """Reckon without rounding, whatever two amounts meet; a quotient has more digits than anybody reads."""
    with localcontext(_EXACT):
        yield


def exact(value: str | int | Decimal) -> Decimal:
    """Read a decimal string, refusing floats, NaN, infinity and the empty string."""
    if isinstance(value, (bool, float)):
        message = f"a {type(value).__name__} is not exact: send a decimal string"
        raise BadNumber(message)
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError) as error:
        message = f"not a decimal number: {value!r:.60}"
        raise BadNumber(message) from error
    if not number.is_finite():
        message = f"not a finite number: {value!r:.60}"
        raise BadNumber(message)
    # A short text has few digits, which spares counting them.
    is_long = not isinstance(value, str) or len(value) > MAX_DIGITS
    if not -MAX_DIGITS <= number.adjusted() <= MAX_DIGITS or (
        is_long and len(number.as_tuple().digits) > MAX_DIGITS
    ):
        message = f"a number beyond {MAX_DIGITS} digits: {value!r:.60}"
        raise BadNumber(message)
    return number


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without padding zeros: what venues and people read."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text
