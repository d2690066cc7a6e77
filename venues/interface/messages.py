"""What is made of venues' messages by the thousand, and so has to be cheap to make.

A msgspec Struct is built at a sixth of a frozen dataclass's cost, and the decoder can build one itself.
"""

from __future__ import annotations

from dataclasses import Field, make_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar

import msgspec


@cache
def _fields_of(kind: type[msgspec.Struct]) -> dict[str, Field[Any]]:
    named = [(name, kind.__annotations__[name]) for name in kind.__struct_fields__]
    twin = make_dataclass(kind.__name__, named)
    found: dict[str, Field[Any]] = vars(twin)["__dataclass_fields__"]
    return found


class _LikeADataclass:
    """Names the members of a Struct to `dataclasses.replace` and `fields`."""

    def __get__(self, _one: object, kind: type[msgspec.Struct]) -> dict[str, Field[Any]]:
        return _fields_of(kind)


class Message(msgspec.Struct, frozen=True, gc=False):
    """A frozen value; it is copied and walked through as the dataclasses beside it are."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]] = _LikeADataclass()  # type: ignore[assignment]


class BookSide(StrEnum):
    """A side of a book, read from any of the words venues have for it."""

    BID = "bid", "buy"
    ASK = "ask", "offer", "sell"

    def __new__(cls, value: str, *also: str) -> BookSide:
        member = str.__new__(cls, value)
        member._value_ = value
        for word in also:
            cls._value2member_map_[word] = member
        return member


class LevelChange(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One level as the wire wrote it; a quantity of zero removes the level.

    An adapter may give its members the venue's names in a kind of its own, and so have the decoder
    make them: fifty a message are the hot path. They are equal to any other.
    """

    side: BookSide
    price: str
    quantity: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LevelChange) and (
            (self.side, self.price, self.quantity) == (other.side, other.price, other.quantity)
        )

    def __hash__(self) -> int:
        return hash((self.side, self.price, self.quantity))
