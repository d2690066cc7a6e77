"""Health for machines, and the page for the moment when something below is away."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from cqops.platform.telemetry.status import as_answer, everything, readiness

UNAVAILABLE = 503
DATABASE_AWAY = (OperationalError, InterfaceError)


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer while the process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Tell whether this process can serve."""
    return _answered(as_answer(readiness()))


def statusz(request: HttpRequest) -> HttpResponse:
    """Tell about every part of the desk."""
    return _answered(as_answer(everything()))


def _answered(answer: dict[str, object]) -> HttpResponse:
    response = JsonResponse(answer, status=200 if answer["status"] == "ok" else UNAVAILABLE)
    # The answer itself says what is wrong; asked every few seconds, it would drown the log.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Explain a failure; a database that is away is a pause and not a fault of the page."""
    away = isinstance(sys.exc_info()[1], DATABASE_AWAY)
    status = UNAVAILABLE if away else 500
    if request.path.startswith("/api/"):
        detail = (
            "The database is away for the moment. Nothing was lost; try again shortly."
            if away
            else "This failed on our side. The log holds the details under the request id."
        )
        response: HttpResponse = JsonResponse({"detail": detail}, status=status)
    else:
        html = render_to_string("503.html" if away else "500.html", {"path": request.path})
        response = HttpResponse(html, status=status)
    if away:
        response["Retry-After"] = "5"
    return response
