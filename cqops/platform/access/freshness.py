"""Step-up: dangerous acts ask who it is again when the last proof is older than five minutes."""

from __future__ import annotations

import time
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from cqops.platform.access.doors import Door, View, requires
from cqops.platform.access.policy import Action
from cqops.platform.access.sessions import FRESH_AT


def is_fresh(request: HttpRequest) -> bool:
    proven = request.session.get(FRESH_AT, 0.0)
    return bool(0 <= time.time() - proven < settings.FRESH_SECONDS)


def requires_fresh(action: Action) -> Door:
    """Guard a page like `requires`, and ask for the second factor again when that was long ago."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not is_fresh(request):
                return ask_again(request)
            return view(request, *args, **kwargs)

        return requires(action)(guarded)

    return wrap


def ask_again(request: HttpRequest) -> HttpResponse:
    """Lead to the page that asks, and from there back to where they were."""
    if request.method == "POST":
        # What was typed is not carried along: it may hold a secret.
        messages.warning(
            request, "Nothing was changed yet. Confirm that it is you, and send again."
        )
    address = f"{reverse('confirm')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
