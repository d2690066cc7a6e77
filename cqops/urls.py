"""Every address of the product. `enter-as/` is among them in SIMULATED mode only."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from cqops import site
from cqops.api import Document
from cqops.platform.access.doors import requires
from cqops.platform.access.policy import Action

urlpatterns: list[URLPattern | URLResolver] = [
    path("", site.overview, name="overview"),
    path("overview/rows/", site.overview_rows, name="overview-rows"),
    path("", include("cqops.platform.access.urls")),
    path("", include("cqops.platform.telemetry.urls")),
    path("", include("cqops.platform.audit.urls")),
    path("", include("cqops.platform.approvals.urls")),
    path("", include("assets.desk.urls")),
    path("", include("assets.urls")),
    path("", include("venues.urls")),
    path("", include("trading.urls")),
    path("", include("portfolio.urls")),
    path("api/v1/", include("cqops.api")),
    path("api/schema/", Document.as_view(), name="schema"),
    path(
        "api/docs/",
        requires(Action.DESK_VIEW)(SpectacularSwaggerSplitView.as_view()),
        name="api-docs",
    ),
    path("admin/", admin.site.urls),
]

handler400 = "cqops.platform.access.refusals.bad_request"
handler403 = "cqops.platform.access.refusals.forbidden"
handler404 = "cqops.platform.access.refusals.not_found"
handler500 = "cqops.platform.telemetry.views.server_error"
