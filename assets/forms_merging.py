from __future__ import annotations

from django import forms


class SinceForm(forms.Form):
    """Since when two assets are one, or two again; and why."""

    since = forms.DateTimeField(
        required=False,
        label="Since",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(
        max_length=300,
        label="Because",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
