"""Lists and forms of what is said about assets. A claim is seen with both clocks, ended, but never edited.

Contracts and canonical members are asked for, and carried out once somebody else agrees.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from assets.admin_lists import QuickList
from assets.admin_reasons import Reasoned, whose
from assets.models import Alias, Deployment, GroupMember, Identifier, Relationship
from assets.services.deployments import propose_deployment, propose_end
from assets.services.groups import add_member, propose_canonical, remove_member
from assets.services.identifiers import add_identifier, end_identifier
from assets.services.relations import end_relationship, relate
from assets.services.renaming import add_alias, end_alias, rename
from cqops.platform.access.admin_doors import Kept, by
from cqops.platform.approvals.admin_asking import Asks

OF_THE_RECORD = ["recorded_at", "superseded_at", "recorded_by", "approval"]


class ClaimForm(forms.ModelForm):  # type: ignore[type-arg]
    why = forms.CharField(
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For the history, and for whoever has to agree.",
    )

    def validate_constraints(self) -> None:
        """Leave them to the service: it tells which claim stands in the way."""


class ClaimAdmin(QuickList, Reasoned, Asks, Kept):
    """Said by a form, seen ever after."""

    form = ClaimForm
    says: list[str] = []
    actions = ["end"]
    list_filter: list[Any] = [("superseded_at", admin.EmptyFieldListFilter)]
    date_hierarchy = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return [*self.says, "source", "why"]
        return [*self.says, "source", *OF_THE_RECORD]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        self.said(request, lambda: self.say(request, form.cleaned_data))

    def say(self, request: HttpRequest, given: dict[str, Any]) -> object:
        raise NotImplementedError

    @admin.action(description="End the chosen now, with the reason", permissions=["edit"])
    def end(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, lambda row, reason: self.finish(request, row, reason))

    def finish(self, request: HttpRequest, row: Any, reason: str) -> object:
        raise NotImplementedError


@admin.register(Alias)
class AliasAdmin(ClaimAdmin):
    list_display = ["ticker", whose, "is_primary", "valid_from", "valid_to", "recorded_at"]
    list_filter = ["is_primary", *ClaimAdmin.list_filter]
    list_select_related = ["asset"]
    search_fields = ["ticker", "asset__name"]
    found_by = ["ticker__iexact"]
    autocomplete_fields = ["asset"]
    says = ["asset", "ticker", "is_primary", "valid_from", "valid_to"]

    def say(self, request: HttpRequest, given: dict[str, Any]) -> object:
        """Rename an asset where it becomes the first of its tickers, else add a further one."""
        asset_id, ticker = given["asset"].pk, given["ticker"]
        if given["is_primary"]:
            if given["valid_to"]:
                message = "The first ticker ends when another takes its place: leave the end empty."
                raise ValidationError({"valid_to": message})
            since = given["valid_from"] or timezone.now()
            return rename(
                asset_id=asset_id,
                ticker=ticker,
                since=since,
                reason=given["why"],
                source=given["source"],
                by=by(request),
            )
        return add_alias(
            asset_id=asset_id,
            ticker=ticker,
            source=given["source"],
            valid_from=given["valid_from"],
            valid_to=given["valid_to"],
            reason=given["why"],
            by=by(request),
        )

    def finish(self, request: HttpRequest, row: Alias, reason: str) -> object:
        return end_alias(alias=row, at=timezone.now(), reason=reason, by=by(request))


@admin.register(Deployment)
class DeploymentAdmin(ClaimAdmin):
    list_display = ["address", "chain", whose, "decimals", "is_canonical", "recorded_at"]
    list_filter = ["chain", "is_canonical", *ClaimAdmin.list_filter]
    list_select_related = ["asset", "chain"]
    search_fields = ["address", "address_key", "asset__symbol", "asset__name"]
    found_by = ["address", "address_key"]
    autocomplete_fields = ["asset"]
    says = ["asset", "chain", "address", "decimals", "is_canonical", "valid_from"]

    def has_change_permission(self, request: HttpRequest, obj: Deployment | None = None) -> bool:
        """Let what stands be corrected, with a second person."""
        is_known = obj is None or obj.is_known
        return is_known and self.has_edit_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        found = super().get_fields(request, obj)
        return [*found, "why"] if obj and self.has_change_permission(request, obj) else found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["chain", "address", *OF_THE_RECORD] if obj else []

    def save_model(self, request: HttpRequest, obj: Deployment, form: Any, change: Any) -> None:
        given = form.cleaned_data
        self.asked(
            request,
            lambda: propose_deployment(
                asset_id=given["asset"].pk,
                chain_id=obj.chain_id,
                address=obj.address,
                decimals=given["decimals"],
                is_canonical=given["is_canonical"],
                valid_from=given["valid_from"],
                source=given["source"],
                reason=given["why"],
                corrects=Deployment.objects.get(pk=obj.pk) if change else None,
                by=by(request),
            ),
        )

    @admin.action(description="Ask to end the chosen, with the reason", permissions=["edit"])
    def end(self, request: HttpRequest, rows: QuerySet[Deployment]) -> None:
        now, reason = timezone.now(), request.POST.get("reason", "")
        for row in rows:
            self.asked(
                request,
                lambda row=row: propose_end(deployment=row, at=now, reason=reason, by=by(request)),  # type: ignore[misc]
            )


@admin.register(Identifier)
class IdentifierAdmin(ClaimAdmin):
    list_display = ["scheme", "value", whose, "valid_from", "valid_to", "last_verified_at"]
    list_filter = ["scheme", *ClaimAdmin.list_filter]
    list_select_related = ["asset"]
    search_fields = ["value", "asset__symbol", "asset__name"]
    found_by = ["value"]
    autocomplete_fields = ["asset"]
    says = ["asset", "scheme", "value", "valid_from", "valid_to", "last_verified_at"]

    def say(self, request: HttpRequest, given: dict[str, Any]) -> object:
        return add_identifier(
            asset_id=given["asset"].pk,
            scheme=given["scheme"],
            value=given["value"],
            source=given["source"],
            valid_from=given["valid_from"],
            valid_to=given["valid_to"],
            verified_at=given["last_verified_at"],
            reason=given["why"],
            by=by(request),
        )

    def finish(self, request: HttpRequest, row: Identifier, reason: str) -> object:
        return end_identifier(identifier=row, at=timezone.now(), reason=reason, by=by(request))


@admin.register(Relationship)
class RelationshipAdmin(ClaimAdmin):
    list_display = [whose, "kind", "other", "ratio_rule", "ratio", "valid_from", "valid_to"]
    list_filter = ["kind", "ratio_rule", *ClaimAdmin.list_filter]
    list_select_related = ["asset", "other"]
    search_fields = ["asset__symbol", "other__symbol", "evidence"]
    of_assets = ["asset", "other"]
    autocomplete_fields = ["asset", "other"]
    says = [
        *("asset", "kind", "other", "ratio_rule", "ratio", "rate_source", "evidence"),
        *("valid_from", "valid_to"),
    ]

    def say(self, request: HttpRequest, given: dict[str, Any]) -> object:
        return relate(
            asset_id=given["asset"].pk,
            kind=given["kind"],
            other_id=given["other"].pk,
            ratio_rule=given["ratio_rule"],
            ratio=given["ratio"],
            rate_source=given["rate_source"],
            evidence=given["evidence"],
            source=given["source"],
            valid_from=given["valid_from"],
            valid_to=given["valid_to"],
            reason=given["why"],
            by=by(request),
        )

    def finish(self, request: HttpRequest, row: Relationship, reason: str) -> object:
        return end_relationship(relationship=row, at=timezone.now(), reason=reason, by=by(request))


@admin.register(GroupMember)
class GroupMemberAdmin(ClaimAdmin):
    list_display = ["group", whose, "is_canonical", "is_for_risk", "is_for_pnl", "valid_from"]
    list_filter = [
        *("is_canonical", "is_for_risk", "is_for_pnl"),
        *ClaimAdmin.list_filter,
    ]
    list_select_related = ["group", "asset"]
    search_fields = ["group__canonical_symbol", "asset__symbol", "asset__name"]
    found_by = ["group__canonical_symbol__iexact"]
    autocomplete_fields = ["group", "asset"]
    says = ["group", "asset", "is_for_risk", "is_for_pnl", "valid_from"]
    actions = ["end", "make_canonical"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_fields(request, obj), *(["is_canonical"] if obj else [])]

    def say(self, request: HttpRequest, given: dict[str, Any]) -> object:
        return add_member(
            group_id=given["group"].pk,
            asset_id=given["asset"].pk,
            is_for_risk=given["is_for_risk"],
            is_for_pnl=given["is_for_pnl"],
            valid_from=given["valid_from"],
            source=given["source"],
            reason=given["why"],
            by=by(request),
        )

    def finish(self, request: HttpRequest, row: GroupMember, reason: str) -> object:
        return remove_member(member=row, at=timezone.now(), reason=reason, by=by(request))

    @admin.action(
        description="Ask that the group goes by the chosen, with the reason", permissions=["edit"]
    )
    def make_canonical(self, request: HttpRequest, rows: QuerySet[GroupMember]) -> None:
        for row in rows:
            self.asked(
                request,
                lambda row=row: propose_canonical(  # type: ignore[misc]
                    group_id=row.group_id,
                    asset_id=row.asset_id,
                    since=timezone.now(),
                    reason=request.POST.get("reason", ""),
                    by=by(request),
                ),
            )
