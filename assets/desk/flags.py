"""Warnings, from the asset's page: raised by one person at once, cleared by one, or asked for where severe."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from assets.desk.forms import FlagForm, ReasonForm
from assets.models import Asset, QualityFlag, Severity
from assets.services.flags import clear_flag, propose_clear, raise_flag
from assets.services.guarding import impact_on
from assets.services.neighbours import reached_by_a_flag
from assets.services.resolution import Clocks
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.services.evidence import address_of


@requires(Action.FLAG_RAISE)
def flag_raise(request: DeskRequest, asset_id: UUID) -> HttpResponse:
    found = get_object_or_404(Asset, pk=asset_id)
    form = FlagForm(request.POST or None, initial={"severity": Severity.HIGH})
    if request.method == "POST" and form.is_valid():
        try:
            flag = raise_flag(flag=form.flag(found), by=request.user)
        except Refused as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"{flag}: raised, and in force at once.")
            return redirect("asset", asset_id=found.pk)
    return _form(request, "assets/flag_raise.html", found, form)


@requires(Action.REGISTRY_EDIT)
def flag_clear(request: DeskRequest, flag_id: UUID) -> HttpResponse:
    flag = get_object_or_404(QualityFlag.objects.select_related("asset"), pk=flag_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _cleared(request, flag, form.cleaned_data["reason"])
        except Refused as error:
            form.add_error(None, str(error))
    return _form(request, "assets/flag_clear.html", flag.asset, form, flag=flag)


def _cleared(request: DeskRequest, flag: QualityFlag, reason: str) -> HttpResponse:
    if flag.is_severe:
        asked = propose_clear(flag=flag, reason=reason, by=request.user)
        messages.success(request, "Asked for. The flag stands until another person agrees.")
        return redirect(address_of(asked))
    clear_flag(flag=flag, reason=reason, by=request.user)
    messages.success(request, f"{flag}: cleared.")
    return redirect("asset", asset_id=flag.asset_id)


def _form(
    request: DeskRequest,
    template: str,
    asset: Asset,
    form: FlagForm | ReasonForm,
    flag: QualityFlag | None = None,
) -> HttpResponse:
    """Show a form beside what the flag stands in the way of."""
    sees_all = may(request.user, Action.POSITION_VIEW, {})
    reached = reached_by_a_flag(asset, Clocks.at(None, None)) if sees_all else set()
    context = {
        "asset": asset,
        "form": form,
        "flag": flag,
        "impact": impact_on(reached) if sees_all else None,
        "reached": Asset.objects.filter(pk__in=reached - {asset.pk}),
    }
    return render(request, template, context, status=422 if form.errors else 200)
