from __future__ import annotations

import zoneinfo
from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from cqops.platform.access import parts
from cqops.platform.access.models import RoleGrant, Theme, User
from cqops.platform.access.people import APART, NotTogether
from cqops.platform.access.policy import Action, Role
from cqops.platform.access.scopes import Scope
from cqops.platform.access.tokens import LONGEST_DAYS, own_actions


def zones() -> list[str]:
    """List the zones a person can choose: places and UTC, without the historical aliases."""
    places = {name for name in zoneinfo.available_timezones() if "/" in name}
    return ["UTC", *sorted(name for name in places if not name.startswith(("Etc/", "SystemV/")))]


class PreferencesForm(forms.ModelForm[User]):
    time_zone = forms.CharField(
        label="Time zone",
        help_text="Type a city. Every time on every page is shown in this zone.",
        widget=forms.TextInput(
            attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    theme = forms.ChoiceField(label="Theme", choices=Theme.choices, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ["time_zone", "theme"]

    def clean_time_zone(self) -> str:
        given: str = self.cleaned_data["time_zone"].strip().replace(" ", "_")
        for zone in zones():
            if given.lower() in {zone.lower(), zone.rpartition("/")[2].lower()}:
                return zone
        message = f"{given} is not a time zone. Choose one from the list, such as Europe/London."
        raise forms.ValidationError(message)


class CodeForm(forms.Form):
    """Six digits of an app, or a code from paper."""

    code = forms.CharField(max_length=20)


class PasswordForm(forms.Form):
    password = forms.CharField(max_length=200, strip=False)


class TokenForm(forms.Form):
    """What a program is called, what it may do, and for how long."""

    name = forms.CharField(max_length=80)
    days = forms.IntegerField(min_value=1, max_value=LONGEST_DAYS, initial=90)
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that it may do."},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 -- narrows the type
        field.choices = [(action.value, _words(action)) for action in own_actions(user)]


def _words(action: Action) -> str:
    area, _, verb = action.value.partition(".")
    return f"{area.replace('_', ' ').capitalize()}: {verb.replace('_', ' ')}"


class GrantForm(forms.ModelForm[RoleGrant]):
    """A role for one part of the desk."""

    reach = forms.ChoiceField(label="For", widget=UnfoldAdminSelectWidget)

    class Meta:
        model = RoleGrant
        fields = ["user", "role"]
        widgets = {"user": UnfoldAdminSelectWidget, "role": UnfoldAdminSelectWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reach"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- narrows the type
        field.choices = parts.choices()

    def clean_reach(self) -> tuple[Scope, UUID]:
        kind, _, key = self.cleaned_data["reach"].partition(":")
        return Scope(kind), UUID(key)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        person, role = data.get("user"), data.get("role")
        has = person.roles if person else frozenset()
        if (role == Role.ADMIN and has & APART) or (role in APART and Role.ADMIN in has):
            self.add_error("role", str(NotTogether.__doc__))
        return data
