"""What the desk's collectors hear about orders and executions."""

from __future__ import annotations

from django.db.models import Count
from prometheus_client import Counter

from cqops.platform.telemetry.metrics import Reading
from trading.models import Order
from trading.states import DONE, State

ORDER_MOVES = Counter("cqops_order_moves", "Steps of orders, by the state they led to.", ["state"])
EXECUTIONS = Counter("cqops_executions_booked", "Executions booked, by account.", ["account"])


def open_orders() -> list[Reading]:
    """Count the orders that are not over, by state; a state without any says zero."""
    counted = dict(
        Order.objects.exclude(state__in=DONE)
        .values_list("state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return [
        Reading(
            name="cqops_orders_open",
            what="Orders that are not over, by state.",
            labels={"state": state.value},
            value=counted.get(state.value, 0),
        )
        for state in State
        if state not in DONE
    ]
