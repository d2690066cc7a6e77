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
            route = _route(request)
            _measure("static" if route is None else route, _method(request), response, started)
            return response
        with span(_method(request), kind=Kind.SERVER) as opened:
            response = self.get_response(request)
            answered(
                opened,
                method=request.method or "",
                route=_route(request),
                path=request.path,
                status=response.status_code,
                started=started,
                caller=_caller(request),
            )
        return response


def answered(  # noqa: PLR0913 -- a request is all of this
    opened: Span,
    *,
    method: str,
    route: str | None,
    path: str,
    status: int,
    started: float,
    caller: str,
) -> None:
    """Count, tell and write down one answer, from whichever door it came."""
    known = method if method in METHODS else "other"
    seconds = time.monotonic() - started
    # By route: an address that nobody declared is one route, however it is spelt.
    REQUESTS.labels("none" if route is None else route, known, str(status)).observe(seconds)
    _tell(opened, known, route, status)
    fields = {
        "method": method,
        "route": path[:200] if route is None else route,
        "status": status,
        "ms": round(seconds * 1000),
        "caller": caller,
    }
    log.info("%s %s %s %d ms by %s", *fields.values(), extra={"fields": fields})


def _measure(route: str, method: str, response: HttpResponse, started: float) -> None:
    seconds = time.monotonic() - started
    REQUESTS.labels(route, method, str(response.status_code)).observe(seconds)


def _caller(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    # Asking an unresolved lazy user for its name would query a database that may be away.
    resolved = getattr(user, "_wrapped", user)
    return getattr(resolved, "username", "-") or "-"


def _route(request: HttpRequest) -> str | None:
    """Name the declared address behind a request; the overview's is empty."""
    match = request.resolver_match
    return match.route if match else None


def _method(request: HttpRequest) -> str:
    method = request.method or ""
    return method if method in METHODS else "other"


def _tell(opened: Span, method: str, route: str | None, status: int) -> None:
    """Name a span by its route, which is known only afterwards; no path, no query, no body."""
    address = "no such address" if route is None else f"/{route}"
    opened.rename(f"{method} {address}")
    told: dict[str, Value] = {
        "http.request.method": method,
        "http.route": address,
        "http.response.status_code": status,
        "request_id": request_id.get(),
    }
    opened.set(**told)
    if status >= FAILED:
        opened.fail(str(status))
