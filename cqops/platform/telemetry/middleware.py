"""One line a request, with an id that the answer carries too."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from cqops.platform.telemetry.logs import request_id, trace_id
from cqops.platform.telemetry.metrics import REQUESTS
from cqops.platform.telemetry.trace import trace_of

log = logging.getLogger("cqops.requests")
QUIET = ("/static/", "/healthz", "/readyz", "/statusz")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ID = re.compile(r"[A-Za-z0-9\-]{8,64}")


class RequestLog:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        number = given if ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(number)
        trace = trace_id.set(trace_of(request.headers.get("Traceparent", "")))
        started = time.monotonic()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = number
            self._measure(request, response, started)
            if not request.path.startswith(QUIET):
                self._write(request, response, started)
            return response
        finally:
            request_id.reset(token)
            trace_id.reset(trace)

    def _measure(self, request: HttpRequest, response: HttpResponse, started: float) -> None:
        """Count by route: an address that nobody declared is one route, however it is spelt."""
        match = request.resolver_match
        route = match.route if match else "static" if request.path.startswith(QUIET) else "none"
        method = request.method if request.method in METHODS else "other"
        seconds = time.monotonic() - started
        REQUESTS.labels(route, method, str(response.status_code)).observe(seconds)

    def _write(self, request: HttpRequest, response: HttpResponse, started: float) -> None:
        match = request.resolver_match
        user = getattr(request, "user", None)
        # Asking an unresolved lazy user for its name would query a database that may be away.
        resolved = getattr(user, "_wrapped", user)
        log.info(
            "%s %s %s %.0f ms by %s",
            request.method,
            match.route if match else request.path[:200],
            response.status_code,
            (time.monotonic() - started) * 1000,
            getattr(resolved, "username", "-") or "-",
        )
