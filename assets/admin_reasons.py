"""What the forms and actions of the registry have alike: a reason is typed, and refusals are told in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused


class ReasonForm(ActionForm):  # type: ignore[misc]
    reason = forms.CharField(
        label="", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "Reason"})
    )


class Reasoned:
    """Actions of a list that take a reason and tell what became of each row."""

    action_form = ReasonForm

    def has_edit_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.REGISTRY_EDIT)

    def each(
        self, request: HttpRequest, rows: Iterable[Model], act: Callable[[Any, str], object]
    ) -> None:
        reason = request.POST.get("reason", "")
        for row in rows:
            if told(request, lambda row=row: act(row, reason)):  # type: ignore[misc]
                messages.success(request, f"{row}: done.")


@admin.display(description="asset", ordering="asset__symbol")
def whose(row: Any) -> str:
    """Name the asset so that two of one ticker are told apart."""
    label: str = row.asset.label
    return label


def told(request: HttpRequest, act: Callable[[], object]) -> bool:
    """Do it, or say in words why the registry does not."""
    try:
        act()
    except Refused as error:
        messages.error(request, str(error))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        return True
    return False
