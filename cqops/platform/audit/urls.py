from __future__ import annotations

from django.urls import path

from cqops.platform.audit import views

urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/verify/", views.verify, name="audit-verify"),
    path("audit/<int:entry_id>/", views.entry, name="audit-entry"),
]
