from __future__ import annotations

from django.urls import path

from venues import key_views, views, views_queue, views_venues

urlpatterns = [
    path("markets/", views.markets, name="markets"),
    path("markets/<slug:venue>/<str:symbol>/", views.market, name="market"),
    path("accounts/<uuid:account_id>/", key_views.account_keys, name="account"),
    path("accounts/<uuid:account_id>/spare/", key_views.spare_used, name="account-spare"),
    path("keys/<uuid:key_id>/", key_views.key, name="key"),
    path("keys/<uuid:key_id>/test/", key_views.tested, name="key-test"),
    path("keys/<uuid:key_id>/leaked/", key_views.leaked, name="key-leaked"),
    path("keys/<uuid:key_id>/revoked/", key_views.revoked, name="key-revoked"),
    path("symbols/unmapped/", views_queue.unmapped, name="unmapped"),
    path("venues/", views_venues.venues, name="venues"),
    path("venues/<slug:venue>/", views_venues.venue, name="venue"),
    path(
        "venues/<slug:venue>/maintenance/", views_venues.maintenance_plan, name="maintenance-plan"
    ),
    path(
        "maintenance/<uuid:maintenance_id>/call-off/",
        views_venues.maintenance_call_off,
        name="maintenance-call-off",
    ),
    path("drift/<uuid:report_id>/known/", views_venues.drift_known, name="drift-known"),
]
