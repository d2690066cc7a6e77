"""What was on the wire about one order, for those who have to prove what happened."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action
from cqops.platform.access.rows import allowed_rows
from cqops.platform.exports import csv_response
from trading.models import Order
from trading.services.blotter import visible
from trading.states import DONE
from venues.models import RawFrame
from venues.services.frames import of_order, page, window_of

NUMBER = re.compile(r"[0-9]{1,8}")
COLUMNS = [
    *("at_utc", "direction", "kind", "operation", "line", "status", "bytes", "text", "reference"),
    *("process", "is_public"),
]


@require_GET
@requires(Action.WIRE_VIEW)
def wire(request: DeskRequest, order_id: UUID) -> HttpResponse:
    mine = allowed_rows(request.user, Action.WIRE_VIEW, visible(request.user))
    order = get_object_or_404(mine, pk=order_id)
    with_market = bool(request.GET.get("market"))
    frames = frames_of(order, with_market=with_market)
    if request.GET.get("format") == "csv":
        return _export(order, frames)
    asked = request.GET.get("after", "")
    after = int(asked) if NUMBER.fullmatch(asked) else 0
    shown, following = page(frames, after=after)
    context = {
        "order": order,
        "frames": shown,
        "after": after,
        "next": following,
        "with_market": with_market,
        "window": window_of(order.client_order_id),
        "checked_at": timezone.now(),
    }
    return render(request, "trading/wire.html", context)


def frames_of(order: Order, *, with_market: bool) -> QuerySet[RawFrame]:
    """Look from where it was placed to where it ended; an order that goes on, up to now."""
    return of_order(
        venue=order.symbol.venue.slug,
        account=order.account_id,
        names=[order.client_order_id, order.venue_order_id],
        since=order.placed_at,
        until=order.updated_at if order.state in DONE else timezone.now(),
        with_market=with_market,
    )


def _export(order: Order, frames: QuerySet[RawFrame]) -> HttpResponse:
    lines = (
        [
            *(row.at, row.direction, row.kind, row.operation, row.line, row.status, row.size),
            *(row.text, row.reference, row.process, row.is_public),
        ]
        for row in frames.iterator()
    )
    return csv_response(f"wire-{order.pk}", COLUMNS, lines)
