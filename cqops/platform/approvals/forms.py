"""A rule, a group and a stand-in as people write them in the admin. Saving asks a second person."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from cqops.platform.access.models import User
from cqops.platform.approvals.drafts import GroupDraft, RuleDraft, StandInDraft
from cqops.platform.approvals.kinds import all_kinds
from cqops.platform.approvals.models import Group, Rule, StandIn
from cqops.platform.approvals.services.rulebook import impossible
from cqops.platform.approvals.services.stand_ins import overlap

RULE_FIELDS = [
    *("name", "position", "is_enabled", "kind", "notional_from", "venue", "account"),
    *("asset_group", "role", "groups_required"),
]
LINE = re.compile(r"\s*(\d{1,3})\s+(?:of\s+)?(.+?)\s*")


class RuleForm(forms.ModelForm[Rule]):
    """A rule with its groups, one a line: `2 Approvers`."""

    kind = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    needs = forms.CharField(
        label="Who has to agree",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One group a line, with how many of it: 1 Approvers. A person counts once.",
    )

    class Meta:
        model = Rule
        fields = RULE_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields.get("kind")
        if isinstance(choice, forms.ChoiceField):
            offered = [(name, kind.label) for name, kind in all_kinds().items()]
            choice.choices = [("", "Every kind"), *offered]
        if "needs" in self.fields and self.instance.changed_at is not None:
            needs = self.instance.needs.select_related("group").order_by("group__name")
            self.initial["needs"] = "\n".join(f"{one.quorum} {one.group.name}" for one in needs)

    def clean_needs(self) -> tuple[tuple[UUID, int], ...]:
        """Read the lines; a group that does not exist is named."""
        found: dict[UUID, int] = {}
        for line in self.cleaned_data["needs"].splitlines():
            if not line.strip():
                continue
            match = LINE.fullmatch(line)
            group = Group.objects.filter(name=match.group(2)).first() if match else None
            if match is None or group is None or group.pk in found:
                known = ", ".join(Group.objects.values_list("name", flat=True))
                message = f"{line.strip()!r} is not a number and a group, each group once: {known}."
                raise forms.ValidationError(message)
            found[group.pk] = int(match.group(1))
        return tuple(found.items())

    def clean(self) -> dict[str, Any]:
        """Refuse a rule that nobody could meet."""
        data = super().clean() or {}
        is_asked = not self.errors and data["is_enabled"]
        words = impossible(self.draft().terms(), at=timezone.now()) if is_asked else ""
        if words:
            self.add_error("needs", words)
        return data

    def draft(self) -> RuleDraft:
        data = self.cleaned_data
        return RuleDraft(**{name: data[name] for name in RULE_FIELDS}, needs=data["needs"])


class GroupForm(forms.ModelForm[Group]):
    people = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        help_text="A group gives no power: its people also need a role that may decide.",
    )

    class Meta:
        model = Group
        fields = ["name", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "people" in self.fields and self.instance.created_at is not None:
            self.initial["people"] = list(self.instance.people.values_list("pk", flat=True))

    def draft(self) -> GroupDraft:
        data = self.cleaned_data
        people = tuple(sorted(person.pk for person in data["people"]))
        return GroupDraft(name=data["name"], role=data["role"], people=people)


class StandInForm(forms.ModelForm[StandIn]):
    class Meta:
        model = StandIn
        fields = ["absent", "stand_in", "starts_at", "ends_at"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        if data["absent"] == data["stand_in"]:
            self.add_error("stand_in", "Somebody else has to stand in.")
        if data["ends_at"] <= data["starts_at"]:
            self.add_error("ends_at", "It ends after it starts.")
        elif words := overlap(self.draft()):
            self.add_error("absent", words)
        return data

    def draft(self) -> StandInDraft:
        data = self.cleaned_data
        return StandInDraft(
            absent=data["absent"].pk,
            stand_in=data["stand_in"].pk,
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
        )
