"""Filters and pages of this venue's listings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from venues.interface.times import BadTime, from_rfc3339
from venues.simulator.coinbase_advanced import shapes
from venues.simulator.coinbase_advanced.instructions import BadRequest
from venues.simulator.terms import SimFill, SimOrder
from venues.simulator.web import Request


class _Numbered(Protocol):
    @property
    def sequence(self) -> int: ...


Row = TypeVar("Row", bound=_Numbered)


def order_filter(request: Request) -> Callable[[SimOrder], bool]:
    readers: dict[str, Callable[[SimOrder], str]] = {
        "order_ids": lambda order: order.order_id,
        "product_ids": lambda order: order.instruction.symbol,
        "order_status": shapes.status_of,
        "order_side": lambda order: order.instruction.side.value.upper(),
        "order_types": lambda order: order.instruction.order_type.value.upper(),
        "time_in_forces": lambda order: shapes.TIMES_IN_FORCE[order.instruction.time_in_force],
        "product_type": lambda _: "SPOT",
    }
    wanted = [(found, read) for name, read in readers.items() if (found := request.every(name))]
    is_within = _window(request, "start_date", "end_date")
    return lambda order: (
        is_within(order.created_at) and all(read(order) in found for found, read in wanted)
    )


def fill_filter(request: Request) -> Callable[[SimFill], bool]:
    readers: dict[str, Callable[[SimFill], str]] = {
        "order_ids": lambda fill: fill.order_id,
        "order_id": lambda fill: fill.order_id,
        "trade_ids": lambda fill: fill.trade_id,
        "product_ids": lambda fill: fill.symbol,
        "product_id": lambda fill: fill.symbol,
    }
    wanted = [(found, read) for name, read in readers.items() if (found := request.every(name))]
    is_within = _window(request, "start_sequence_timestamp", "end_sequence_timestamp")
    return lambda fill: is_within(fill.at) and all(read(fill) in found for found, read in wanted)


def _window(request: Request, start: str, end: str) -> Callable[[datetime], bool]:
    since, until = _time(request, start), _time(request, end)
    return lambda at: (since is None or at >= since) and (until is None or at <= until)


def _time(request: Request, name: str) -> datetime | None:
    text = request.first(name)
    try:
        return from_rfc3339(text) if text else None
    except BadTime as bad:
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, str(bad)) from bad


def whole(request: Request, name: str, default: int, largest: int) -> int:
    text = request.first(name)
    if not text:
        return default
    if not text.isdecimal():
        message = "INVALID_ARGUMENT"
        raise BadRequest(message, f"{name} is not a whole number")
    return min(int(text), largest)


def page(request: Request, rows: Sequence[Row]) -> tuple[list[Row], str]:
    """Cut one page, newest first; the cursor is the last row's number, so new rows shift nothing."""
    limit = max(1, whole(request, "limit", 100, 1000))
    before = whole(request, "cursor", 0, 2**62)
    if before:
        rows = [row for row in rows if row.sequence < before]
    first = list(rows[:limit])
    return first, str(first[-1].sequence) if len(rows) > limit else ""
