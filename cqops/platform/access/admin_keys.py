"""The admin of what people come in with: tokens, sessions, and locks after wrong passwords."""

from __future__ import annotations

from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from cqops.platform.access.admin_doors import ReadOnly, by
from cqops.platform.access.lockouts import unlock
from cqops.platform.access.models import ApiToken, DeskSession
from cqops.platform.access.policy import Action, may
from cqops.platform.access.sessions import end_session
from cqops.platform.approvals.services.programs import end_token


class KeptByPeople(ReadOnly):
    """History with one thing that those who look after people may do to it: end it."""

    def has_end_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.PEOPLE_EDIT)


@admin.register(ApiToken)
class ApiTokenAdmin(KeptByPeople):
    list_display = [
        *("name", "user", "created_at", "released_at", "expires_at", "last_used_at"),
        "revoked_at",
    ]
    list_filter = ["user"]
    list_select_related = ["user"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description="Revoke the chosen tokens", permissions=["end"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens:
            end_token(token=token, by=by(request))


@admin.register(DeskSession)
class DeskSessionAdmin(KeptByPeople):
    list_display = ["user", "device", "address", "signed_in_at", "seen_at"]
    list_filter = ["user"]
    list_select_related = ["user"]
    # The key of a session opens it: it is shown nowhere.
    exclude = ["session"]
    actions = ["end"]

    @admin.action(description="End the chosen sessions", permissions=["end"])
    def end(self, request: HttpRequest, sessions: QuerySet[DeskSession]) -> None:
        for session in sessions:
            end_session(session=session, by=by(request))


@admin.register(AccessAttempt)
class LockAdmin(KeptByPeople):
    """Wrong passwords, by name and address; five lock that name from there for a while."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time"]
    search_fields = ["username", "ip_address"]
    exclude = ["get_data", "post_data"]
    actions = ["unlock"]

    @admin.action(description="Let the chosen names try again", permissions=["end"])
    def unlock(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        for attempt in attempts:
            unlock(attempt=attempt, by=by(request))
