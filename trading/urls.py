from __future__ import annotations

from django.urls import path

from trading import views, views_wire

urlpatterns = [
    path("orders/", views.blotter, name="blotter"),
    path("orders/new/", views.ticket, name="ticket"),
    path("orders/new/preview/", views.ticket_preview, name="ticket-preview"),
    path("orders/<uuid:order_id>/", views.order, name="order"),
    path("orders/<uuid:order_id>/wire/", views_wire.wire, name="order-wire"),
    path("orders/<uuid:order_id>/row/", views.order_row, name="order-row"),
    path("orders/<uuid:order_id>/cancel/", views.cancel, name="order-cancel"),
]
