"""Which request, trace and decision a line belongs to, carried from the page into the worker.

A request starts a trace, or goes on with the one its `traceparent` names. What is handed to another
thread or to a worker takes the three along, so one order can be followed through every log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from cqops.platform.telemetry.logs import decision_id, request_id, trace_id

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
SAFE = re.compile(r"[A-Za-z0-9\-]{1,64}")
NOTHING = "0" * 32
CARRIED: dict[str, ContextVar[str]] = {
    "request_id": request_id,
    "trace_id": trace_id,
    "decision_id": decision_id,
}


def trace_of(traceparent: str) -> str:
    """Go on with the caller's trace, or begin one."""
    found = TRACEPARENT.fullmatch(traceparent)
    if found and found.group(1) != NOTHING:
        return found.group(1)
    return secrets.token_hex(16)


def carried() -> dict[str, str]:
    """Pack what is known here, for whoever goes on elsewhere."""
    return {name: variable.get() for name, variable in CARRIED.items() if variable.get()}


def resume(ids: Mapping[str, object] | None) -> None:
    """Go on with what was carried; what is missing or no plain text is empty, and the trace new."""
    given = ids or {}
    for name, variable in CARRIED.items():
        value = given.get(name)
        variable.set(value if isinstance(value, str) and SAFE.fullmatch(value) else "")
    if not trace_id.get():
        trace_id.set(secrets.token_hex(16))


@contextmanager
def deciding(decision: str) -> Iterator[None]:
    """Mark every line of a block with the decision it carries out."""
    token = decision_id.set(decision)
    try:
        yield
    finally:
        decision_id.reset(token)
