"""Each request acts through a door; a refusal at one is written down like any other."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from cqops.platform.audit.context import Context, Door, entering
from cqops.platform.audit.refusals import refused_address
from cqops.platform.telemetry.logs import request_id

DOORS = {"/api/v1/": Door.API, "/admin/": Door.ADMIN}
FORBIDDEN = 403


class Doors:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        door = next((d for path, d in DOORS.items() if request.path.startswith(path)), Door.PAGE)
        origin = f"{request.method} {request.path}"
        context = Context(door=door, origin=origin, request=request, request_id=request_id.get())
        with entering(context):
            response = self.get_response(request)
            if response.status_code == FORBIDDEN and context.actor() is not None:
                refused_address(request.path, request.method)
        return response
