from __future__ import annotations

from django.urls import path

from assets.desk import asset, chains, flags, listing, lookup

urlpatterns = [
    path("lookup/", lookup.lookup, name="lookup"),
    path("assets/", listing.assets, name="assets"),
    path("assets/<uuid:asset_id>/", asset.asset, name="asset"),
    path("assets/<uuid:asset_id>/rename/", asset.asset_rename, name="asset-rename"),
    path("assets/<uuid:asset_id>/flag/", flags.flag_raise, name="flag-raise"),
    path("flags/<uuid:flag_id>/clear/", flags.flag_clear, name="flag-clear"),
    path("chains/", chains.chains, name="chains"),
    path("chains/<slug:chain_id>/", chains.chain, name="chain"),
]
