from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import eligible_rows
from cqops.platform.exports import csv_response
from trading.forms import TicketForm, new_client_order_id
from trading.models import Order, Portfolio
from trading.services.blotter import BadCursor, Filter, page, rows, visible
from trading.services.cancels import TooLate, request_cancel
from trading.services.checks import blocked, needing_approval
from trading.services.tickets import Conflict, place, preview
from trading.states import State
from venues.models import Venue, VenueSymbol
from venues.services.books import read_book, touch_of

PREFILLED = (
    *("symbol", "side", "order_type", "quantity", "limit_price", "portfolio", "account", "purpose"),
)


@requires(Action.ORDER_PLACE)
def ticket(request: DeskRequest) -> HttpResponse:
    """Show the ticket, or place it and go to its order."""
    if request.method != "POST":
        return _show_ticket(request, TicketForm(user=request.user, initial=_initial(request)))
    form = TicketForm(request.POST, user=request.user)
    if not form.is_valid():
        return _show_ticket(request, form, status=422)
    try:
        order = place(
            ticket=form.ticket(),
            client_order_id=form.cleaned_data["client_order_id"],
            by=request.user,
        )
    except Conflict as error:
        form.add_error(None, f"{error} Reload the page for a new ticket.")
        return _show_ticket(request, form, status=409)
    if order.state == State.REFUSED:
        messages.error(request, f"Refused by our checks, nothing was sent. {order.reason}")
    elif order.state == State.AWAITING_APPROVAL:
        messages.success(request, f"Placed: {order}. It is sent once a second person agrees.")
    else:
        messages.success(request, f"Placed: {order}. It is on its way to the venue.")
    return redirect("order", order_id=order.pk)


def _initial(request: DeskRequest) -> dict[str, Any]:
    initial: dict[str, Any] = {"side": "buy", "order_type": "limit", "time_in_force": "gtc"}
    initial.update({name: request.GET[name] for name in PREFILLED if name in request.GET})
    initial["client_order_id"] = new_client_order_id()
    return initial


def _show_ticket(request: DeskRequest, form: TicketForm, *, status: int = 200) -> HttpResponse:
    chosen = form["symbol"].value()
    symbols = VenueSymbol.objects.current().select_related("venue", "base", "quote")
    symbol = next((row for row in symbols if str(row.pk) == str(chosen)), symbols.first())
    book = read_book(symbol) if symbol else None
    context = {
        "form": form,
        "symbol": symbol,
        "symbols": symbols,
        "book": book,
        "touch": touch_of(book, now=timezone.now()),
    }
    return render(request, "trading/ticket.html", context, status=status)


@require_POST
@requires(Action.ORDER_PLACE)
def ticket_preview(request: DeskRequest) -> HttpResponse:
    """Tell what the checks would say to the ticket as it stands, and in words what would be sent."""
    form = TicketForm(request.POST, user=request.user)
    if not form.is_valid():
        return render(request, "trading/_ticket_preview.html", {"form": form})
    wanted = form.ticket()
    verdicts = preview(wanted)
    context = {
        "form": form,
        "ticket": wanted,
        "verdicts": verdicts,
        "is_blocked": bool(blocked(verdicts)),
        "needs_approval": bool(needing_approval(verdicts)),
    }
    return render(request, "trading/_ticket_preview.html", context)


def _filter(request: DeskRequest) -> Filter:
    asked = request.GET
    return Filter(
        state=asked.get("state", ""),
        side=asked.get("side", ""),
        symbol=asked.get("symbol", ""),
        venue=asked.get("venue", ""),
        portfolio=asked.get("portfolio", ""),
        text=asked.get("q", "").strip(),
        mine=request.user.pk if asked.get("mine") else None,
        before=asked.get("before", ""),
    )


@requires(Action.ORDER_VIEW)
def blotter(request: DeskRequest) -> HttpResponse:
    wanted = _filter(request)
    if request.GET.get("format") == "csv":
        return _export(wanted, by=request.user)
    try:
        orders, following = page(wanted, by=request.user)
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("blotter")
    context = {
        "orders": orders,
        "next_cursor": following,
        "filter": wanted,
        "portfolios": eligible_rows(request.user, Action.ORDER_VIEW, Portfolio.objects.all()),
        "symbols": VenueSymbol.objects.current()
        .order_by("symbol")
        .values_list("symbol", flat=True)
        .distinct(),
        "venues": eligible_rows(request.user, Action.ORDER_VIEW, Venue.objects.all()),
        "states": [(state.value, state.value.replace("_", " ")) for state in State],
        "checked_at": timezone.now(),
    }
    template = "trading/_blotter_table.html" if "table" in request.GET else "trading/blotter.html"
    return render(request, template, context)


@require_GET
@requires(Action.ORDER_VIEW)
def order_row(request: DeskRequest, order_id: UUID) -> HttpResponse:
    """Return one row as the list with this query shows it, or nothing when it does not belong."""
    found = rows(_filter(request), by=request.user).filter(pk=order_id).first()
    if found is None:
        return HttpResponse(status=204)
    return render(request, "trading/_order_row.html", {"order": found})


@requires(Action.ORDER_VIEW)
def order(request: DeskRequest, order_id: UUID) -> HttpResponse:
    found = get_object_or_404(visible(request.user), pk=order_id)
    context = {
        "order": found,
        "moves": found.moves.all(),
        "executions": found.executions.order_by("executed_at"),
        "may_cancel": may(request.user, Action.ORDER_CANCEL, found) and found.can_cancel,
        "may_place": may(request.user, Action.ORDER_PLACE, found),
    }
    template = "trading/_order.html" if "fragment" in request.GET else "trading/order.html"
    return render(request, template, context)


@require_POST
@requires(Action.ORDER_CANCEL)
def cancel(request: DeskRequest, order_id: UUID) -> HttpResponse:
    get_object_or_404(visible(request.user), pk=order_id)
    try:
        found = request_cancel(order_id=order_id, by=request.user)
    except TooLate as error:
        if request.htmx:
            found = Order.objects.with_names().get(pk=order_id)
            context = {"order": found, "problem": str(error)}
            return render(request, "trading/_order_row.html", context)
        messages.error(request, str(error))
        return redirect("order", order_id=order_id)
    if request.htmx:
        return render(request, "trading/_order_row.html", {"order": found})
    messages.success(request, found.sentence)
    return redirect("order", order_id=order_id)


def _export(wanted: Filter, *, by: User) -> HttpResponse:
    header = [
        "placed_at_utc",
        "order_id",
        "client_order_id",
        "venue_order_id",
        "venue",
        "account",
        "portfolio",
        "symbol",
        "side",
        "type",
        "time_in_force",
        "quantity",
        "limit_price",
        "filled_quantity",
        "average_price",
        "state",
        "reason",
        "placed_by",
    ]
    lines = (
        [
            row.placed_at,
            row.pk,
            row.client_order_id,
            row.venue_order_id,
            row.symbol.venue.slug,
            row.account.name,
            row.portfolio.name,
            row.symbol.symbol,
            row.side,
            row.order_type,
            row.time_in_force,
            row.quantity,
            row.limit_price,
            row.filled_quantity,
            row.average_price,
            row.state,
            row.reason,
            row.placed_by.username,
        ]
        for row in rows(wanted, by=by).iterator()
    )
    return csv_response("orders", header, lines)
