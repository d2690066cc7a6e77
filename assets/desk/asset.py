"""One asset: everything the registry says about it, at two moments, and what the desk has in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from assets.desk.clocks import moments, pinned, with_zone
from assets.desk.forms import RenameForm
from assets.desk.picture import picture
from assets.models import Asset
from assets.services.answering import merged
from assets.services.dossier import dossier, waiting_about
from assets.services.guarding import impact_on
from assets.services.neighbours import neighbourhood
from assets.services.renaming import rename
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused


@require_GET
@requires(Action.REGISTRY_VIEW)
def asset(request: DeskRequest, asset_id: UUID) -> HttpResponse:
    found = get_object_or_404(Asset, pk=asset_id)
    if (address := with_zone(request)) != "":
        return redirect(address)
    asked = moments(request)
    clocks = asked.clocks
    known = dossier(found, clocks)
    around = neighbourhood(found, clocks)
    # What the whole desk has is for those who may see the whole desk.
    sees_all = may(request.user, Action.POSITION_VIEW, {})
    context = {
        "asset": found,
        # Handed over as pairs: a template would take a key called "items" for the method.
        "metadata": list(found.metadata.items()),
        "asked": asked,
        "clocks": clocks,
        "pinned": pinned(request, clocks),
        "known": known,
        "around": around,
        "picture": picture(found, around) if around.claims else None,
        "waiting": waiting_about(known, by=request.user),
        "impact": impact_on({found.pk}) if sees_all else None,
        "merge": merged({found.pk}, as_of=clocks.as_of, known_at=clocks.known_at).get(found.pk),
        **allowed(request),
    }
    return render(request, "assets/asset.html", context)


def allowed(request: DeskRequest) -> dict[str, Any]:
    """Tell what the page may offer; the doors behind it ask again."""
    return {
        "may_edit": may(request.user, Action.REGISTRY_EDIT),
        "may_flag": may(request.user, Action.FLAG_RAISE),
        "may_audit": may(request.user, Action.AUDIT_VIEW),
    }


@requires(Action.REGISTRY_EDIT)
def asset_rename(request: DeskRequest, asset_id: UUID) -> HttpResponse:
    """Give an asset another ticker from a moment on; the old one ends there and may be used again."""
    found = get_object_or_404(Asset, pk=asset_id)
    form = RenameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            renamed = rename(asset_id=found.pk, by=request.user, **form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"Recorded. The desk calls it {renamed.symbol} now.")
            return redirect("asset", asset_id=found.pk)
    status = 422 if form.errors else 200
    return render(request, "assets/rename.html", {"asset": found, "form": form}, status=status)
