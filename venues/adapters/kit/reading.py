"""Reading what a venue wrote: bytes in, exact values out, or `Unreadable` and nothing else.

Members that may be missing or null have a default in the venue's own structs, because a changed
shape must never turn an accepted order into a failure. A word without a meaning here is not
unreadable where a word for "unknown" exists; who reads it reports it as drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final, Protocol, TypeVar, get_args

import msgspec

from venues.adapters.kit.watching import Known
from venues.interface.numbers import MAX_DIGITS, BadNumber, exact
from venues.interface.times import USUAL_MARKS, BadTime, from_rfc3339, from_unix
from venues.interface.types import LevelChange

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ZERO: Final = Decimal(0)
_SHOWN: Final = 2000
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Unreadable(ValueError):
    """The message is not what the venue's documents say."""


class Wire(msgspec.Struct, gc=False):
    """A message as a venue writes it: only the members we read, amounts as text."""


def reader(kind: Any) -> Callable[[bytes | msgspec.Raw], Any]:
    """Prepare to read one kind of message, which is worth it where it is read all the time."""
    read_json, name = msgspec.json.Decoder(kind).decode, getattr(kind, "__name__", "message")

    def read(body: bytes | msgspec.Raw) -> Any:
        try:
            return read_json(body)
        except _BROKEN as error:
            raise Unreadable(f"{name}: {error}"[:300]) from error

    return read


_known_reader: Final[Callable[[Any], Callable[[bytes | msgspec.Raw], Any]]] = cache(reader)


def decode(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    found: T = _known_reader(kind)(body)
    return found


class Messages:
    """Every kind of message a venue's socket sends, told apart by the one word they all have."""

    def __init__(self, union: Any, known: Known) -> None:
        self.known = known
        self.read: Callable[[bytes], Any] = reader(union)
        self.tags = frozenset(kind.__struct_config__.tag for kind in get_args(union))


class Inside(Protocol[T_co]):
    """A message of one member, which is all that matters of it."""

    @property
    def found(self) -> T_co: ...


def inside(member: str, kind: type[T]) -> type[Inside[T]]:
    """Name a message that is one member deep, as `{"order": {...}}` is."""
    found: type[Inside[T]] = _known_inside(member, kind)
    return found


def _inside(member: str, kind: Any) -> Any:
    return msgspec.defstruct(member, [("found", kind, msgspec.field(name=member))])


_known_inside: Final[Callable[[str, Any], Any]] = cache(_inside)


def plain_raw(body: bytes | msgspec.Raw) -> Mapping[str, object]:
    """Read a message whole, into plain values."""
    found: dict[str, object] = decode(body, dict)
    return found


class Answer:
    """The bytes that several things were read from; taken apart when somebody looks."""

    __slots__ = ("_body", "_found")

    def __init__(self, body: bytes | msgspec.Raw) -> None:
        self._body = body
        self._found: object = None

    def part(self, *way: str | int) -> Written:
        """Return what was written at a place inside: the reference beside what was read from it."""
        return Written(self, way)

    def at(self, way: Sequence[str | int]) -> Mapping[str, object]:
        try:
            if self._found is None:
                self._found = decode(self._body, object)
            found: Any = self._found
            for step in way:
                found = found[step]
        except Unreadable:
            # Members nobody reads must not undo what was read.
            return {"unreadable": bytes(self._body)[:_SHOWN].decode(errors="replace")}
        return dict(found)


class Written(Mapping[str, object]):
    """What a venue wrote, kept as bytes: hardly anybody looks, and then it is all there."""

    __slots__ = ("_answer", "_way")

    def __init__(self, answer: Answer, way: Sequence[str | int]) -> None:
        self._answer = answer
        self._way = way

    def __getitem__(self, name: str) -> object:
        return self._answer.at(self._way)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._answer.at(self._way))

    def __len__(self) -> int:
        return len(self._answer.at(self._way))

    def __repr__(self) -> str:
        return repr(self._answer.at(self._way))


def number(value: str | int | Decimal | None) -> Decimal:
    """Read an amount; one that is missing or empty is zero."""
    if value is None or value == "":
        return ZERO
    try:
        return exact(value)
    except BadNumber as error:
        raise Unreadable(str(error)) from error


def amounts(*texts: str | None) -> list[Decimal]:
    """Read several amounts at once, as `number` reads each: mostly they are nothing but digits."""
    try:
        together = "".join(texts)  # type: ignore[arg-type]
        is_short = len(together) <= MAX_DIGITS or max(map(len, texts)) <= MAX_DIGITS  # type: ignore[arg-type]
        if is_short and together.replace(".", "").isdecimal():
            return [Decimal(text) if text else ZERO for text in texts]
    except (TypeError, InvalidOperation):
        pass  # one is missing, or none
    return [number(text) for text in texts]


def optional(value: str | int | Decimal | None) -> Decimal | None:
    return None if value is None or value == "" else number(value)


def positive(what: str, value: str | int | Decimal | None) -> Decimal:
    """Read an amount that makes no sense at zero or below."""
    read = number(value)
    if read <= 0:
        message = f"{what} is not above zero"
        raise Unreadable(message)
    return read


def above_zero(what: str, one: Decimal, other: Decimal) -> None:
    """Refuse two amounts that make no sense at zero or below."""
    if not (one > ZERO and other > ZERO):
        message = f"{what}: not above zero"
        raise Unreadable(message)


def moment(text: str | None) -> datetime | None:
    """Read a time; nothing, and the year 1, are ways to say "none"."""
    if not text:
        return None
    try:
        # The usual case of `from_rfc3339`, without the way there.
        if text[10:20:3] in USUAL_MARKS:
            read = datetime.fromisoformat(text)
            if read.tzinfo is UTC and read.year != 1:
                return read
    except ValueError:
        pass  # the careful reading decides
    try:
        read = from_rfc3339(text)
    except BadTime as error:
        raise Unreadable(str(error)) from error
    return None if read.year == 1 else read


def time_of(text: str | None) -> datetime:
    if (read := moment(text)) is not None:
        return read
    message = "a time is missing"
    raise Unreadable(message)


def unix_time(value: str | int | Decimal) -> datetime:
    try:
        return from_unix(value)
    except BadTime as error:
        raise Unreadable(str(error)) from error


def one_of(table: Mapping[str, T], text: str | None, what: str) -> T:
    """Look a word up where no word for "unknown" would be safe."""
    try:
        return table[text]  # type: ignore[index]
    except KeyError:
        message = f"{what} is none we know: {text!r:.40}"
        raise Unreadable(message) from None


def first(*reasons: str | None, but: frozenset[str] = frozenset()) -> str:
    """Return the first reason that says something."""
    for reason in reasons:
        if reason and reason not in but:
            return reason
    return ""


def check_levels(changes: Sequence[LevelChange]) -> tuple[LevelChange, ...]:
    """Refuse a book that holds anything but digits and points, at a few nanoseconds a level."""
    written = [level.price for level in changes]
    written += [level.quantity for level in changes]
    if "".join(written).encode().translate(None, b"0123456789."):
        message = "a level that is no number"
        raise Unreadable(message)
    return tuple(changes)
