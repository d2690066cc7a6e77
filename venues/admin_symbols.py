"""What venues list, and what it stands for: mapped by a form that asks, stopped by actions with a reason."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import TabularInline
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from assets.admin_reasons import Reasoned
from assets.models import Asset
from cqops.platform.access.admin_doors import Kept, ReadOnly, Shown, by
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.admin_asking import Asks
from venues.models import Listing, VenueSymbol
from venues.services.mapping import propose_change, propose_mappings, propose_resume
from venues.services.recording import in_force
from venues.services.stopping import set_aside, suspend, take_up
from venues.services.wanted import Wanted
from venues.suggestions import Evidence

_LISTED = [
    *("venue", "symbol", "said_base", "said_quote", "kind", "contract_size", "standing", "why"),
    *("status", "price_tick", "quantity_step", "min_quantity", "min_notional"),
    *("listed_at", "missing_since", "gone_at", "request"),
]
_ASKED = ["base", "quote", "evidence", "since", "reason"]


class MappingForm(forms.ModelForm):  # type: ignore[type-arg]
    """Asks what a listed symbol stands for; it waits for a second person."""

    base = forms.ModelChoiceField(Asset.objects.none())
    quote = forms.ModelChoiceField(Asset.objects.none(), label="Paid with")
    evidence = forms.ChoiceField(
        choices=[(one.value, one.value.capitalize()) for one in Evidence],
        label="Rests on",
        widget=UnfoldAdminSelectWidget(),
    )
    since = forms.SplitDateTimeField(
        required=False,
        label="True since",
        widget=UnfoldAdminSplitDateTimeWidget(),
        help_text="Empty is always.",
    )
    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For the history, and for whoever has to agree.",
    )

    class Meta:
        model = Listing
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = in_force(self.instance)
        for name in ("base", "quote"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 -- narrows the type
            field.queryset = Asset.objects.filter(retired_at=None)
            field.widget = AutocompleteSelect(VenueSymbol._meta.get_field(name), admin.site)
            field.widget.choices = field.choices
            field.initial = getattr(known, f"{name}_id", None)


class Meanings(TabularInline):  # type: ignore[misc]
    """What it was held to stand for, on both clocks."""

    model = VenueSymbol
    fk_name = "listing"
    fields = [
        *("base", "quote", "kind", "contract_size", "source"),
        *("valid_from", "valid_to", "recorded_at", "superseded_at", "recorded_by", "approval"),
    ]
    ordering = ["-recorded_at"]
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


@admin.register(Listing)
class ListingAdmin(Reasoned, Asks, Kept):
    form = MappingForm
    list_display = [
        *("symbol", "venue", "standing", "status", "said_base", "said_quote", "kind", "why"),
    ]
    list_filter = [
        *("venue", "standing", "status", "kind"),
        ("gone_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["venue"]
    search_fields = ["symbol", "said_base", "said_quote", "why"]
    inlines = [Meanings]
    actions = ["suspend", "set_aside", "take_up", "resume"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Listing | None = None) -> bool:
        is_listed = obj is None or obj.gone_at is None
        return is_listed and self.has_edit_permission(request)

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.FLAG_RAISE)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup == "request__id__exact" or super().lookup_allowed(lookup, value, request)

    @cached_property
    def listed(self) -> list[Shown]:
        """Show amounts exactly; the same names every time, so that Django finds them again."""
        return [self._shown(name) for name in _LISTED]

    def get_fields(self, request: HttpRequest, obj: Listing | None = None) -> list[Shown]:
        asked = _ASKED if self.has_change_permission(request, obj) else []
        return [*self.listed, *asked]

    def get_readonly_fields(self, request: HttpRequest, obj: Listing | None = None) -> list[Shown]:
        return self.listed

    def save_model(self, request: HttpRequest, obj: Listing, form: Any, change: Any) -> None:
        given, who = form.cleaned_data, by(request)
        wanted = Wanted(listing_id=obj.pk, base_id=given["base"].pk, quote_id=given["quote"].pk)
        terms = {
            "evidence": Evidence(given["evidence"]),
            "since": given["since"],
            "reason": given["reason"],
            "by": who,
        }
        if in_force(obj) is None:
            self.asked(request, lambda: propose_mappings(wanted=[wanted], **terms))
        else:
            self.asked(request, lambda: propose_change(wanted=wanted, **terms))

    def construct_change_message(self, request: HttpRequest, *_: Any) -> str:
        """Describe nothing: nothing changes before another person agrees."""
        return ""

    @admin.action(description="Suspend the chosen at once, with the reason", permissions=["stop"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Listing]) -> None:
        who = by(request)
        self.each(
            request, rows, lambda row, reason: suspend(listing_id=row.pk, reason=reason, by=who)
        )

    @admin.action(description="We do not trade the chosen, with the reason", permissions=["edit"])
    def set_aside(self, request: HttpRequest, rows: QuerySet[Listing]) -> None:
        self._each_with(request, rows, set_aside)

    @admin.action(description="Take the chosen up again, with the reason", permissions=["edit"])
    def take_up(self, request: HttpRequest, rows: QuerySet[Listing]) -> None:
        self._each_with(request, rows, take_up)

    def _each_with(self, request: HttpRequest, rows: QuerySet[Listing], act: Any) -> None:
        who = by(request)
        self.each(
            request, rows, lambda row, reason: act(listing_ids={row.pk}, reason=reason, by=who)
        )

    @admin.action(description="Ask to let the chosen go on, with the reason", permissions=["edit"])
    def resume(self, request: HttpRequest, rows: QuerySet[Listing]) -> None:
        reason, who = request.POST.get("reason", ""), by(request)
        ids: list[UUID] = [row.pk for row in rows]
        for key in ids:
            self.asked(
                request,
                lambda key=key: propose_resume(listing_id=key, reason=reason, by=who),  # type: ignore[misc]
            )


@admin.register(VenueSymbol)
class VenueSymbolAdmin(ReadOnly):
    """What symbols stand for and stood for; asked for in the list of what venues list."""

    list_display = [
        *("symbol", "venue", "base", "quote", "kind", "contract_size", "price_tick"),
        *("quantity_step", "status", "valid_from", "valid_to", "recorded_at"),
    ]
    list_filter = ["venue", "status", "kind", ("superseded_at", admin.EmptyFieldListFilter)]
    list_select_related = ["venue", "base", "quote"]
    search_fields = ["symbol", "base__symbol", "base__name", "quote__symbol", "source"]
    show_full_result_count = False
