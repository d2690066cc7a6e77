"""What every request of a signed-in person passes: time zone, last seen, second factor, no cache."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.second_factor import must_enrol
from cqops.platform.access.sessions import note_seen

# Where somebody may go whose roles ask for a second factor that they have not set up yet.
OPEN_WITHOUT = ("second-factor", "sign-out", "confirm")


class Person:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return self.get_response(request)
        note_seen(request, user)
        with timezone.override(_zone(user)):
            if must_enrol(user) and request.path not in {reverse(name) for name in OPEN_WITHOUT}:
                response = _enrol_first(request)
            else:
                response = self.get_response(request)
        # Going back after signing out must not show what only this person may see.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _zone(user: User) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(user.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _enrol_first(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        detail = "Your role needs a second factor. Set it up on the desk first."
        return JsonResponse({"detail": detail}, status=403)
    return redirect("second-factor")
