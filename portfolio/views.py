from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cqops.platform.access.doors import requires
from cqops.platform.access.policy import Action
from cqops.platform.access.rows import allowed_rows, eligible_rows
from cqops.platform.exports import csv_response
from portfolio.models import Position
from portfolio.services.valuation import Valued, value_all
from trading.models import Portfolio


@requires(Action.POSITION_VIEW)
def positions(request: HttpRequest) -> HttpResponse:
    rows = _rows(request)
    if request.GET.get("format") == "csv":
        return _export(rows)
    return render(request, "portfolio/positions.html", _context(request, rows))


@requires(Action.POSITION_VIEW)
def positions_table(request: HttpRequest) -> HttpResponse:
    return render(request, "portfolio/_positions_table.html", _context(request, _rows(request)))


def _rows(request: HttpRequest) -> list[Valued]:
    found = allowed_rows(request.user, Action.POSITION_VIEW, Position.objects.with_names())
    if portfolio := request.GET.get("portfolio"):
        found = found.filter(portfolio__name=portfolio)
    return value_all(list(found), now=timezone.now())


def _context(request: HttpRequest, rows: list[Valued]) -> dict[str, Any]:
    return {
        "rows": rows,
        "portfolios": eligible_rows(request.user, Action.POSITION_VIEW, Portfolio.objects.all()),
        "chosen": request.GET.get("portfolio", ""),
        "checked_at": timezone.now(),
    }


def _export(rows: list[Valued]) -> HttpResponse:
    header = [
        "portfolio",
        "venue",
        "account",
        "asset",
        "quote",
        "quantity",
        "average_price",
        "mark",
        "value",
        "unrealised",
        "realised",
        "fees",
        "executions",
        "updated_at_utc",
    ]
    lines = (
        [
            row.position.portfolio.name,
            row.position.account.venue.slug,
            row.position.account.name,
            row.position.asset.symbol,
            row.position.quote.symbol,
            row.position.quantity,
            row.position.average_price,
            row.mark,
            row.value,
            row.unrealised,
            row.position.realised,
            row.position.fees,
            row.position.executions,
            row.position.updated_at,
        ]
        for row in rows
    )
    return csv_response("positions", header, lines)
