from __future__ import annotations

from django.urls import path

from assets import views_findings, views_imports

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
    path("assets/imports/", views_imports.imports, name="imports"),
    path("assets/imports/upload/", views_imports.import_upload, name="import-upload"),
    path("assets/imports/<uuid:batch_id>/", views_imports.import_page, name="import"),
    path(
        "assets/imports/<uuid:batch_id>/columns/",
        views_imports.import_columns,
        name="import-columns",
    ),
    path("assets/imports/<uuid:batch_id>/again/", views_imports.import_again, name="import-again"),
    path("assets/imports/<uuid:batch_id>/apply/", views_imports.import_apply, name="import-apply"),
    path("assets/imports/<uuid:batch_id>/undo/", views_imports.import_undo, name="import-undo"),
    path("assets/imports/<uuid:batch_id>/drop/", views_imports.import_drop, name="import-drop"),
]
