"""Spans: what took how long, and inside what. The one door to OpenTelemetry.

Off until `OTEL_EXPORTER_OTLP_ENDPOINT` is set: its spans and its exporter are then not even imported
(its metrics are, by the Redis client), and a span costs a look at the setting. On, whatever the
collector does never reaches the code inside a span. Each process makes its own recorder at its first
span, and so after any fork.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from cqops.platform.telemetry.logs import trace_id
from cqops.platform.telemetry.trace import Place, at, span_id

if TYPE_CHECKING:
    from cqops.platform.telemetry.recording import Recorder

log = logging.getLogger(__name__)
Value = str | int | float | bool


class Kind(StrEnum):
    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    CONSUMER = "consumer"


class Span(Protocol):
    """What the code inside a span may say about it. Never a secret, and never a person's words."""

    def rename(self, name: str, /) -> None: ...

    def set(self, **attributes: Value) -> None: ...

    def fail(self, why: str, /) -> None: ...


class _Nothing:
    """The span of whoever records nothing."""

    def rename(self, _name: str, /) -> None:
        return

    def set(self, **_attributes: Value) -> None:
        return

    def fail(self, _why: str, /) -> None:
        return


NOTHING: Span = _Nothing()


@contextmanager
def span(name: str, *, kind: Kind = Kind.INTERNAL, **attributes: Value) -> Iterator[Span]:
    """Record a block as one span, under the one we are in; an exception marks it by its type alone."""
    recorder = _recorder()
    if recorder is None:
        yield NOTHING
        return
    opened = recorder.begin(name, kind=kind, under=_here(), attributes=attributes)
    try:
        with at(opened.place):
            yield opened
    except BaseException as error:
        opened.fail(type(error).__name__)
        raise
    finally:
        opened.end()


def happened(
    name: str, *, seconds: float, kind: Kind = Kind.INTERNAL, failed: str = "", **attributes: Value
) -> None:
    """Record what has just ended, for code that is told only afterwards."""
    recorder = _recorder()
    if recorder is None:
        return
    opened = recorder.begin(
        name, kind=kind, under=_here(), attributes=attributes, seconds_ago=seconds
    )
    if failed:
        opened.fail(failed)
    opened.end()


def name_process(name: str) -> None:
    """Say which process of the desk this is; what it records from now on is under this name."""
    _own.name = name
    _own.close()


def flush(seconds: float = 2.0) -> bool:
    """Wait until everything recorded so far went out or was given up."""
    return _own.recorder is None or _own.recorder.flush(seconds)


def _here() -> Place:
    return Place(trace_id.get(), span_id.get())


class _Own:
    """The recorder of this process."""

    def __init__(self) -> None:
        self.name = "cqops"
        self.forget()

    def forget(self) -> None:
        """Start without one, as the child of a fork has to."""
        self.lock = threading.Lock()
        self.recorder: Recorder | None = None
        self.is_broken = False

    def close(self) -> None:
        if self.recorder is not None:
            self.recorder.close()
        self.forget()

    def make(self, endpoint: str) -> Recorder | None:
        with self.lock:
            if self.recorder is None and not self.is_broken:
                try:
                    self.recorder = _made(endpoint, self.name)
                except Exception:  # the desk trades on, with traces or without
                    self.is_broken = True
                    log.exception("no traces from this process")
            return self.recorder


def _made(endpoint: str, process: str) -> Recorder:
    from cqops.platform.telemetry.recording import Recorder  # noqa: PLC0415 -- only when it is on

    return Recorder(endpoint=endpoint, process=process)


def _recorder() -> Recorder | None:
    endpoint: str = settings.OTEL_EXPORTER_OTLP_ENDPOINT
    if not endpoint:
        return None
    return _own.recorder or _own.make(endpoint)


_own = _Own()
os.register_at_fork(after_in_child=_own.forget)
