from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from cqops.platform.access.admin_doors import Kept, StepUp, by
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.admin_asking import Asks
from venues.adapters.contract import KeyField
from venues.adapters.registry import ADAPTERS
from venues.models import Account, Credential, Venue, VenueSymbol
from venues.services.keys import propose_credential, retire_credential
from venues.services.registration import objections, save_account, save_symbol, save_venue


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


@admin.register(VenueSymbol)
class VenueSymbolAdmin(Kept):
    list_display = ["symbol", "venue", "base", "quote", "price_tick", "quantity_step", "status"]
    list_filter = ["venue", "status"]
    list_select_related = ["venue", "base", "quote"]
    search_fields = ["symbol"]
    readonly_fields = ["id", "synced_at"]
    autocomplete_fields = ["base", "quote"]

    def save_model(self, request: HttpRequest, obj: VenueSymbol, form: Any, change: Any) -> None:
        save_symbol(symbol=obj)


@admin.register(Account)
class AccountAdmin(Kept):
    list_display = ["name", "venue", "environment", "is_enabled", "created_at"]
    list_filter = ["venue", "is_enabled"]
    list_select_related = ["venue"]
    search_fields = ["name"]
    readonly_fields = ["id", "created_at"]

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: Any) -> None:
        save_account(account=obj)


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
    fields = key_fields(account)
    return type("NewCredential", (NewCredential,), {one.name: asking(one) for one in fields})


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


@admin.register(Credential)
class CredentialAdmin(Asks, StepUp, Kept):
    """Write-only: a key is put in, replaced by a newer one, and never shown."""

    list_display = ["account", "key_id", "created_at", "activated_at", "retired_at"]
    actions = ["retire"]
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
        self.asked(
            request,
            lambda: propose_credential(
                account=obj.account, key_id=key_id, secret=secret, more=more, by=by(request)
            ),
        )

    def has_retire_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.VENUE_EDIT)

    @admin.action(description="Retire the chosen keys now", permissions=["retire"])
    def retire(self, request: HttpRequest, rows: QuerySet[Credential]) -> None:
        for row in rows:
            retire_credential(credential=row, by=by(request))
            self.message_user(request, f"{row} {row.key_id}: retired.")

    def get_fields(self, request: HttpRequest, obj: Credential | None = None) -> list[str]:
        if obj is None:
            return ["account", *(one.name for one in key_fields(chosen_account(request)))]
        return ["account", "key_id", "created_at", "activated_at", "retired_at"]
