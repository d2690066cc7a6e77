from __future__ import annotations

from django.urls import path

from cqops.platform.telemetry import views, views_ops

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("statusz", views.statusz, name="statusz"),
    path("operations/", views_ops.operations, name="operations"),
]
