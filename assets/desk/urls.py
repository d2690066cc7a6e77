from __future__ import annotations

from django.urls import path

from assets.desk import asset, chains, flags, imports, listing, lookup

urlpatterns = [
    path("lookup/", lookup.lookup, name="lookup"),
    path("assets/", listing.assets, name="assets"),
    path("assets/<uuid:asset_id>/", asset.asset, name="asset"),
    path("assets/<uuid:asset_id>/rename/", asset.asset_rename, name="asset-rename"),
    path("assets/<uuid:asset_id>/flag/", flags.flag_raise, name="flag-raise"),
    path("flags/<uuid:flag_id>/clear/", flags.flag_clear, name="flag-clear"),
    path("assets/imports/", imports.imports, name="imports"),
    path("assets/imports/upload/", imports.import_upload, name="import-upload"),
    path("assets/imports/<uuid:batch_id>/", imports.import_page, name="import"),
    path("assets/imports/<uuid:batch_id>/columns/", imports.import_columns, name="import-columns"),
    path("assets/imports/<uuid:batch_id>/again/", imports.import_again, name="import-again"),
    path("assets/imports/<uuid:batch_id>/apply/", imports.import_apply, name="import-apply"),
    path("assets/imports/<uuid:batch_id>/undo/", imports.import_undo, name="import-undo"),
    path("assets/imports/<uuid:batch_id>/drop/", imports.import_drop, name="import-drop"),
    path("chains/", chains.chains, name="chains"),
    path("chains/<slug:chain_id>/", chains.chain, name="chain"),
]
