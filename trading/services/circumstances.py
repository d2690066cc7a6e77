"""What the checks look at beside the ticket: read once, so that all of them see the same.

When an order is placed nothing is locked, for what was seen may change before it is sent. In the
transaction that claims it everything is read again, and held where another claim could change it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from assets.services.obstacles import Obstacle, obstacles
from trading.models import Portfolio
from trading.services import switches
from trading.services.checks import Circumstances, Ticket
from trading.services.holdings import held, on_the_way
from trading.services.worth import Worth, counted_price, worth
from trading.states import AT_THE_VENUE, UNPROVEN, State
from venues.services.books import Touch, read_touch
from venues.services.powers import objection_to_trading

# What counts as on its way out: at the placing also what is queued before it, at the send only what
# left, because each queued one is looked at again at its own send.
_SENT = AT_THE_VENUE | UNPROVEN
_SENT_OR_QUEUED = _SENT | {State.QUEUED}


def at_the_placing(ticket: Ticket, *, now: datetime) -> Circumstances:
    touch = read_touch(ticket.symbol, now=now)
    return Circumstances(
        now=now,
        touch=touch,
        worth=_worth(ticket, touch, now=now),
        on_the_way=_on_the_way(ticket, _SENT_OR_QUEUED),
        held=_held(ticket),
        switch=_switch(ticket),
        key=objection_to_trading(ticket.account),
        obstacles=_obstacles(ticket, now=now),
    )


def at_the_send(ticket: Ticket, *, order_id: UUID, now: datetime) -> Circumstances:
    """Read it all again for an order whose row is locked.

    Claims of one portfolio come one after another, so that two of them never count the same holding.
    """
    touch = read_touch(ticket.symbol, now=now)
    value = _worth(ticket, touch, now=now)
    Portfolio.objects.select_for_update(no_key=True).get(pk=ticket.portfolio.pk)
    switch = _switch(ticket, lock=True)
    return Circumstances(
        now=now,
        touch=touch,
        worth=value,
        # In this order: a fill between the two questions then makes the way out narrower, never wider.
        on_the_way=_on_the_way(ticket, _SENT, besides=order_id),
        held=_held(ticket),
        switch=switch,
        key=objection_to_trading(ticket.account),
        obstacles=_obstacles(ticket, now=now),
        was_placed=True,
    )


def _worth(ticket: Ticket, touch: Touch, *, now: datetime) -> Worth:
    price = counted_price(side=ticket.side, limit_price=ticket.limit_price, touch=touch)
    return worth(quantity=ticket.quantity, price=price, quote=ticket.symbol.quote, now=now)


def _held(ticket: Ticket) -> Decimal:
    return held(portfolio=ticket.portfolio, account=ticket.account, symbol=ticket.symbol)


def _obstacles(ticket: Ticket, *, now: datetime) -> tuple[Obstacle, ...]:
    return obstacles({ticket.symbol.base_id, ticket.symbol.quote_id}, now=now)


def _on_the_way(
    ticket: Ticket, states: frozenset[State], *, besides: UUID | None = None
) -> Decimal:
    return on_the_way(
        portfolio=ticket.portfolio,
        account=ticket.account,
        symbol=ticket.symbol,
        side=ticket.side,
        states=states,
        besides=besides,
    )


def _switch(ticket: Ticket, *, lock: bool = False) -> switches.Position:
    return switches.in_force(
        account=ticket.account,
        asset=ticket.symbol.base,
        consumer_id=ticket.consumer_id,
        lock=lock,
    )
