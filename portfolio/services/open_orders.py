"""What both sides believe to be working.

Ours are read before and after theirs; an order that was over here before, or is over here after, is no
difference, and one on its way out is none yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from portfolio.reconcile import Record, Working, plain
from portfolio.services.venue_side import read_open_orders, read_order
from trading.models import Order
from trading.services.submission import reference
from trading.states import AT_THE_VENUE, DONE, State
from venues.interface.types import Order as VenueOrder
from venues.interface.types import OrderStatus
from venues.models import Account

BELIEVED_WORKING = AT_THE_VENUE | {State.IN_DOUBT}
WORKS_THERE = frozenset(
    {OrderStatus.PENDING, OrderStatus.ACKNOWLEDGED, OrderStatus.PARTIALLY_FILLED}
)
# Beyond this many the venue is not asked about each; the break then says only that it is not listed.
MOST_LOOKUPS = 50


@dataclass(frozen=True, slots=True)
class Orders:
    ours: list[Working]
    theirs: list[Working]


def read_orders(account: Account, *, bases: Mapping[str, str]) -> Orders:
    """Read ours, theirs, and ours again; keep what stood still here."""
    before = _working(account)
    listed = read_open_orders(account)
    missing = _not_listed(before, listed)
    looked_up = [
        found
        for order in missing[:MOST_LOOKUPS]
        if (found := read_order(account, reference(order))) is not None
    ]
    theirs = [*listed, *looked_up]
    after = {order.pk: order for order in _known(account, before, theirs)}
    stood = [after[key] for key in before if key in after and _is_believed(after[key])]
    over = [order for order in after.values() if State(order.state) in DONE]
    on_its_way = [
        order
        for order in after.values()
        if order.pk not in before and State(order.state) not in DONE
    ]
    moved = [order for key, order in after.items() if key in before and not _is_believed(order)]
    left_out = _ids([*on_its_way, *moved])
    return Orders(
        ours=[
            *(_ours(order, before[order.pk], theirs) for order in stood),
            *(_ours(order, order, theirs) for order in over if order.pk not in before),
        ],
        theirs=[_theirs(one, bases) for one in theirs if not _ids_of(one) & left_out],
    )


def _working(account: Account) -> dict[UUID, Order]:
    rows = Order.objects.filter(account=account, state__in=BELIEVED_WORKING)
    return {row.pk: row for row in rows.select_related("symbol__base")}


def _known(account: Account, before: dict[UUID, Order], theirs: list[VenueOrder]) -> list[Order]:
    """Read again what we believed in, and whatever of ours the venue spoke of."""
    named = Q(venue_order_id__in=[one.venue_order_id for one in theirs if one.venue_order_id])
    named |= Q(client_order_id__in=[one.client_order_id for one in theirs if one.client_order_id])
    rows = Order.objects.filter(account=account).filter(named | Q(pk__in=list(before)))
    return list(rows.select_related("symbol__base"))


def _is_believed(order: Order) -> bool:
    return State(order.state) in BELIEVED_WORKING


def _ids(orders: list[Order]) -> set[str]:
    return {key for one in orders for key in (one.venue_order_id, one.client_order_id) if key}


def _ids_of(order: VenueOrder) -> set[str]:
    return {key for key in (order.venue_order_id, order.client_order_id) if key}


def _not_listed(before: dict[UUID, Order], listed: list[VenueOrder]) -> list[Order]:
    there = {key for one in listed for key in _ids_of(one)}
    return [
        order
        for order in before.values()
        if not {order.venue_order_id, order.client_order_id} & there
    ]


def _ours(order: Order, earlier: Order, theirs: list[VenueOrder]) -> Working:
    """Write our order; a fill that was booked while we read agrees with whichever the venue saw."""
    working = Working(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol.symbol,
        base=order.symbol.base.symbol,
        quantity=order.quantity,
        filled=order.filled_quantity,
        is_open=_is_believed(order),
        record=_our_record(order),
    )
    keys = {order.venue_order_id, order.client_order_id}
    there = next((one for one in theirs if _ids_of(one) & keys), None)
    if there and earlier.filled_quantity <= there.filled_quantity <= order.filled_quantity:
        return replace(working, filled=there.filled_quantity)
    return working


def _our_record(order: Order) -> Record:
    return {
        "Our id": order.client_order_id,
        "Venue's id": order.venue_order_id or "not known",
        "Symbol": order.symbol.symbol,
        "Side": str(order.side),
        "Quantity": plain(order.quantity),
        "Filled": plain(order.filled_quantity),
        "State": State(order.state).value.replace("_", " "),
    }


def _theirs(order: VenueOrder, bases: Mapping[str, str]) -> Working:
    return Working(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        base=bases.get(order.symbol, ""),
        quantity=order.quantity,
        filled=order.filled_quantity,
        is_open=order.status in WORKS_THERE,
        record={
            "Our id": order.client_order_id or "none",
            "Venue's id": order.venue_order_id,
            "Symbol": order.symbol,
            "Side": order.side.value,
            "Quantity": plain(order.quantity or Decimal(0)),
            "Filled": plain(order.filled_quantity),
            "State": order.status.value.replace("_", " "),
        },
    )
