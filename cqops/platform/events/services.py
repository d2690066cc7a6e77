"""The one way to tell the outside what happened: in the caller's transaction, so never of nothing."""

from __future__ import annotations

import logging
import threading
import time
from decimal import Decimal
from typing import Any

import msgspec
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from cqops.platform.audit import context
from cqops.platform.background import doorbells
from cqops.platform.events.models import Event
from cqops.platform.events.schemas import checked
from cqops.platform.telemetry.logs import request_id, trace_id

log = logging.getLogger(__name__)
CHANNEL = "events"
QUIET_SECONDS = 0.1


def emit(
    *, kind: str, version: int, aggregate: str, aggregate_id: str, payload: msgspec.Struct
) -> Event:
    """Write an event into the outbox; its aggregate must be locked by, or new in, this transaction.

    The lock is what makes the order of numbers the order of commits, for each aggregate.
    """
    checked(kind, version, aggregate, payload)
    here = context.current()
    event = Event(
        aggregate=aggregate,
        aggregate_id=aggregate_id,
        kind=kind,
        version=version,
        payload=as_json(payload),
        at=timezone.now(),
        request_id=here.request_id or request_id.get(),
        trace_id=trace_id.get(),
    )
    event.save(force_insert=True)
    transaction.on_commit(_bell.ring)
    return event


def as_json(payload: msgspec.Struct) -> str:
    return msgspec.json.encode(
        _plain(msgspec.to_builtins(payload, builtin_types=(Decimal,)))
    ).decode()


def _plain(value: Any) -> Any:
    """Write amounts in full: no exponent and no padding."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value


class _Bell:
    """Wakes the relay after commit, and seldom: under load it looks by itself often enough.

    Not inside the transaction: PostgreSQL lets transactions that notify commit only one at a time.
    """

    def __init__(self) -> None:
        self._is_rung = threading.Event()
        self._again_at = 0.0

    def ring(self) -> None:
        if not self._is_rung.is_set() and time.monotonic() >= self._again_at:
            self._is_rung.set()
            self._again_at = time.monotonic() + QUIET_SECONDS
            doorbells.give(self._notify)

    def _notify(self) -> None:
        self._is_rung.clear()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        except DatabaseError as error:
            log.warning("the relay was not woken, it looks by itself: %s", error)
        finally:
            connection.close()


_bell = _Bell()
