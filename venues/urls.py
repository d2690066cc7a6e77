from __future__ import annotations

from django.urls import path

from venues import views

urlpatterns = [
    path("markets/", views.markets, name="markets"),
    path("markets/<slug:venue>/<str:symbol>/", views.market, name="market"),
]
