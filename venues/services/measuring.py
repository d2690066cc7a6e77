"""How often venues are called, how long they take, and how it ended."""

from __future__ import annotations

import re

from prometheus_client import Histogram

from venues.transport.http import Exchange

CALLS = Histogram("cqops_venue_call_seconds", "Calls to venues.", ["venue", "operation", "outcome"])
_WORD = re.compile(r"[a-z_]+|v\d+")
OK, REFUSED, RATE_LIMITED, FAILED = 200, 400, 429, 500


def called(venue: str, exchange: Exchange) -> None:
    operation = operation_of(exchange.method, exchange.path)
    CALLS.labels(venue, operation, outcome_of(exchange.status)).observe(exchange.seconds)


def operation_of(method: str, path: str) -> str:
    """Name what was asked for, without the ids and symbols that make every call another one."""
    parts = path.partition("?")[0].split("/")
    return f"{method} " + "/".join(
        part if not part or _WORD.fullmatch(part) else "{}" for part in parts
    )


def outcome_of(status: int) -> str:
    if status == RATE_LIMITED:
        return "rate limited"
    if status >= FAILED:
        return "failed"
    if status >= REFUSED:
        return "refused"
    return "ok" if status >= OK else "no answer"
