"""The policy at the door of a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may

View = Callable[..., HttpResponse]
Door = Callable[[View], View]


class DeskRequest(HttpRequest):
    """A request behind a guarded door: it has a person, and may be one of htmx's."""

    user: User
    htmx: HtmxDetails


def requires(action: Action) -> Door:
    """Send strangers to the sign-in page and refuse those whose roles do not allow the action."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request.user, action):
                raise PermissionDenied(action)
            return view(request, *args, **kwargs)

        guarded.action = action  # type: ignore[attr-defined]
        return guarded

    return wrap
