"""One order, one trace: whoever works on an order goes on where its ticket was placed.

The place is kept in the order's row, so a worker, a sweep, a look-up and the reports find it whoever
woke them. So does the decision behind it, where it needed a second person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

from cqops.platform.telemetry.trace import deciding, following
from trading.models import Order


@contextmanager
def working_on(order: Order) -> Iterator[None]:
    """Do a block in this order's trace, and under the decision that let it go."""
    with ExitStack() as stack:
        stack.enter_context(following(order.traceparent))
        if order.approval_id is not None:
            stack.enter_context(deciding(str(order.approval_id)))
        yield


def to_work_on(order_id: UUID | str) -> Order:
    """Read no more of an order than is needed to go on in its trace."""
    return Order.objects.only("traceparent", "approval_id").get(pk=order_id)
