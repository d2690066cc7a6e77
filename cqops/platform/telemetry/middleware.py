"""One line a request, with an id that the answer carries too, and one span."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from cqops.platform.telemetry.logs import request_id
from cqops.platform.telemetry.metrics import REQUESTS
from cqops.platform.telemetry.spans import Kind, Span, Value, span
from cqops.platform.telemetry.trace import at, begun, request_of

log = logging.getLogger("cqops.requests")
QUIET = ("/static/", "/healthz", "/readyz", "/statusz")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAILED = 500


class RequestLog:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = request_of(request.headers.get("X-Request-Id", ""))
        token = request_id.set(number)
        started = time.monotonic()
        try:
            with at(begun(request.headers.get("Traceparent", ""))):
                response = self._answer(request, started)
            response["X-Request-Id"] = number
            return response
        finally:
            request_id.reset(token)

    def _answer(self, request: HttpRequest, started: float) -> HttpResponse:
        if request.path.startswith(QUIET):
            response = self.get_response(request)
            self._measure(request, response, started)
            return response
        with span(_method(request), kind=Kind.SERVER) as opened:
            response = self.get_response(request)
            self._measure(request, response, started)
            _tell(opened, request, response)
            self._write(request, response, started)
        return response

    def _measure(self, request: HttpRequest, response: HttpResponse, started: float) -> None:
        """Count by route: an address that nobody declared is one route, however it is spelt."""
        route = _route(request)
        if route is None:
            route = "static" if request.path.startswith(QUIET) else "none"
        seconds = time.monotonic() - started
        REQUESTS.labels(route, _method(request), str(response.status_code)).observe(seconds)

    def _write(self, request: HttpRequest, response: HttpResponse, started: float) -> None:
        user = getattr(request, "user", None)
        # Asking an unresolved lazy user for its name would query a database that may be away.
        resolved = getattr(user, "_wrapped", user)
        route = _route(request)
        fields = {
            "method": request.method,
            "route": request.path[:200] if route is None else route,
            "status": response.status_code,
            "ms": round((time.monotonic() - started) * 1000),
            "caller": getattr(resolved, "username", "-") or "-",
        }
        log.info("%s %s %s %d ms by %s", *fields.values(), extra={"fields": fields})


def _route(request: HttpRequest) -> str | None:
    """Name the declared address behind a request; the overview's is empty."""
    match = request.resolver_match
    return match.route if match else None


def _method(request: HttpRequest) -> str:
    method = request.method or ""
    return method if method in METHODS else "other"


def _tell(opened: Span, request: HttpRequest, response: HttpResponse) -> None:
    """Name a span by its route, which is known only afterwards; no path, no query, no body."""
    method, route = _method(request), _route(request)
    address = "no such address" if route is None else f"/{route}"
    opened.rename(f"{method} {address}")
    told: dict[str, Value] = {
        "http.request.method": method,
        "http.route": address,
        "http.response.status_code": response.status_code,
        "request_id": request_id.get(),
    }
    opened.set(**told)
    if response.status_code >= FAILED:
        opened.fail(str(response.status_code))
