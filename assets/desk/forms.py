"""What people type about assets. Times are theirs; what is stored is UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from assets.models import Asset, FlagKind, FlagSource, QualityFlag, Severity
from assets.models.registered import WEB

FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
WORST_FIRST = [("", "Choose"), *sorted(Severity.choices, reverse=True)]


class FlagForm(forms.Form):
    kind = forms.ChoiceField(label="What is it", choices=[("", "Choose"), *FlagKind.choices])
    severity = forms.TypedChoiceField(label="How severe", choices=WORST_FIRST, coerce=int)
    evidence_url = forms.CharField(
        label="Evidence URL",
        max_length=500,
        required=False,
        validators=[WEB],
        widget=forms.URLInput,
    )
    note = forms.CharField(
        label="Note", max_length=2000, required=False, widget=forms.Textarea({"rows": 3})
    )
    source_kind = forms.ChoiceField(label="Found by", choices=FlagSource.choices)
    source = forms.CharField(
        label="The auditor's name, or who found it", max_length=120, required=False
    )
    review_on = forms.DateField(
        label="Look at it again on",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        shown = {"evidence_url", "note"} - self.errors.keys()
        if len(shown) == len({"evidence_url", "note"}) and not any(given[name] for name in shown):
            self.add_error(None, "Say what it rests on: an address to read, or a note.")
        if given.get("source_kind") == FlagSource.AUDITOR and not given.get("source"):
            self.add_error("source", "Name the auditor.")
        return given

    def flag(self, asset: Asset) -> QualityFlag:
        return QualityFlag(asset=asset, **self.cleaned_data)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why it does not stand any more",
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "Say why: whoever agrees reads it, and so does the audit."},
    )


class RenameForm(forms.Form):
    ticker = forms.CharField(label="New ticker", max_length=32)
    since = forms.DateTimeField(
        label="Since when",
        input_formats=FORMATS,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(label="Why", max_length=300)
    source = forms.CharField(label="Who says so; empty is you", max_length=120, required=False)

    def clean_since(self) -> datetime:
        since: datetime = self.cleaned_data["since"]
        if since > timezone.now():
            message = "Record it once it has happened: nobody knows what a day to come will bring."
            raise forms.ValidationError(message)
        return since
