"""The list of warnings: raised here by one person at once, cleared by one, or asked for where severe."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from assets.admin_lists import QuickList
from assets.admin_reasons import Reasoned, told, whose
from assets.models import QualityFlag
from assets.services.flags import clear_flag, propose_clear, raise_flag
from cqops.platform.access.admin_doors import Kept, by
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.admin_asking import Asks

_RAISED = [
    *("asset", "kind", "severity", "source_kind", "source", "evidence_url", "note"),
    *("valid_from", "review_on", "expires_at"),
]
_AFTER = ["raised_at", "raised_by", "cleared_at", "cleared_by", "cleared_reason", "approval"]


@admin.register(QualityFlag)
class QualityFlagAdmin(QuickList, Reasoned, Asks, Kept):
    list_display = [
        *("severity", "kind", whose, "shown_evidence", "source", "raised_at"),
        *("review_on", "cleared_at"),
    ]
    list_filter = [
        *("severity", "kind", "source_kind"),
        ("cleared_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["asset"]
    search_fields = ["asset__symbol", "asset__name", "source", "note", "evidence_url"]
    found_by = ["source__icontains", "note__icontains", "evidence_url__icontains"]
    autocomplete_fields = ["asset"]
    actions = ["clear"]

    @admin.display(description="evidence")
    def shown_evidence(self, flag: QualityFlag) -> str:
        return flag.evidence

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.FLAG_RAISE)

    def has_change_permission(self, request: HttpRequest, obj: QualityFlag | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: QualityFlag | None = None) -> list[str]:
        return _RAISED if obj is None else [*_RAISED, *_AFTER]

    def get_readonly_fields(
        self, request: HttpRequest, obj: QualityFlag | None = None
    ) -> list[str]:
        return [*_RAISED, *_AFTER] if obj else []

    def get_form(
        self, request: HttpRequest, obj: QualityFlag | None = None, change: Any = False, **kw: Any
    ) -> Any:
        """Leave open what the service knows: who found it, and that it is true from now on."""
        form = super().get_form(request, obj, change, **kw)
        for name in {"source", "valid_from"} & form.base_fields.keys():
            form.base_fields[name].required = False
        if "evidence_url" in form.base_fields:
            form.base_fields["evidence_url"].label = "Evidence URL"
        return form

    def save_model(self, request: HttpRequest, obj: QualityFlag, form: Any, change: Any) -> None:
        if self.said(request, lambda: raise_flag(flag=obj, by=by(request))):
            messages.success(request, f"{obj} of {obj.asset.label}: raised, and in force at once.")

    @admin.action(
        description="Clear the chosen, with the reason; what is severe is asked for",
        permissions=["edit"],
    )
    def clear(self, request: HttpRequest, rows: QuerySet[QualityFlag]) -> None:
        reason, who = request.POST.get("reason", ""), by(request)
        for row in rows:
            if row.is_severe:
                self.asked(
                    request,
                    lambda row=row: propose_clear(flag=row, reason=reason, by=who),  # type: ignore[misc]
                )
            elif told(request, lambda row=row: clear_flag(flag=row, reason=reason, by=who)):  # type: ignore[misc]
                messages.success(request, f"{row}: cleared.")
