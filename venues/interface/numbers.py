"""Exact numbers at the border: what comes in is a finite `Decimal` or it is refused."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MAX_DIGITS = 60


class BadNumber(ValueError):
    """The text is not a finite decimal number."""


def exact(value: str | int | Decimal) -> Decimal:
    """Read a decimal string, refusing floats, NaN, infinity and the empty string."""
    if isinstance(value, bool | float):
        message = f"a {type(value).__name__} is not exact: send a decimal string"
        raise BadNumber(message)
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, AttributeError) as error:
        message = f"not a decimal number: {value!r:.60}"
        raise BadNumber(message) from error
    if not number.is_finite():
        message = f"not a finite number: {value!r:.60}"
        raise BadNumber(message)
    if abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        message = f"a number beyond {MAX_DIGITS} digits: {value!r:.60}"
        raise BadNumber(message)
    return number


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without padding zeros: what venues and people read."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text
