from __future__ import annotations

from django.urls import path

from cqops.platform.approvals import views

urlpatterns = [
    path("approvals/", views.inbox, name="approvals"),
    path("approvals/count/", views.count, name="approvals-count"),
    path("approvals/<uuid:request_id>/", views.one, name="approval"),
    path("approvals/<uuid:request_id>/decide/", views.decide_one, name="approval-decide"),
    path("approvals/<uuid:request_id>/withdraw/", views.withdraw_one, name="approval-withdraw"),
]
