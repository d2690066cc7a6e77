"""The chains, and what lives on each."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from assets.explorers import explorer_of, page_of_address
from assets.models import Chain, Deployment, QualityFlag, Severity
from assets.services.deployments import key_of
from assets.services.pages import BadCursor, page, total
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action

PAGE = 50


@require_GET
@requires(Action.REGISTRY_VIEW)
def chains(request: DeskRequest) -> HttpResponse:
    rows = Chain.objects.select_related("native_asset").order_by("retired_at", "name")
    lines = [{"chain": one, "explorer": explorer_of(one.explorer_url)} for one in rows]
    return render(request, "assets/chains.html", {"lines": lines, "checked_at": timezone.now()})


@require_GET
@requires(Action.REGISTRY_VIEW)
def chain(request: DeskRequest, chain_id: str) -> HttpResponse:
    found = get_object_or_404(Chain.objects.select_related("native_asset"), pk=chain_id)
    now = timezone.now()
    text = request.GET.get("q", "").replace("\0", "").strip()
    rows = Deployment.objects.at(as_of=now, known_at=now).filter(chain=found)
    if text:
        named = Q(asset__symbol__iexact=text) | Q(asset__name__icontains=text)
        rows = rows.filter(named | Q(address_key=key_of(text)))
    rows = rows.select_related("asset")
    try:
        shown = page(rows, by="address_key", after=request.GET.get("after", ""), limit=PAGE)
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("chain", chain_id=chain_id)
    standing = QualityFlag.objects.standing(now=now).filter(severity__gte=Severity.HIGH)
    flagged = standing.filter(asset__in=[one.asset_id for one in shown.rows])
    context = {
        "chain": found,
        "flagged": set(flagged.values_list("asset", flat=True)),
        "explorer": explorer_of(found.explorer_url),
        "lines": [
            {
                "claim": one,
                "explorer": page_of_address(found.family, found.explorer_url, one.address),
            }
            for one in shown.rows
        ],
        "next_cursor": shown.next,
        "total": total(rows, exact=False),
        "text": text,
        "is_narrow": bool(text) or "after" in request.GET,
        "checked_at": now,
    }
    return render(request, "assets/chain.html", context)
