"""The pages of what may be one thing twice: the findings, each with its assets side by side, and merging two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from assets.forms_merging import SinceForm
from assets.models import Asset, Finding, FindingKind, FindingState, Merge
from assets.services import finding_lists, findings
from assets.services.finding_lists import Filter
from assets.services.guarding import impact_on
from assets.services.merging import between, propose_merge, propose_split, waiting
from assets.services.moving import added, belongings, objections
from assets.services.obstacles import obstacles
from assets.services.pages import BadCursor
from assets.services.side_by_side import compared, flags_of
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.models import Request

# More beside each other are not read any more.
BESIDE = 6


@require_GET
@requires(Action.REGISTRY_VIEW)
def findings_page(request: DeskRequest) -> HttpResponse:
    asked = request.GET
    wanted = Filter(
        state=asked.get("state", ""), kind=asked.get("kind", ""), text=asked.get("text", "")
    )
    try:
        found = finding_lists.page(wanted, after=asked.get("after", ""))
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("findings")
    context = {
        "findings": finding_lists.named(found.rows),
        "next": found.next,
        "is_first": not asked.get("after"),
        "total": finding_lists.count(wanted),
        "filter": wanted,
        "kinds": FindingKind.choices,
        "states": FindingState.choices,
        "checked_at": timezone.now(),
    }
    return render(request, "assets/findings.html", context)


@require_GET
@requires(Action.REGISTRY_VIEW)
def finding(request: DeskRequest, finding_id: UUID) -> HttpResponse:
    found = get_object_or_404(Finding.objects.select_related("dismissed_by"), pk=finding_id)
    known = findings.assets_of([found])
    assets = [known[key] for key in found.assets if key in known]
    context = {
        "found": found,
        "assets": assets[:BESIDE],
        "all_assets": assets,
        "more": max(0, len(assets) - BESIDE),
        "lines": compared(assets[:BESIDE]),
        "may_edit": may(request.user, Action.REGISTRY_EDIT),
    }
    return render(request, "assets/finding.html", context)


@require_POST
@requires(Action.REGISTRY_EDIT)
def dismiss_finding(request: DeskRequest, finding_id: UUID) -> HttpResponse:
    get_object_or_404(Finding, pk=finding_id)
    reason = request.POST.get("reason", "")
    try:
        findings.dismiss(finding_id=finding_id, reason=reason, by=request.user)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("finding", finding_id=finding_id)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("finding", finding_id=finding_id)
    messages.success(request, "Dismissed. It comes back once there is something new about it.")
    return redirect("findings")


@require_GET
@requires(Action.REGISTRY_VIEW)
def choose(request: DeskRequest) -> HttpResponse:
    """Go to the page of the two that were chosen."""
    try:
        keys = [UUID(request.GET.get(name, "")) for name in ("asset", "into")]
    except ValueError:
        messages.error(request, "Choose two assets.")
        return redirect("findings")
    return redirect("merging", *keys)


@require_GET
@requires(Action.REGISTRY_VIEW)
def merging(request: DeskRequest, asset_id: UUID, into_id: UUID) -> HttpResponse:
    return _show(request, *_pair(asset_id, into_id), SinceForm())


def _show(
    request: DeskRequest, one: Asset, other: Asset, form: SinceForm, *, status: int = 200
) -> HttpResponse:
    found = between(one.pk, other.pk)
    first, second = (found.asset, found.into) if found else (one, other)
    context = {
        "both": [first, second],
        "one": first,
        "other": second,
        "merge": found,
        "asked": waiting(one.pk, other.pk),
        "against": [] if found else objections(one, other, since=None),
        "follows": belongings(first.pk),
        "flags": [(asset, flags_of(asset)) for asset in (first, second)],
        "stays": added(second.pk, since=found.recorded_at) if found else {},
        "severe": obstacles({one.pk, other.pk}, now=timezone.now()),
        "impact": impact_on({one.pk, other.pk}),
        "lines": compared([first, second]),
        "form": form,
        "may_edit": may(request.user, Action.REGISTRY_EDIT),
    }
    return render(request, "assets/merging.html", context, status=status)


@require_POST
@requires(Action.REGISTRY_EDIT)
def merge(request: DeskRequest, asset_id: UUID, into_id: UUID) -> HttpResponse:
    """Ask a second person to merge the two."""
    one, other = _pair(asset_id, into_id)
    return _ask(
        request,
        one,
        other,
        lambda given: propose_merge(asset_id=one.pk, into_id=other.pk, by=request.user, **given),
    )


@require_POST
@requires(Action.REGISTRY_EDIT)
def split(request: DeskRequest, merge_id: UUID) -> HttpResponse:
    """Ask a second person to split two again."""
    found = get_object_or_404(Merge.objects.select_related("asset", "into"), pk=merge_id)
    return _ask(
        request,
        found.asset,
        found.into,
        lambda given: propose_split(merge=found, by=request.user, **given),
    )


def _ask(
    request: DeskRequest,
    one: Asset,
    other: Asset,
    ask: Callable[[dict[str, Any]], Request],
) -> HttpResponse:
    form = SinceForm(request.POST)
    if not form.is_valid():
        return _show(request, one, other, form, status=422)
    try:
        asked = ask(form.cleaned_data)
    except Refused as error:
        form.add_error(None, str(error))
    except ValidationError as error:
        form.add_error(None, " ".join(error.messages))
    else:
        messages.success(request, "Asked for. Nothing changes until somebody else agrees.")
        return redirect("approval", asked.pk)
    return _show(request, one, other, form, status=422)


def _pair(asset_id: UUID, into_id: UUID) -> tuple[Asset, Asset]:
    return get_object_or_404(Asset, pk=asset_id), get_object_or_404(Asset, pk=into_id)
