from __future__ import annotations

from django.urls import path

from assets import views_findings

urlpatterns = [
    path("registry/findings/", views_findings.findings_page, name="findings"),
    path("registry/findings/<uuid:finding_id>/", views_findings.finding, name="finding"),
    path(
        "registry/findings/<uuid:finding_id>/dismiss/",
        views_findings.dismiss_finding,
        name="finding-dismiss",
    ),
    path("registry/merging/", views_findings.choose, name="merging-choose"),
    path(
        "registry/merging/<uuid:asset_id>/<uuid:into_id>/", views_findings.merging, name="merging"
    ),
    path(
        "registry/merging/<uuid:asset_id>/<uuid:into_id>/merge/",
        views_findings.merge,
        name="merging-merge",
    ),
    path(
        "registry/merging/<uuid:merge_id>/split/",
        views_findings.split,
        name="merging-split",
    ),
]
