"""Reading what a venue wrote: bytes in, exact values out, or `Unreadable` and nothing else.

Members that may be missing or null have a default in the venue's own structs, because a changed
shape must never turn an accepted order into a failure. A word without a meaning here is not
unreadable where a word for "unknown" exists; who reads it reports it as drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from venues.interface.numbers import BadNumber, exact
from venues.interface.times import BadTime, from_rfc3339, from_unix
from venues.interface.types import LevelChange

T = TypeVar("T")

ZERO: Final = Decimal(0)
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Unreadable(ValueError):
    """The message is not what the venue's documents say."""


class Wire(msgspec.Struct, gc=False):
    """A message as a venue writes it: only the members we read, amounts as text."""


def decode(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except _BROKEN as error:
        raise Unreadable(f"{getattr(kind, '__name__', kind)}: {error}"[:300]) from error


def list_of(kind: type[T]) -> Any:
    """Name a list type for the decoder."""
    return list[kind]  # type: ignore[valid-type]


def plain_raw(body: bytes | msgspec.Raw) -> Mapping[str, object]:
    """Keep a message whole, as the reference beside what was read from it."""
    found: dict[str, object] = decode(body, dict)
    return found


def number(value: str | int | Decimal | None) -> Decimal:
    """Read an amount; one that is missing or empty is zero."""
    if value is None or value == "":
        return ZERO
    try:
        return exact(value)
    except BadNumber as error:
        raise Unreadable(str(error)) from error


def optional(value: str | int | Decimal | None) -> Decimal | None:
    return None if value is None or value == "" else number(value)


def positive(what: str, value: str | int | Decimal | None) -> Decimal:
    """Read an amount that makes no sense at zero or below."""
    read = number(value)
    if read <= 0:
        message = f"{what} is not above zero"
        raise Unreadable(message)
    return read


def moment(text: str | None) -> datetime | None:
    """Read a time; nothing, and the year 1, are ways to say "none"."""
    if not text:
        return None
    try:
        read = from_rfc3339(text)
    except BadTime as error:
        raise Unreadable(str(error)) from error
    return None if read.year == 1 else read


def time_of(text: str | None) -> datetime:
    read = moment(text)
    if read is None:
        message = "a time is missing"
        raise Unreadable(message)
    return read


def unix_time(value: str | int | Decimal) -> datetime:
    try:
        return from_unix(value)
    except BadTime as error:
        raise Unreadable(str(error)) from error


def one_of(table: Mapping[str, T], text: str | None, what: str) -> T:
    """Look a word up where no word for "unknown" would be safe."""
    found = table.get(text or "")
    if found is None:
        message = f"{what} is none we know: {text!r:.40}"
        raise Unreadable(message)
    return found


def first(*reasons: str | None, but: frozenset[str] = frozenset()) -> str:
    """Return the first reason that says something."""
    return next((reason for reason in reasons if reason and reason not in but), "")


def check_levels(changes: tuple[LevelChange, ...]) -> tuple[LevelChange, ...]:
    """Refuse a book that holds anything but digits and points, at a few nanoseconds a level."""
    text = "".join([level.price + level.quantity for level in changes])
    if text and not (text.isascii() and text.replace(".", "").isdigit()):
        message = "a level that is no number"
        raise Unreadable(message)
    return changes
