"""The REST routes, and the one place that turns a failure into an answer."""

from __future__ import annotations

from typing import Any

from django.db import InterfaceError, OperationalError
from django.urls import include, path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from cqops.platform.access.policy import Action
from cqops.platform.approvals.api import Approvals, DecideApproval, OneApproval
from portfolio.api import Breaks, OneReconciliation, Positions, Reconciliations
from trading.api import CancelOrder, OneOrder, Orders
from venues.api import Book, Symbols
from venues.api_venues import OneVenue, Venues

urlpatterns = [
    path("orders", Orders.as_view(), name="api-orders"),
    path("orders/<uuid:order_id>", OneOrder.as_view(), name="api-order"),
    path("orders/<uuid:order_id>/cancel", CancelOrder.as_view(), name="api-order-cancel"),
    path("approvals", Approvals.as_view(), name="api-approvals"),
    path("approvals/<uuid:request_id>", OneApproval.as_view(), name="api-approval"),
    path(
        "approvals/<uuid:request_id>/decide", DecideApproval.as_view(), name="api-approval-decide"
    ),
    path("positions", Positions.as_view(), name="api-positions"),
    path("reconciliations", Reconciliations.as_view(), name="api-reconciliations"),
    path("reconciliations/<uuid:run_id>", OneReconciliation.as_view(), name="api-reconciliation"),
    path("breaks", Breaks.as_view(), name="api-breaks"),
    path("venues", Venues.as_view(), name="api-venues"),
    path("venues/<slug:venue>", OneVenue.as_view(), name="api-venue"),
    path("", include("assets.api.urls")),
    path("", include("venues.api_symbol_urls")),
    path("symbols", Symbols.as_view(), name="api-symbols"),
    path("books/<slug:venue>/<str:symbol>", Book.as_view(), name="api-book"),
]


class Document(SpectacularAPIView):
    """The OpenAPI document, for people and for programs."""

    authentication_classes = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    permission_classes = api_settings.DEFAULT_PERMISSION_CLASSES
    actions = {"GET": Action.DESK_VIEW}


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer in JSON, also when the database is away."""
    if isinstance(error, OperationalError | InterfaceError):
        detail = "The database is away for the moment. Nothing was lost; try again shortly."
        return Response({"detail": detail}, status=503, headers={"Retry-After": "5"})
    return exception_handler(error, context)


class BearerInSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the token in the OpenAPI document."""

    target_class = "cqops.platform.access.tokens.BearerToken"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
