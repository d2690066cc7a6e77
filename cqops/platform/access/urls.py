from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from cqops.platform.access import views, views_own

urlpatterns: list[URLPattern] = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("sign-in/code/", views.sign_in_code, name="sign-in-code"),
    path("preferences/", views.preferences, name="preferences"),
    path("confirm/", views_own.confirm, name="confirm"),
    path("second-factor/", views_own.second_factor_page, name="second-factor"),
    path("sessions/", views_own.sessions, name="sessions"),
    path("sessions/end-others/", views_own.session_end_others, name="sessions-end-others"),
    path("sessions/<uuid:session_id>/end/", views_own.session_end, name="session-end"),
    path("tokens/", views_own.tokens, name="tokens"),
    path("tokens/new/", views_own.token_new, name="token-new"),
    path("tokens/<uuid:token_id>/revoke/", views_own.token_revoke, name="token-revoke"),
]
if settings.IS_SIMULATED:
    urlpatterns += [path("enter-as/<str:username>/", views.enter_as, name="enter-as")]
