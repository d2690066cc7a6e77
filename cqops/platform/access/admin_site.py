"""The admin behind the desk's own doors: its policy decides, and its sign-in page signs in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.sites import UnfoldAdminSite

from cqops.platform.access.policy import Action, may

OPENS_THE_ADMIN = (Action.REGISTRY_VIEW, Action.VENUE_VIEW, Action.PEOPLE_VIEW)


class DeskAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    def has_permission(self, request: HttpRequest) -> bool:
        return any(may(request.user, action) for action in OPENS_THE_ADMIN)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Any:
        """Loosen the policy for scripts by what the admin's expressions need, and only here."""
        return csp_update(settings.ADMIN_CSP_UPDATE)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, **_: Any) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", "/admin/"))
