"""Which request, trace and decision a line belongs to, carried from the page into the worker.

A request starts a trace, or goes on with the one its `traceparent` names; so does a socket, and each
message of a stream and each job starts its own. What is handed to another thread, to a worker or to a
row takes the place in the trace along, so one order can be followed through every log.
"""

from __future__ import annotations

import random
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from cqops.platform.telemetry.logs import decision_id, request_id, trace_id

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
TRACEPARENT_LENGTH = 55
SAFE = re.compile(r"[A-Za-z0-9\-]{1,64}")
ID = re.compile(r"[A-Za-z0-9\-]{8,64}")
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16
RECORDED = 1
# The span that whatever happens here belongs under; empty where none is recorded.
span_id: ContextVar[str] = ContextVar("span_id", default="")
CARRIED: dict[str, ContextVar[str]] = {"request_id": request_id, "decision_id": decision_id}


@dataclass(frozen=True, slots=True)
class Place:
    """A trace, and the recorded span in it, if there is one."""

    trace: str
    span: str = ""


def place_of(traceparent: str) -> Place | None:
    """Read a place; a span that nobody recorded is none to belong under."""
    found = TRACEPARENT.fullmatch(traceparent)
    if found is None or found[1] == NO_TRACE:
        return None
    is_recorded = int(found[3], 16) & RECORDED and found[2] != NO_SPAN
    return Place(found[1], found[2] if is_recorded else "")


def begun(traceparent: str = "") -> Place:
    """Go on with the caller's trace, or begin one."""
    # Not a secret, and feeds begin one for every message.
    return place_of(traceparent) or Place(f"{random.getrandbits(128):032x}")


def traceparent() -> str:
    """Write down the place we are at, for whoever goes on from it."""
    if not trace_id.get():
        return ""
    span = span_id.get()
    return f"00-{trace_id.get()}-{span or secrets.token_hex(8)}-{RECORDED if span else 0:02x}"


def request_of(given: str) -> str:
    """Keep the caller's own id for a request where it is one."""
    return given if ID.fullmatch(given) else uuid.uuid4().hex


def begin(*, request: str = "", traceparent: str = "") -> None:
    """Leave everything behind: what follows is one message, one job or one socket."""
    place = begun(traceparent)
    request_id.set(request)
    decision_id.set("")
    trace_id.set(place.trace)
    span_id.set(place.span)


@contextmanager
def at(place: Place) -> Iterator[None]:
    """Do a block at a place of a trace."""
    tokens = (trace_id.set(place.trace), span_id.set(place.span))
    try:
        yield
    finally:
        trace_id.reset(tokens[0])
        span_id.reset(tokens[1])


@contextmanager
def following(traceparent: str) -> Iterator[None]:
    """Do a block in the trace that was written down; whoever is in it already stays where they are."""
    place = place_of(traceparent)
    if place is None or place.trace == trace_id.get():
        yield
        return
    with at(place):
        yield


def carried() -> dict[str, str]:
    """Pack what is known here, for whoever goes on elsewhere."""
    known = {name: variable.get() for name, variable in CARRIED.items()}
    return {
        name: value for name, value in (*known.items(), ("traceparent", traceparent())) if value
    }


def resume(ids: Mapping[str, object] | None) -> None:
    """Go on with what was carried; what is missing or no plain text is empty, and the trace new."""
    texts = {name: value for name, value in (ids or {}).items() if isinstance(value, str)}
    begin(traceparent=texts.get("traceparent", ""))
    for name, variable in CARRIED.items():
        if SAFE.fullmatch(texts.get(name, "")):
            variable.set(texts[name])


@contextmanager
def deciding(decision: str) -> Iterator[None]:
    """Mark every line and entry of a block with the decision it carries out."""
    token = decision_id.set(decision)
    try:
        yield
    finally:
        decision_id.reset(token)
