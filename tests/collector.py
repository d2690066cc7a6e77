"""A collector of the tests: takes traces over OTLP/HTTP on this machine, and tells what it got."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """One span as it arrived."""

    process: str
    instance: str
    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, Any]
    failed: str
    seconds: float
    text: str = field(repr=False)


class Collector:
    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.answer = 200
        self.asked = 0

    def take(self, path: str, body: bytes) -> int:
        self.asked += 1
        if path == "/v1/traces" and self.answer == 200:
            self.spans += _read(body)
        return self.answer

    def named(self, name: str) -> list[Seen]:
        return [one for one in self.spans if one.name == name]

    def one(self, name: str) -> Seen:
        found = self.named(name)
        assert len(found) == 1, (name, sorted(one.name for one in self.spans))
        return found[0]

    def wait_for(self, name: str, *, within: float = 5.0) -> Seen:
        deadline = time.monotonic() + within
        while not self.named(name) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.named(name)[0]


def _read(body: bytes) -> Iterator[Seen]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for group in request.resource_spans:
        resource = _plain(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Seen(
                    process=resource["service.name"],
                    instance=resource["service.instance.id"],
                    name=span.name,
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    attributes=_plain(span.attributes),
                    failed=span.status.message if span.status.code == 2 else "",
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    text=str(span),
                )


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """Listen until the end of the block, and say where."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(collector.take(self.path, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
