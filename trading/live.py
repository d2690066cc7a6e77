"""What open pages hear about orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqops.platform.access.policy import Action
from cqops.platform.live.channels import Channel, Keep, no_snapshot
from cqops.platform.live.publish import publish_on_commit

if TYPE_CHECKING:
    from trading.models import Order

orders_channel = Channel(action=Action.ORDER_VIEW, keep=Keep.ALL, snapshot=no_snapshot)


def order_changed(order: Order) -> None:
    publish_on_commit(
        "orders",
        {"order_id": order.pk, "version": order.version, "state": order.state},
        about=order,
    )
