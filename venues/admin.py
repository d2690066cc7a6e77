from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from cqops.platform.access.admin_doors import Kept, ReadOnly, StepUp, by
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.admin_asking import Asks
from venues import admin_symbols
from venues.adapters.contract import KeyField
from venues.adapters.registry import ADAPTERS
from venues.models import Account, Credential, DriftReport, Maintenance, Venue
from venues.services.keys import Terms, propose_credential, retire_credential
from venues.services.powers import said_of, try_connection
from venues.services.registration import objections, save_account, save_venue

__all__ = ["admin_symbols"]


class VenueForm(forms.ModelForm[Venue]):
    def clean(self) -> dict[str, Any]:
        """Say beside the field what the service would refuse."""
        given = super().clean() or self.cleaned_data
        shown = ("name", "adapter", "rest_url", "ws_url", "ws_user_url")
        venue = Venue(**{field: given.get(field, "") for field in shown})
        for field, words in objections(venue).items():
            if field in given:
                self.add_error(field, words)
        return given


@admin.register(Venue)
class VenueAdmin(Kept):
    form = VenueForm
    list_display = ["name", "slug", "adapter", "environment", "is_enabled"]
    list_filter = ["is_enabled", "adapter"]
    search_fields = ["name", "slug"]
    readonly_fields = ["id"]

    def save_model(self, request: HttpRequest, obj: Venue, form: Any, change: Any) -> None:
        save_venue(venue=obj)


@admin.register(Account)
class AccountAdmin(Kept):
    list_display = ["name", "venue", "environment", "is_enabled", "created_at", "keys"]
    list_filter = ["venue", "is_enabled"]
    list_select_related = ["venue"]
    search_fields = ["name"]
    readonly_fields = ["id", "created_at"]

    @admin.display(description="keys")
    def keys(self, account: Account) -> str:
        return format_html('<a href="{}">Keys</a>', reverse("account", args=[account.pk]))

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: Any) -> None:
        save_account(account=obj)


@admin.register(DriftReport)
class DriftReportAdmin(ReadOnly):
    """What was met is marked as known on the venue's own page, with a note."""

    list_display = ["kind", "venue", "value", "count", "last_seen", "is_known", "version"]
    list_filter = ["venue", "is_known", "kind"]
    list_select_related = ["venue"]
    search_fields = ["kind", "value", "place"]


@admin.register(Maintenance)
class MaintenanceAdmin(ReadOnly):
    """Entered and called off on the venue's own page."""

    list_display = ["venue", "starts_at", "ends_at", "note", "entered_by", "called_off_at"]
    list_filter = ["venue"]
    list_select_related = ["venue", "entered_by"]


class Unshown(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """A field whose content never comes back, not even with a form that has a mistake elsewhere."""

    def format_value(self, value: Any) -> str:
        return ""


class NewCredential(forms.ModelForm):  # type: ignore[type-arg]
    """Asks which account first, and then for what a key of its venue consists of.

    What is secret is sealed at once, never shown again, and waits for a second person.
    """

    class Meta:
        model = Credential
        fields = ["account"]


def form_for(account: Account | None) -> type[NewCredential]:
    """Ask in the venue's words."""
    fields = {one.name: asking(one) for one in key_fields(account)}
    if fields:
        fields |= {name: ticking(name) for name in TERMS}
    return type("NewCredential", (NewCredential,), fields)


TERMS = {
    "is_spare": (
        "Keep it as the spare key",
        "It is not used until the key in use is reported as leaked, or an admin puts it in its place.",
    ),
    "may_transfer": (
        "Allow it to withdraw",
        "The desk never needs this to trade. Leave it empty: a key that can withdraw is then refused. "
        "Ticked, a second person is asked to agree to exactly that.",
    ),
}


def ticking(name: str) -> forms.Field:
    label, words = TERMS[name]
    widget = UnfoldBooleanSwitchWidget()
    return forms.BooleanField(label=label, help_text=words, required=False, widget=widget)


def key_fields(account: Account | None) -> tuple[KeyField, ...]:
    return ADAPTERS[account.venue.adapter].key_fields if account else ()


def asking(one: KeyField) -> forms.Field:
    words: dict[str, Any] = {
        "label": one.label,
        "help_text": one.help_text,
        "required": one.is_required,
    }
    if one.choices:
        return forms.ChoiceField(choices=one.choices, widget=UnfoldAdminSelectWidget(), **words)
    if not one.is_secret:
        return forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget(), **words)
    words["help_text"] += " Sealed as soon as it is saved; nobody can read it back here."
    rows = 6 if one.is_multiline else 1
    looks = {"autocomplete": "off", "spellcheck": "false", "rows": rows}
    return forms.CharField(widget=Unshown(attrs=looks), **words)


