"""What people type about a venue. Times are theirs; what is stored is UTC."""

from __future__ import annotations

from typing import Any

from django import forms

from venues.services.maintenance import objections

FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, input_formats=FORMATS, widget=widget)


class MaintenanceForm(forms.Form):
    starts_at = _moment("From")
    ends_at = _moment("To")
    note = forms.CharField(label="What for", max_length=300)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if {"starts_at", "ends_at", "note"} <= given.keys():
            for problem in objections(**given):
                self.add_error(None, problem)
        return given


class KnownForm(forms.Form):
    note = forms.CharField(max_length=300)
