"""Venue clocks, read into aware UTC datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?\s*(Z|[+-]\d{2}:?\d{2})$",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT_BY_DIGITS = ((12, 1), (15, 10**3), (18, 10**6), (21, 10**9))


class BadTime(ValueError):
    """The text is not a time this venue could have meant."""


def from_rfc3339(text: str) -> datetime:
    """Read RFC 3339 with 0 to 9 fractional digits; a time without a zone is refused."""
    match = _RFC3339.match(text.strip())
    if match is None:
        message = f"not an RFC 3339 time: {text!r:.60}"
        raise BadTime(message)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micro = int((fraction or "0").ljust(9, "0")[:6])
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), micro, tzinfo=UTC
        )
    except ValueError as error:
        raise BadTime(str(error)) from error
    if zone == "Z":
        return moment
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    try:
        return moment - offset if zone[0] == "+" else moment + offset
    except OverflowError as error:
        raise BadTime(str(error)) from error


def from_unix(value: int | str) -> datetime:
    """Read Unix seconds, milliseconds, microseconds or nanoseconds, told apart by size."""
    try:
        number = int(value)
    except ValueError as error:
        message = f"not a Unix time: {value!r:.60}"
        raise BadTime(message) from error
    digits = len(str(abs(number)))
    for most_digits, per_second in _UNIT_BY_DIGITS:
        if digits < most_digits:
            micro = number * 10**6 // per_second
            try:
                return _EPOCH + timedelta(microseconds=micro)
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
