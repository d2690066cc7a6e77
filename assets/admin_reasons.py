"""What the forms and actions of the registry have alike: a reason is typed, and refusals are told in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused

_REFUSED = "cqops.registry_refused"


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

    def said(self, request: HttpRequest, act: Callable[[], object]) -> bool:
        """Save by the service. Where it refuses, nothing is said to be done."""
        is_done = told(request, act)
        request.META[_REFUSED] = not is_done
        return is_done

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None if _is_refused(request) else super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None if _is_refused(request) else super().log_change(request, obj, message)  # type: ignore[misc]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        if _is_refused(request):
            return redirect(f"{request.path}?{_typed(request)}")
        return super().response_add(request, obj, post_url_continue)  # type: ignore[misc]

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if _is_refused(request):
            return redirect(request.path)
        done: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]
        return done


def _is_refused(request: HttpRequest) -> bool:
    return bool(request.META.get(_REFUSED))


def _typed(request: HttpRequest) -> str:
    """Carry what was typed back to the empty form, which fills itself from its address."""
    kept = request.POST.copy()
    for name in [name for name in kept if name.startswith(("csrf", "_")) or "-" in name]:
        del kept[name]
    return kept.urlencode()


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
