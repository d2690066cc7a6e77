"""What a person is asked to approve: rows of label and text, and the one hash that stands for them.

What is shown is what is hashed. The same amount written with other zeros is the same text, so an
instruction read back from the database has the hash of the one that was asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

Value = str | int | Decimal | datetime | date | UUID | Enum | None
Content = Mapping[str, Value]
AMOUNT, MOMENT, TEXT = "amount", "moment", "text"
# How a line is labelled that says how the subject of another one stands now.
NOW = " now"
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an instruction or a snapshot, as it is shown."""

    label: str
    text: str
    look: str = TEXT

    def as_json(self) -> dict[str, str]:
        return {"label": self.label, "text": self.text, "look": self.look}


@dataclass(frozen=True, slots=True)
class Matter:
    """One of several things that a request is about: what is asked of it, and how it stands now."""

    asked: Row
    now: Row


def matters_in(rows: Iterable[Row]) -> tuple[tuple[Row, ...], tuple[Matter, ...]]:
    """Take apart what is asked of all, and what of each of several things; one alone stays as it is."""
    every = tuple(rows)
    by_label = {row.label: row for row in every}
    matters = tuple(
        Matter(row, by_label[row.label + NOW]) for row in every if row.label + NOW in by_label
    )
    if len(matters) <= 1:
        return every, ()
    told = {one.label for matter in matters for one in (matter.asked, matter.now)}
    return tuple(row for row in every if row.label not in told), matters


def rows_of(content: Content) -> tuple[Row, ...]:
    """Write every value as the text that is shown; the order given is the order shown."""
    return tuple(Row(label, *_written(value)) for label, value in content.items())


def rows_from(stored: Iterable[Mapping[str, Any]]) -> tuple[Row, ...]:
    return tuple(Row(row["label"], row["text"], row["look"]) for row in stored)


def hash_of(*, kind: str, subject_kind: str, subject_id: str, rows: Iterable[Row]) -> str:
    """Hash what is asked for, of whom and about what, so that no approval fits another subject."""
    text = canonical(kind=kind, subject_kind=subject_kind, subject_id=subject_id, rows=rows)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(*, kind: str, subject_kind: str, subject_id: str, rows: Iterable[Row]) -> str:
    """Write what is hashed, byte for byte, for whoever compares it with a tool of their own."""
    exact = [kind, subject_kind, subject_id, [[row.label, row.text] for row in rows]]
    return json.dumps(exact, ensure_ascii=False, separators=(",", ":"))


def _written(value: object) -> tuple[str, str]:
    if isinstance(value, Enum):
        return str(value.value), TEXT
    if isinstance(value, Decimal):
        return _exact(value), AMOUNT
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = f"A time without a zone cannot be approved: {value}"
            raise ValueError(message)
        return value.astimezone(UTC).isoformat(), MOMENT
    if isinstance(value, float):
        message = f"A float is not an exact amount: {value}"
        raise TypeError(message)
    return NOTHING if value is None else str(value), TEXT


def _exact(value: Decimal) -> str:
    if not value.is_finite():
        message = f"Not a number anybody could approve: {value}"
        raise ValueError(message)
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
