"""One box for whatever somebody has in hand, answered at two moments. Never a guess."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from assets.desk.clocks import moments, pinned, with_zone
from assets.models import Chain
from assets.services.lookup import look_up
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action


@require_GET
@requires(Action.REGISTRY_VIEW)
def lookup(request: DeskRequest) -> HttpResponse:
    if (address := with_zone(request)) != "":
        return redirect(address)
    asked = moments(request)
    text, chain = request.GET.get("q", "").strip(), request.GET.get("chain", "").strip()
    clocks = asked.clocks
    found = None
    if text and not asked.problems:
        found = look_up(text, clocks=clocks, chain=chain)
    context = {
        "asked": asked,
        "clocks": clocks,
        "text": text,
        "chain": chain,
        "chains": Chain.objects.filter(retired_at=None),
        "found": found,
        "pinned": pinned(request, clocks) if found else "",
    }
    return render(request, "assets/lookup.html", context)
