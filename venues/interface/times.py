"""Venue clocks, read into aware UTC datetimes.

Text is RFC 3339 or ISO 8601 with a zone; numbers count from the epoch in seconds, milliseconds,
microseconds or nanoseconds, told apart by size. No float is taken: a venue's fraction of a second
comes as text or as an exact number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from venues.interface.numbers import BadNumber, exact

_ISO8601 = re.compile(
    r"^(\d{4})-?(\d{2})-?(\d{2})[Tt ](\d{2}):?(\d{2}):?(\d{2})(?:[.,](\d{1,12}))?"
    r"\s*([Zz]|UTC|[+-]\d{2}(?::?\d{2})?)$",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT_BY_DIGITS = ((12, 1), (15, 10**3), (18, 10**6), (21, 10**9))
_MICRO_DIGITS = 6
# What stands between the numbers of a time written the usual way, which is read without the pattern.
USUAL_MARKS = frozenset({"T::Z", "T::."})


class BadTime(ValueError):
    """The text is not a time this venue could have meant."""


def from_rfc3339(text: str) -> datetime:
    """Read RFC 3339 or ISO 8601 to the microsecond; a time without a zone is refused."""
    if text[10:20:3] in USUAL_MARKS:
        try:
            usual = datetime.fromisoformat(text)
        except ValueError:
            pass  # the pattern below decides
        else:
            if usual.tzinfo is UTC:
                return usual
    match = _ISO8601.match(text.strip())
    if match is None:
        message = f"not a time with a zone: {text!r:.60}"
        raise BadTime(message)
    *parts, fraction, zone = match.groups()
    micro = int((fraction or "0").ljust(_MICRO_DIGITS, "0")[:_MICRO_DIGITS])
    try:
        moment = datetime(*(int(part) for part in parts), micro, tzinfo=UTC)  # type: ignore[misc,arg-type]
        return moment - _offset(zone)
    except (ValueError, OverflowError) as error:
        raise BadTime(str(error)) from error


def _offset(zone: str) -> timedelta:
    if zone in {"Z", "z", "UTC"}:
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def from_unix(value: int | str | Decimal) -> datetime:
    """Read a count from the epoch, whole or with a fraction."""
    try:
        number = exact(value)
    except BadNumber as error:
        message = f"not a Unix time: {value!r:.60}"
        raise BadTime(message) from error
    digits = max(number.adjusted() + 1, 1)
    for most_digits, per_second in _UNIT_BY_DIGITS:
        if digits < most_digits:
            try:
                return _EPOCH + timedelta(microseconds=int(number * 10**6 // per_second))
            except OverflowError as error:
                raise BadTime(str(error)) from error
    message = f"not a Unix time: {value!r:.60}"
    raise BadTime(message)


def to_rfc3339(moment: datetime) -> str:
    """Write a time in UTC with microseconds and a trailing Z."""
    if moment.tzinfo is None:
        message = "a time without a zone cannot be sent to a venue"
        raise BadTime(message)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
