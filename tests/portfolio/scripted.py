"""An account at a real simulator, reached by the real adapter, where the venue does as the test says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from cqops.platform.access.policy import Role
from portfolio.models import Break, Reconciliation
from portfolio.services.reconciliation import run_reconciliation
from tests import cast
from trading.models import Order
from trading.services.executions import hear, record
from trading.states import State
from venues.interface.types import OrderQuery, OrderRef, OrderRequest, OrderType, Side
from venues.models import Account
from venues.services.clients import call
from venues.simulator.app import Simulator
from venues.simulator.faults import Fault, Kind

D = Decimal


def at_once(_seconds: float) -> None:
    """Do not wait between the two looks."""


@dataclass
class Desk:
    """An account at a simulated venue that ticks only when told to."""

    app: Simulator
    account: Account

    def trade(self, number: int = 1, *, quantity: str = "0.05", price: str = "") -> Order:
        """Send an order the way a worker would, and take in what the venue says of it at once."""
        trader = cast.person(Role.TRADER)
        order = Order.objects.create(
            account=self.account,
            portfolio=cast.portfolio(),
            symbol=cast.symbol("ETH-USD"),
            client_order_id=f"client-order-{number}",
            side=Side.BUY,
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force="gtc" if price else "ioc",
            quantity=D(quantity),
            limit_price=D(price) if price else None,
            state=State.SENDING,
            placed_by=trader,
            placed_at=timezone.now(),
            send_before=timezone.now(),
        )
        request = OrderRequest(
            client_order_id=order.client_order_id,
            symbol="ETH-USD",
            side=Side.BUY,
            order_type=OrderType(order.order_type),
            quantity=order.quantity,
            limit_price=order.limit_price,
        )
        placed = call(self.account, lambda client: client.place_order(request))
        hear(account=self.account, heard_order=placed, by="test", order_id=order.pk)
        order.refresh_from_db()
        self.hear_of(order)
        return order

    def hear_of(self, order: Order) -> None:
        """Do what the reports process does: its fills first, then its state."""
        query = OrderQuery(venue_order_id=order.venue_order_id)
        page: Any = call(self.account, lambda client: client.get_fills(query))  # type: ignore[attr-defined]
        record(account=self.account, fills=page.items, by="test")
        ref = OrderRef(
            symbol="ETH-USD",
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
        )
        heard = call(self.account, lambda client: client.get_order(ref))
        hear(account=self.account, heard_order=heard, by="test")
        order.refresh_from_db()

    def fail(self, kind: Kind, **terms: Any) -> None:
        self.app.faults.add(Fault(kind=kind, **terms))

    def run(self, **terms: Any) -> Reconciliation:
        return run_reconciliation(account=self.account, wait=at_once, **terms)

    def found(self) -> dict[str, Break]:
        return {row.key: row for row in Break.objects.filter(account=self.account)}
