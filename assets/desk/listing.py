"""The list of assets: searched, filtered, paged by key, exported as it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import IntegerField, Max, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from assets.models import Asset, AssetKind, Chain, Deployment, QualityFlag, Severity
from assets.services.lookup import beware
from assets.services.pages import BadCursor, page, total
from assets.services.search import ALL as EVERY
from assets.services.search import IN_USE, RETIRED, Wanted, rows
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action
from cqops.platform.exports import csv_response

PAGE = 50
BY = "symbol"
SEVERITIES = [(one.name.lower(), one.label) for one in reversed(Severity)]
COLUMNS = [
    *("id", "symbol", "name", "kind", "category", "precision", "worst_flag"),
    *("retired_at_utc", "retired_reason"),
]


@require_GET
@requires(Action.REGISTRY_VIEW)
def assets(request: DeskRequest) -> HttpResponse:
    wanted = _wanted(request)
    found = rows(wanted, now=timezone.now())
    if request.GET.get("format") == "csv":
        return _export(found)
    try:
        shown = page(found, by=BY, after=request.GET.get("after", ""), limit=PAGE)
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("assets")
    context = {
        "lines": _lines(shown.rows),
        "next_cursor": shown.next,
        "total": total(found, exact=False),
        "wanted": wanted,
        "is_narrow": wanted != Wanted() or "after" in request.GET,
        "severity": request.GET.get("severity", ""),
        "severities": SEVERITIES,
        "kinds": AssetKind.choices,
        "chains": Chain.objects.filter(retired_at=None),
        "checked_at": timezone.now(),
    }
    return render(request, "assets/assets.html", context)


def _wanted(request: DeskRequest) -> Wanted:
    given = request.GET
    severity = given.get("severity", "").upper()
    retired = given.get("retired", "")
    return Wanted(
        text=given.get("q", "").replace("\0", "").strip(),
        kind=given.get("kind", "").replace("\0", ""),
        chain=given.get("chain", "").replace("\0", ""),
        severity=Severity[severity] if severity in Severity.__members__ else 0,
        retired=retired if retired in {RETIRED, EVERY} else IN_USE,
    )


def _lines(assets: list[Asset]) -> list[dict[str, Any]]:
    """Set beside each asset what stands against it, where it lives, and whom it may be taken for."""
    now = timezone.now()
    flags: dict[UUID, list[QualityFlag]] = defaultdict(list)
    for flag in QualityFlag.objects.standing(now=now).filter(asset__in=assets):
        flags[flag.asset_id].append(flag)
    homes: dict[UUID, set[str]] = defaultdict(set)
    there = Deployment.objects.at(as_of=now, known_at=now).filter(asset__in=assets)
    for asset_id, chain in there.values_list("asset", "chain__name"):
        homes[asset_id].add(chain)
    others = beware(assets)
    return [
        {
            "asset": one,
            "flags": flags[one.pk],
            "chains": sorted(homes[one.pk]),
            "beware": others[one.pk],
        }
        for one in assets
    ]


def _export(found: QuerySet[Asset]) -> HttpResponse:
    standing = QualityFlag.objects.standing(now=timezone.now()).filter(asset=OuterRef("pk"))
    worst = standing.order_by().values("asset").annotate(worst=Max("severity")).values("worst")
    listed = found.annotate(worst=Subquery(worst, output_field=IntegerField()))
    lines: Iterable[list[object]] = (
        [
            row.pk,
            row.symbol,
            row.name,
            row.kind,
            row.category,
            row.precision,
            Severity(row.worst).label.lower() if row.worst else "",
            row.retired_at,
            row.retired_reason,
        ]
        for row in listed.order_by(BY, "pk").iterator()
    )
    return csv_response("assets", COLUMNS, lines)
