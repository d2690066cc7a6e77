"""The steward's house: lists and forms of assets, chains and groups, with what is said about each beside it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from assets import admin_claims, admin_flags, admin_merging
from assets.admin_lists import QuickList
from assets.admin_reasons import Reasoned
from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Chain,
    Deployment,
    GroupMember,
    Identifier,
    Merge,
    QualityFlag,
    Relationship,
)
from assets.services import catalogue
from assets.services.groups import save_group
from cqops.platform.access.admin_doors import Kept, by

__all__ = ["admin_claims", "admin_flags", "admin_merging"]
CLOCKS = ["valid_from", "valid_to", "recorded_at", "superseded_at"]


class Seen(TabularInline):  # type: ignore[misc]
    """What is said about the row above: seen here, changed in its own list."""

    extra = 0
    can_delete = False
    show_change_link = True
    tab = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Flags(Seen):
    model = QualityFlag
    fields = ["severity", "kind", "source", "note", "evidence_url", "raised_at", "cleared_at"]


class Aliases(Seen):
    model = Alias
    fields = ["ticker", "is_primary", "source", *CLOCKS]


class Deployments(Seen):
    model = Deployment
    fields = ["chain", "address", "decimals", "is_canonical", "source", *CLOCKS]


class Identifiers(Seen):
    model = Identifier
    fields = ["scheme", "value", "source", "last_verified_at", *CLOCKS]


class StandsOn(Seen):
    model = Relationship
    fk_name = "asset"
    verbose_name_plural = "Stands on"
    fields = ["kind", "other", "ratio_rule", "ratio", "rate_source", "evidence", *CLOCKS]


class StoodOnBy(Seen):
    model = Relationship
    fk_name = "other"
    verbose_name_plural = "Stood on by"
    fields = ["asset", "kind", "ratio_rule", "ratio", "rate_source", "evidence", *CLOCKS]


class Groups(Seen):
    model = GroupMember
    fk_name = "asset"
    verbose_name_plural = "Groups"
    fields = ["group", "is_canonical", "is_for_risk", "is_for_pnl", *CLOCKS]


class AnswersAs(Seen):
    model = Merge
    fk_name = "asset"
    verbose_name_plural = "Answers as"
    fields = ["into", "source", *CLOCKS]


class MergedHere(Seen):
    model = Merge
    fk_name = "into"
    verbose_name_plural = "Merged here"
    fields = ["asset", "source", *CLOCKS]


class Members(Seen):
    model = GroupMember
    fk_name = "group"
    verbose_name_plural = "Members"
    fields = ["asset", "is_canonical", "is_for_risk", "is_for_pnl", *CLOCKS]


class VersionedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Carries the version that was seen, so that of two editors the second is told."""

    why = forms.CharField(
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For the history.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        stands = type(self.instance)._default_manager.filter(pk=self.instance.pk).first()
        if stands is not None and given.get("version") != stands.version:
            message = (
                f"Somebody changed this meanwhile: it is at version {stands.version} now."
                " Open it again before you change it."
            )
            raise ValidationError(message)
        given["version"] = given.get("version") or 1
        return given


class RegisteredAdmin(Reasoned, Kept):
    form = VersionedForm
    readonly_fields = ["created_at", "updated_at", "retired_at", "retired_reason"]
    actions = ["retire"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep a retired row as it is."""
        is_retired = obj is not None and obj.is_retired
        return not is_retired and bool(super().has_change_permission(request, obj))

    # What it is, in the order of the form; the rest is the same for all of them.
    says: list[str] = []

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        seen_only = obj is not None and not self.has_change_permission(request, obj)
        typed = [] if seen_only else ["why", "version"]
        return [*self.says, "metadata", *typed, *(self.get_readonly_fields(request, obj))]


@admin.register(Asset)
class AssetAdmin(QuickList, RegisteredAdmin):
    list_display = ["symbol", "name", "kind", "category", "display_places", "warned", "updated_at"]
    list_filter = ["kind", ("retired_at", admin.EmptyFieldListFilter)]
    search_fields = ["symbol", "name", "id"]
    says = ["symbol", "name", "kind", "category", "precision", "display_places"]
    readonly_fields = ["id", *RegisteredAdmin.readonly_fields]
    inlines = [Flags, Deployments, Aliases, Identifiers, StandsOn, StoodOnBy, Groups]
    inlines += [AnswersAs, MergedHere]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        standing = QualityFlag.objects.standing(now=timezone.now())
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("flags", standing, to_attr="standing"))
        )

    @admin.display(description="flags")
    def warned(self, asset: Any) -> str:
        return "; ".join(str(flag) for flag in asset.standing)

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: Any) -> None:
        why = form.cleaned_data["why"]
        self.said(request, lambda: catalogue.save_asset(asset=obj, reason=why, by=by(request)))

    @admin.action(description="Retire the chosen, with the reason", permissions=["edit"])
    def retire(self, request: HttpRequest, rows: QuerySet[Asset]) -> None:
        self.each(
            request,
            rows,
            lambda row, reason: catalogue.retire_asset(
                asset_id=row.pk, expected_version=row.version, reason=reason, by=by(request)
            ),
        )


@admin.register(Chain)
class ChainAdmin(RegisteredAdmin):
    list_display = ["name", "id", "family", "native_asset", "explorer_url"]
    list_filter = ["family", ("retired_at", admin.EmptyFieldListFilter)]
    list_select_related = ["native_asset"]
    search_fields = ["id", "name"]
    says = ["name", "family", "native_asset", "rpc_urls", "explorer_url"]
    autocomplete_fields = ["native_asset"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*self.readonly_fields, *(["id"] if obj else [])]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*([] if obj else ["id"]), *super().get_fields(request, obj)]

    def save_model(self, request: HttpRequest, obj: Chain, form: Any, change: Any) -> None:
        why = form.cleaned_data["why"]
        self.said(request, lambda: catalogue.save_chain(chain=obj, reason=why, by=by(request)))

    @admin.action(description="Retire the chosen, with the reason", permissions=["edit"])
    def retire(self, request: HttpRequest, rows: QuerySet[Chain]) -> None:
        self.each(
            request,
            rows,
            lambda row, reason: catalogue.retire_chain(
                chain_id=row.pk, expected_version=row.version, reason=reason, by=by(request)
            ),
        )


@admin.register(AssetGroup)
class AssetGroupAdmin(RegisteredAdmin):
    list_display = ["canonical_symbol", "name", "updated_at"]
    list_filter = [("retired_at", admin.EmptyFieldListFilter)]
    search_fields = ["canonical_symbol", "name"]
    readonly_fields = ["id", *RegisteredAdmin.readonly_fields]
    says = ["canonical_symbol", "name"]
    inlines = [Members]
    actions = []

    def save_model(self, request: HttpRequest, obj: AssetGroup, form: Any, change: Any) -> None:
        why = form.cleaned_data["why"]
        self.said(request, lambda: save_group(group=obj, reason=why, by=by(request)))
