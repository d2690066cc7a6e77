"""OpenTelemetry itself: imported only where an endpoint is set, and known to `spans` alone.

Finished spans wait in a bounded queue for a thread that sends them. When the queue is full, or the
collector is away, they are dropped, counted, and spoken of once: a trace is worth less than an order.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode

from cqops.platform.telemetry.metrics import SPANS_DROPPED
from cqops.platform.telemetry.spans import Kind, Value
from cqops.platform.telemetry.trace import Place, begun

log = logging.getLogger(__name__)
ROOM = 4_096
BATCH = 512
LINGER_SECONDS = 0.5
EXPORT_SECONDS = 3.0
GOODBYE_SECONDS = 2.0


class Recorder:
    """Makes the spans of one process and sends them to one collector."""

    def __init__(self, *, endpoint: str, process: str) -> None:
        self._ids = _Ids()
        exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS
        )
        self._outgoing = Outgoing(exporter, to=urlsplit(endpoint).hostname or "")
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(
                {
                    "service.name": process,
                    "service.namespace": "cqops",
                    "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
                }
            ),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._outgoing)
        self._tracer = provider.get_tracer("cqops")
        atexit.register(self.close)

    def begin(
        self,
        name: str,
        *,
        kind: Kind,
        under: Place,
        attributes: Mapping[str, Value],
        seconds_ago: float = 0.0,
    ) -> Recording:
        place = under if under.trace else begun()
        # Without a span to belong under, it is the first of its trace, whose id the logs already carry.
        self._ids.trace.value = int(place.trace, 16)
        return Recording(
            self._tracer.start_span(
                name,
                context=_context(place),
                kind=SpanKind[kind.name],
                attributes=dict(attributes),
                start_time=time.time_ns() - int(seconds_ago * 1_000_000_000),
            )
        )

    def flush(self, seconds: float) -> bool:
        return self._outgoing.force_flush(int(seconds * 1000))

    def close(self) -> None:
        """Send what waits, for a moment only, and stop."""
        atexit.unregister(self.close)
        self._outgoing.shutdown()


class Recording:
    """One span that is open."""

    def __init__(self, opened: otel.Span) -> None:
        self._span = opened
        where = opened.get_span_context()
        self.place = Place(f"{where.trace_id:032x}", f"{where.span_id:016x}")

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, **attributes: Value) -> None:
        self._span.set_attributes(attributes)

    def fail(self, why: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, why))

    def end(self) -> None:
        self._span.end()


def _context(place: Place) -> Context:
    """Say what a span belongs under; an empty context, so that nothing else is taken for it."""
    if not place.span:
        return Context()
    parent = otel.SpanContext(
        trace_id=int(place.trace, 16),
        span_id=int(place.span, 16),
        is_remote=True,
        trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED),
    )
    return otel.set_span_in_context(otel.NonRecordingSpan(parent), Context())


class _Ids(IdGenerator):
    """Gives a first span the trace id that was laid down for it by the same thread."""

    def __init__(self) -> None:
        self.trace = _ForThisThread()

    def generate_trace_id(self) -> int:
        return self.trace.value

    def generate_span_id(self) -> int:
        return random.getrandbits(64) or 1


class _ForThisThread(threading.local):
    value = 0


class Outgoing(SpanProcessor):
    """The queue and the thread behind it; whoever ends a span never waits for either."""

    def __init__(self, exporter: SpanExporter, *, to: str) -> None:
        self._exporter = exporter
        self._to = to
        self._waiting: queue.Queue[ReadableSpan | None] = queue.Queue(ROOM)
        self._hurry = threading.Event()
        self._is_away = False
        self._is_over = False
        threading.Thread(target=self._run, name="spans", daemon=True).start()

    def on_end(self, span: ReadableSpan) -> None:
        self._put(span)

    def _put(self, span: ReadableSpan | None) -> None:
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            SPANS_DROPPED.inc()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self._hurry.set()
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(
                lambda: not self._waiting.unfinished_tasks, timeout_millis / 1000
            )

    def shutdown(self) -> None:
        self._is_over = True
        self.force_flush(int(GOODBYE_SECONDS * 1000))
        self._put(None)
        self._exporter.shutdown()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            if self._waiting.qsize() < BATCH:
                self._hurry.wait(LINGER_SECONDS)
            self._hurry.clear()
            batch = [first]
            while len(batch) < BATCH and not self._waiting.empty():
                if (one := self._waiting.get_nowait()) is not None:
                    batch.append(one)
            self._send(batch)
            for _ in batch:
                self._waiting.task_done()

    def _send(self, batch: list[ReadableSpan]) -> None:
        is_lost_cause = self._is_over and self._is_away
        if not is_lost_cause and self._exported(batch):
            if self._is_away:
                log.warning("the collector at %s is back, spans go out again", self._to)
            self._is_away = False
            return
        SPANS_DROPPED.inc(len(batch))
        if not self._is_away:
            log.warning(
                "the collector at %s takes nothing, spans are dropped until it does", self._to
            )
        self._is_away = True

    def _exported(self, batch: list[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:  # whatever it was, the thread goes on for the next batch
            log.exception("spans could not be sent")
            return False
