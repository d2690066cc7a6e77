from __future__ import annotations

from django.urls import path

from portfolio import recon_views, views

urlpatterns = [
    path("positions/", views.positions, name="positions"),
    path("positions/table/", views.positions_table, name="positions-table"),
    path("reconciliation/", recon_views.reconciliation, name="reconciliation"),
    path("reconciliation/run/", recon_views.run_now, name="reconciliation-run"),
    path("breaks/", recon_views.break_list, name="breaks"),
    path("breaks/<uuid:break_id>/", recon_views.break_page, name="break"),
    path("breaks/<uuid:break_id>/owner/", recon_views.take_break, name="break-take"),
    path("breaks/<uuid:break_id>/note/", recon_views.note_break, name="break-note"),
    path("breaks/<uuid:break_id>/close/", recon_views.close_break, name="break-close"),
]
