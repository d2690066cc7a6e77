"""What was done at the venue for one account in a span of time: the orders, the cancels, the fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.access.rows import allowed_rows
from trading.models import ExecutionReport, Order
from trading.states import AT_THE_VENUE, UNPROVEN
from venues.interface.numbers import plain
from venues.models import Account
from venues.services.deeds import SHOWN, Deed, Deeds


def deeds(account: Account, since: datetime, until: datetime, by: User) -> Sequence[Deeds]:
    orders = allowed_rows(by, Action.ORDER_VIEW, Order.objects.filter(account=account))
    orders = orders.select_related("symbol", "placed_by")
    sent = orders.filter(sent_at__range=(since, until)).order_by("-sent_at")
    cancels = orders.filter(cancel_sent_at__range=(since, until)).order_by("-cancel_sent_at")
    booked = ExecutionReport.objects.filter(account=account, executed_at__gte=since)
    fills = allowed_rows(by, Action.ORDER_VIEW, booked).order_by("-executed_at")
    ours = fills.filter(order__isnull=False, executed_at__lte=until)
    still_open = orders.filter(state__in=AT_THE_VENUE | UNPROVEN).order_by("-placed_at")
    return [
        _told("Still open at the venue, or in doubt", still_open, lambda order: order.placed_at),
        # Also what came after the key was taken out: whoever has it may have gone on.
        _filled("Executions of orders that this desk did not send", fills.filter(order=None)),
        _told("Orders sent", sent, lambda order: order.sent_at),
        _told("Cancels sent", cancels, lambda order: order.cancel_sent_at),
        _filled("Executions of our orders", ours),
    ]


def _told(title: str, orders: QuerySet[Order], moment: Callable[[Order], datetime | None]) -> Deeds:
    latest = [
        Deed(
            at=moment(order) or order.placed_at,
            words=f"{_instruction(order)}: {order.get_state_display().lower()}",
            who=order.placed_by.name,
            url=reverse("order", args=[order.pk]),
        )
        for order in orders[:SHOWN]
    ]
    return Deeds(title=title, count=orders.count(), latest=latest)


def _instruction(order: Order) -> str:
    price = "at the market" if order.limit_price is None else f"at {plain(order.limit_price)}"
    return f"{order.side.capitalize()} {plain(order.quantity)} {order.symbol.symbol} {price}"


def _filled(title: str, fills: QuerySet[ExecutionReport]) -> Deeds:
    return Deeds(title=title, count=fills.count(), latest=[_fill(one) for one in fills[:SHOWN]])


def _fill(fill: ExecutionReport) -> Deed:
    side = fill.side.capitalize()
    words = f"{side} {plain(fill.quantity)} {fill.symbol_text} at {plain(fill.price)}"
    url = reverse("order", args=[fill.order_id]) if fill.order_id else ""
    return Deed(at=fill.executed_at, words=words, url=url)
