"""The pages of a refusal: what happened and what to do, for people and for programs."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

WORDS = {
    400: "This request was not understood.",
    403: "Your roles do not allow this. Ask an admin for the role that does.",
    404: "There is nothing at this address.",
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 -- Django fixes the signature
    return _refused(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _refused(request, 403, needed=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 -- Django fixes the signature
    return _refused(request, 404)


def _refused(request: HttpRequest, status: int, *, needed: str = "") -> HttpResponse:
    if request.path.startswith("/api/"):
        said = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        return JsonResponse(
            {**said, "detail": WORDS[status]},
            status=status,
            content_type="application/problem+json",
        )
    return render(request, f"{status}.html", {"needed": needed}, status=status)