def chosen_account(request: HttpRequest) -> Account | None:
    """Find the account the form is about: the one named, or the only one there is."""
    accounts = Account.objects.select_related("venue")
    named = request.POST.get("account") or request.GET.get("account")
    try:
        return accounts.filter(pk=UUID(named)).first() if named else accounts.get()
    except (ValueError, Account.DoesNotExist, Account.MultipleObjectsReturned):
        return None


SHOWN_OF_A_KEY = (
    *("account", "key_id", "stands", "said", "tested_at", "may_transfer", "created_at"),
    *("activated_at", "used_from", "retired_at", "leaked_at", "revoked_at"),
)


@admin.register(Credential)
class CredentialAdmin(Asks, StepUp, Kept):
    """Write-only: a key is put in, replaced by a newer one, and never shown."""

    list_display = ["account", "key_id", "stands", "said", "tested_at", "activated_at"]
    actions = ["test_connection", "retire"]
    list_filter = ["account"]
    list_select_related = ["account__venue"]
    form = NewCredential

    def has_change_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Go on to the venue's own questions once an account is chosen."""
        account = chosen_account(request)
        if request.method == "POST" and account and "key_id" not in request.POST:
            return redirect(f"{request.path}?account={account.pk}")
        answer: HttpResponse = super().add_view(request, form_url, extra_context)
        return answer

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"account": chosen_account(request)}

    def get_form(
        self,
        request: HttpRequest,
        obj: Credential | None = None,
        change: Any = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            kwargs["form"] = form_for(chosen_account(request))
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: Any) -> None:
        given = {one.name: form.cleaned_data[one.name] for one in key_fields(obj.account)}
        key_id, secret = given.pop("key_id"), given.pop("secret")
        more = {name: text for name, text in given.items() if text}
        terms = Terms(**{name: form.cleaned_data[name] for name in TERMS})
        self.asked(
            request,
            lambda: propose_credential(
                account=obj.account,
                key_id=key_id,
                secret=secret,
                more=more,
                terms=terms,
                by=by(request),
            ),
        )

    @admin.action(description="Test connection of the chosen keys", permissions=["retire"])
    def test_connection(self, request: HttpRequest, rows: QuerySet[Credential]) -> None:
        for row in rows:
            words = try_connection(credential=row, by=by(request))
            self.message_user(request, f"{row} {row.key_id}: {words}")

    def has_retire_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.VENUE_EDIT)

    @admin.action(description="Retire the chosen keys now", permissions=["retire"])
    def retire(self, request: HttpRequest, rows: QuerySet[Credential]) -> None:
        for row in rows:
            retire_credential(credential=row, by=by(request))
            self.message_user(request, f"{row} {row.key_id}: retired.")

    def get_fields(self, request: HttpRequest, obj: Credential | None = None) -> list[str]:
        if obj is None:
            asked = [one.name for one in key_fields(chosen_account(request))]
            return ["account", *asked, *(TERMS if asked else ())]
        return [*SHOWN_OF_A_KEY]

    @admin.display(description="stands")
    def stands(self, row: Credential) -> str:
        return format_html('<a href="{}">{}</a>', reverse("key", args=[row.pk]), row.standing)

    @admin.display(description="what the venue says")
    def said(self, row: Credential) -> str:
        return said_of(row)
