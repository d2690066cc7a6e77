from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from cqops.platform.access.admin_doors import Kept, ReadOnly, StepUp, by
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.admin_asking import Asks
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.forms import RULE_FIELDS, GroupForm, RuleForm, StandInForm
from cqops.platform.approvals.models import Decision, Group, Request, Rule, StandIn
from cqops.platform.approvals.services import decide
from cqops.platform.approvals.services.proposals import (
    propose_group,
    propose_rule,
    propose_stand_in,
)
from cqops.platform.approvals.services.rulebook import impossible, quorum_of, terms_of
from cqops.platform.approvals.services.stand_ins import end_stand_in
from cqops.platform.approvals.states import Verdict


class DecideForm(ActionForm):  # type: ignore[misc]
    reason = forms.CharField(
        label="", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "Reason"})
    )
    is_confirmed = forms.BooleanField(
        label="I have seen what is to be confirmed", required=False, widget=UnfoldBooleanWidget
    )


class Decisions(TabularInline):  # type: ignore[misc]
    model = Decision
    fields = ["at", "by", "verdict", "reason", "instruction_hash"]
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Request)
class RequestAdmin(StepUp, ReadOnly):
    list_display = [
        *(
            "title",
            "asks_for",
            "to_be_confirmed",
            "kind",
            "requested_by",
            "requested_at",
            "deadline",
            "rule_name",
        ),
        "state",
    ]
    list_filter = ["state", "kind", "requested_by"]
    list_select_related = ["requested_by"]
    search_fields = ["title", "subject_id"]
    inlines = [Decisions]
    actions = ["approve", "refuse"]
    dangerous_actions = ("approve", "refuse")
    action_form = DecideForm
    show_full_result_count = False

    @admin.display(description="asks for")
    def asks_for(self, row: Request) -> str:
        return "; ".join(f"{line.label}: {line.text}" for line in row.instruction_rows)

    @admin.display(description="to be confirmed")
    def to_be_confirmed(self, row: Request) -> str:
        return "; ".join(f"{one.title}: {one.words}" for one in row.to_confirm)

    def needs_proof(self, request: HttpRequest, object_id: str | None) -> bool:
        return False

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.APPROVAL_DECIDE)

    @admin.action(description="Approve the chosen request", permissions=["decide"])
    def approve(self, request: HttpRequest, rows: QuerySet[Request]) -> None:
        """Approve one: each has to be read, so there is no approving of many at once."""
        if len(rows) != 1:
            self.message_user(request, "Approve one at a time, after reading it.", messages.ERROR)
            return
        self._decide(request, rows[0], Verdict.APPROVE)

    @admin.action(description="Refuse the chosen requests, with the reason", permissions=["decide"])
    def refuse(self, request: HttpRequest, rows: QuerySet[Request]) -> None:
        for row in rows:
            self._decide(request, row, Verdict.REFUSE)

    def _decide(self, request: HttpRequest, row: Request, verdict: Verdict) -> None:
        assert isinstance(request.user, User)  # noqa: S101 -- narrows the type
        try:
            found = decide(
                request_id=row.pk,
                by=request.user,
                verdict=verdict,
                reason=request.POST.get("reason", ""),
                is_confirmed="is_confirmed" in request.POST,
                seen_hash=row.instruction_hash,
            )
        except Refused as error:
            self.message_user(request, f"{row}: {error}", messages.ERROR)
        else:
            self.message_user(request, f"{row}: {found.sentence}", messages.SUCCESS)


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ["at", "request", "by", "verdict", "reason"]
    list_filter = ["verdict", "by"]
    list_select_related = ["request", "by"]
    show_full_result_count = False


class Proposed(Asks, StepUp, Kept):
    """Rows whose form asks a second person instead of saving."""

    action_needed = Action.RULE_EDIT

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, self.action_needed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, self.action_needed)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        row = obj if change else None
        self.asked(request, lambda: self.propose(form, row, by=by(request)))

    def propose(self, form: Any, row: Any, *, by: User) -> Request:
        raise NotImplementedError


@admin.register(Rule)
class RuleAdmin(Proposed):
    form = RuleForm
    list_display = ["position", "name", "is_enabled", "kind", "notional_from", "needs_text", "can"]
    list_display_links = ["name"]
    list_filter = ["is_enabled", "kind"]
    search_fields = ["name"]

    def get_fields(self, request: HttpRequest, obj: Rule | None = None) -> list[str]:
        """Offer the groups as lines to those who may propose, and as a fact to others."""
        last = "needs" if self.has_change_permission(request) else "needs_text"
        return [*RULE_FIELDS, last]

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> list[str]:
        return [] if self.has_change_permission(request) else ["needs_text"]

    @admin.display(description="who has to agree")
    def needs_text(self, rule: Rule) -> str:
        needs = ", ".join(f"{need.quorum} of {need.label}" for need in quorum_of(rule).needs)
        return needs if rule.groups_required is None else f"{rule.groups_required} of: {needs}"

    @admin.display(description="can be met")
    def can(self, rule: Rule) -> str:
        if not rule.is_enabled:
            return "not in force"
        return impossible(terms_of(rule), at=timezone.now()) or "yes"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        found: QuerySet[Rule] = super().get_queryset(request)
        return found.prefetch_related("needs__group")

    def propose(self, form: RuleForm, row: Rule | None, *, by: User) -> Request:
        return propose_rule(draft=form.draft(), rule_id=row.pk if row else None, by=by)


@admin.register(Group)
class GroupAdmin(Proposed):
    form = GroupForm
    list_display = ["name", "role", "people_text"]
    search_fields = ["name"]

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        last = "people" if self.has_change_permission(request) else "people_text"
        return ["name", "role", last]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return [] if self.has_change_permission(request) else ["people_text"]

    @admin.display(description="people by name")
    def people_text(self, group: Group) -> str:
        return ", ".join(sorted(person.username for person in group.people.all())) or "none"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        found: QuerySet[Group] = super().get_queryset(request)
        return found.prefetch_related("people")

    def propose(self, form: GroupForm, row: Group | None, *, by: User) -> Request:
        return propose_group(draft=form.draft(), group_id=row.pk if row else None, by=by)


@admin.register(StandIn)
class StandInAdmin(Proposed):
    form = StandInForm
    list_display = [
        *("absent", "stand_in", "starts_at", "ends_at", "ended_at"),
        *("named_by", "accepted_by", "ended_by"),
    ]
    list_select_related = ["absent", "stand_in", "named_by", "accepted_by", "ended_by"]
    actions = ["end"]
    action_needed = Action.APPROVAL_DECIDE

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def propose(self, form: StandInForm, row: StandIn | None, *, by: User) -> Request:
        return propose_stand_in(draft=form.draft(), by=by)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.APPROVAL_DECIDE)

    @admin.action(description="End the chosen stand-ins now", permissions=["end"])
    def end(self, request: HttpRequest, rows: QuerySet[StandIn]) -> None:
        for row in rows:
            try:
                end_stand_in(stand_in_id=row.pk, by=by(request))
            except Refused as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{row}: ended. {row.absent} has the seat again.")
