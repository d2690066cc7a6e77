"""Pages by key: where the last one ended, so that a list of a million rows costs the same on every page."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

M = TypeVar("M", bound=Model)
COUNTED = 1000


class BadCursor(ValueError):
    """The cursor is not one of ours."""

    def __init__(self) -> None:
        super().__init__("This page link is broken. Start again from the first page.")


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    rows: list[M]
    next: str


@dataclass(frozen=True, slots=True)
class Total:
    """How many there are; past a thousand, what PostgreSQL estimates, unless it is asked to count."""

    count: int
    is_exact: bool


def page(rows: QuerySet[M], *, by: str, after: str, limit: int) -> Page[M]:
    """Return one page, ordered by a column (`-` turns it round) and then by id."""
    name, step = by.lstrip("-"), "lt" if by.startswith("-") else "gt"
    sign = "-" if by.startswith("-") else ""
    ordered = rows.order_by(by, f"{sign}pk")
    if after:
        value, key = _read(rows.model, name, after)
        # The first condition is what an index is entered by; the second says the rest.
        ordered = ordered.filter(
            Q(**{f"{name}__{step}e": value}),
            Q(**{f"{name}__{step}": value}) | Q(**{f"pk__{step}": key}),
        )
    taken = list(ordered[: limit + 1])
    shown = taken[:limit]
    return Page(shown, _cursor(shown[-1], name) if len(taken) > limit else "")


def total(rows: QuerySet[Any], *, exact: bool) -> Total:
    """Say how many there are without counting a million of them."""
    plain = rows.order_by()
    if exact:
        return Total(plain.count(), is_exact=True)
    few = plain[: COUNTED + 1].count()
    if few <= COUNTED:
        return Total(few, is_exact=True)
    plan = json.loads(plain.explain(format="json"))[0]["Plan"]
    return Total(max(few, int(plan["Plan Rows"])), is_exact=False)


def _cursor(row: Model, name: str) -> str:
    field = row._meta.get_field(name)
    parts = (field.value_to_string(row), str(row.pk))  # type: ignore[union-attr]
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def _read(model: type[Model], name: str, text: str) -> tuple[Any, Any]:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        first, last = msgspec.json.decode(raw, type=tuple[str, str])
        if "\x00" in first + last:
            raise BadCursor
        column: Any = model._meta.get_field(name)
        value, key = column.to_python(first), model._meta.pk.to_python(last)
    except (UnicodeError, binascii.Error, msgspec.DecodeError, ValidationError) as error:
        raise BadCursor from error
    if hasattr(value, "tzinfo") and timezone.is_naive(value):
        raise BadCursor
    return value, key
