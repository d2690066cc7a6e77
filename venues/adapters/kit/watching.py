"""Noticing members nobody knows: neither read here nor named by the venue's documents.

The structs of an adapter list what is read, so a member the venue adds would be passed over in
silence. Beside the structs stands what the documents name and nobody reads; whatever is in neither
is told once, with a sample. A member that went missing is no matter of this: reading says so.

Not every message is looked at: of each kind the first `Noticed.first` and then each
`Noticed.every`-th, and of a long list at most `MOST_OF_A_LIST` items, evenly spread. The others
cost a counter. What is written as a list has no names and is not looked into.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import inspect

from venues.adapters.contract import UNKNOWN_FIELD, Surroundings
from venues.transport.redact import redact

MOST_OF_A_LIST: Final = 50
# A venue that names its members after its products is reported, and does not flood the report.
MOST_TOLD: Final = 200
_LONGEST_NAME: Final = 80
_LONGEST_SAMPLE: Final = 160
_LARGEST_VALUE: Final = 4000
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode
_items_of = msgspec.json.Decoder(list[msgspec.Raw] | None).decode
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Shape:
    """What is known of an object: its members, and what is inside those that have members."""

    name: str
    members: dict[str, _Shape | _Several | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Several:
    """Objects of one shape, in a list or under any name."""

    shape: _Shape | _Several
    is_named: bool


@dataclass(frozen=True, slots=True)
class Stranger:
    """A member nobody knows, in the kind of object it was found in."""

    kind: str
    member: str
    value: msgspec.Raw

    def __str__(self) -> str:
        return f"{self.kind}.{self.member[:_LONGEST_NAME]} = {self.sample()}"

    def sample(self) -> str:
        """Show the value without secrets, which its own name may give away."""
        written = bytes(self.value)
        if len(written) > _LARGEST_VALUE:
            return f"({len(written)} bytes)"
        shown: Any = redact({self.member: msgspec.json.decode(written)})
        return msgspec.json.encode(shown[self.member]).decode()[:_LONGEST_SAMPLE]


class Known:
    """What a venue's documents name of each kind of message and nobody reads, as words in one text.

    A kind without an entry has that of the kind it is made from, or none. `refusal` is what the
    body of an HTTP error is read as.
    """

    def __init__(self, named: Mapping[Any, str], *, refusal: Any = None) -> None:
        self._named = {kind: names.split() for kind, names in named.items()}
        self._objects: dict[type, _Shape] = {}
        self._shapes: dict[Any, _Shape | _Several | None] = {}
        self.refusal = refusal

    def strangers(self, kind: Any, body: bytes | msgspec.Raw) -> Iterator[Stranger]:
        """Find what nobody knows in one message of a kind."""
        if kind not in self._shapes:
            self._shapes[kind] = self._shape(inspect.type_info(kind))
        shape = self._shapes[kind]
        if shape is not None:
            yield from _strangers(shape, body)

    def _shape(self, kind: inspect.Type) -> _Shape | _Several | None:
        if isinstance(kind, inspect.StructType | inspect.DataclassType):
            is_list = isinstance(kind, inspect.StructType) and kind.array_like
            return None if is_list else self._object(kind)
        if isinstance(kind, inspect.UnionType):
            shapes = [self._shape(one) for one in kind.types]
            return next((shape for shape in shapes if shape is not None), None)
        if isinstance(kind, inspect.DictType):
            inner, is_named = self._shape(kind.value_type), True
        elif isinstance(kind, inspect.ListType | inspect.VarTupleType):
            inner, is_named = self._shape(kind.item_type), False
        else:
            return None
        return None if inner is None else _Several(inner, is_named)

    def _object(self, kind: inspect.StructType | inspect.DataclassType) -> _Shape:
        if kind.cls not in self._objects:
            shape = self._objects[kind.cls] = _Shape(kind.cls.__name__)
            shape.members |= dict.fromkeys(self._names(kind.cls))
            if isinstance(kind, inspect.StructType) and kind.tag_field is not None:
                shape.members[kind.tag_field] = None
            shape.members |= {one.encode_name: self._shape(one.type) for one in kind.fields}
        return self._objects[kind.cls]

    def _names(self, kind: type) -> list[str]:
        return next((self._named[one] for one in kind.__mro__ if one in self._named), [])


def _strangers(shape: _Shape | _Several, body: bytes | msgspec.Raw) -> Iterator[Stranger]:
    if isinstance(shape, _Shape):
        for name, value in (_members_of(body) or {}).items():
            if name not in shape.members:
                yield Stranger(shape.name, name, value)
            elif (inner := shape.members[name]) is not None:
                yield from _strangers(inner, value)
        return
    items = list((_members_of(body) or {}).values()) if shape.is_named else _items_of(body) or []
    for item in items[:: len(items) // MOST_OF_A_LIST + 1]:
        yield from _strangers(shape.shape, item)


class Watcher:
    """Looks at what arrives for one client or stream, and tells each stranger once.

    It stands beside the reading and never in its way: whatever goes wrong here, an answer that was
    read stays read.
    """

    def __init__(self, known: Known, around: Surroundings) -> None:
        self._known = known
        self._around = around
        self._counts, self._told = around.noticed.counts, around.noticed.told
        self._first, self._every = around.noticed.first, around.noticed.every

    def look(self, kind: Any, body: bytes | msgspec.Raw) -> None:
        """Count a message that was read as `kind`, and look at it if it is its turn."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= self._first or not count % self._every:
            self._study(kind, body)

    def look_at_refusal(self, body: bytes) -> None:
        """Look at the body of an HTTP error, which may be no message of the venue's at all."""
        if self._known.refusal is not None:
            self.look(self._known.refusal, body)

    def _study(self, kind: Any, body: bytes | msgspec.Raw) -> None:
        told = self._told
        try:
            for one in self._known.strangers(kind, body):
                if (one.kind, one.member) not in told and len(told) < MOST_TOLD:
                    told.add((one.kind, one.member))
                    self._around.on_drift(UNKNOWN_FIELD, str(one))
        except _BROKEN:
            pass  # what nobody reads may be broken
        except Exception:  # noqa: BLE001 -- an order that was taken is not undone by a report
            _log.exception("unknown fields could not be looked for")
