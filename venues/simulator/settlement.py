"""What a fill does: the money it moves, the hold it lowers, the order it ends, the journal.

Every fill settles between the client and the house, so two clients who meet each settle their own
leg.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from venues.simulator.market import SyntheticMarket
from venues.simulator.shown import ShownBook
from venues.simulator.store import Store
from venues.simulator.terms import (
    ZERO,
    FeeRates,
    Product,
    PublicTrade,
    SimFill,
    SimOrder,
    State,
)


@dataclass(slots=True)
class News:
    """What happened since somebody last asked."""

    orders: dict[str, SimOrder] = field(default_factory=dict)
    trades: list[PublicTrade] = field(default_factory=list)


def seeded_ids(*parts: object) -> Callable[[], str]:
    """Make ids that are the same for the same parts; a start's time among them keeps them unique."""
    source = random.Random(":".join(map(str, parts)))  # noqa: S311 - ids, no secrets
    return lambda: str(uuid.UUID(int=source.getrandbits(128), version=4))


class Trouble(Protocol):
    """What an exchange may be told to do badly."""

    def fills_in_pieces(self, symbol: str) -> bool: ...

    def fills_during_cancel(self, symbol: str) -> bool: ...


class NoTrouble:
    def fills_in_pieces(self, symbol: str) -> bool:  # noqa: ARG002
        return False

    def fills_during_cancel(self, symbol: str) -> bool:  # noqa: ARG002
        return False


class Settlement:
    """Accounts, markets and open orders, and what the end of a trade leaves behind."""

    def __init__(
        self,
        *,
        products: Iterable[Product],
        markets: Mapping[str, SyntheticMarket],
        fees: FeeRates,
        store: Store,
        now: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.products = {product.symbol: product for product in products}
        self.markets = dict(markets)
        self.fees = fees
        self.is_halted = False
        self.trouble: Trouble = NoTrouble()
        self._store = store
        self._now = now
        self._new_id = new_id
        journal = store.load()
        self.ledger = journal.ledger
        self.orders = {order.order_id: order for order in journal.orders}
        self.fills = journal.fills
        self._by_client_id = {
            (order.account, order.instruction.client_order_id): order for order in journal.orders
        }
        self._open = {order.order_id: order for order in journal.orders if order.is_open}
        self._sequence = max(
            [order.sequence for order in journal.orders] + [fill.sequence for fill in self.fills],
            default=0,
        )
        # Each market counts its own trades, from a number no earlier run has reached.
        self._trade_numbers = dict.fromkeys(self.markets, int(now().timestamp() * 1000))
        self._books = {name: ShownBook(street) for name, street in self.markets.items()}
        self._is_broken = False
        self._touched: dict[str, SimOrder] = {}
        self._new_fills: list[SimFill] = []
        self.news = News()
        for order in self._open.values():
            if order.is_working:
                self._book_of(order).show(order)

    def _limit_hold(self, order: SimOrder) -> Decimal:
        """Say what a limit order must hold: what is left of it, and the larger fee on that."""
        if not order.is_buy:
            return order.remaining
        return order.remaining * order.worst_price * (1 + self.fees.taker)

    @staticmethod
    def _hold_currency(order: SimOrder, product: Product) -> str:
        return product.quote if order.is_buy else product.base

    def _fill(self, order: SimOrder, trade_id: str, price: Decimal, quantity: Decimal) -> None:
        """Book one execution of one order, as maker when it rests and as taker otherwise."""
        product = self._product(order)
        is_maker = self._book_of(order).is_resting(order)
        value = price * quantity
        fee = value * (self.fees.maker if is_maker else self.fees.taker)
        paid = value + fee if order.is_buy else quantity
        self.ledger.pay_from_hold(order.account, self._hold_currency(order, product), paid)
        if order.is_buy:
            self.ledger.receive(order.account, product.base, quantity)
        else:
            self.ledger.receive(order.account, product.quote, value - fee)
        order.held -= paid
        order.filled_quantity += quantity
        order.filled_value += value
        order.fees += fee
        order.fill_count += 1
        order.last_fill_at = self._now()
        fill = SimFill(
            fill_id=self._new_id(),
            trade_id=trade_id,
            sequence=self._next(),
            order_id=order.order_id,
            account=order.account,
            symbol=product.symbol,
            side=order.instruction.side,
            price=price,
            quantity=quantity,
            fee=fee,
            is_maker=is_maker,
            at=order.last_fill_at,
        )
        self.fills.append(fill)
        self._new_fills.append(fill)
        self._touch(order)
        if order.instruction.quantity is not None and order.remaining == 0:
            self._finish(order, State.FILLED, "")
        elif order.is_buy and order.instruction.limit_price is not None:
            self._lower_hold(order, self._limit_hold(order), product)

    def _lower_hold(self, order: SimOrder, needed: Decimal, product: Product) -> None:
        currency = self._hold_currency(order, product)
        self.ledger.release(order.account, currency, order.held - needed)
        order.held = needed

    def _finish(self, order: SimOrder, state: State, reason: str) -> None:
        """End an order and give back what was still held for it."""
        product = self._product(order)
        self._book_of(order).hide(order)
        self._lower_hold(order, ZERO, product)
        order.state = state
        order.reason = reason
        self._open.pop(order.order_id, None)
        self._touch(order)

    def _book_of(self, order: SimOrder) -> ShownBook:
        return self._books[self._product(order).market]

    def _product(self, order: SimOrder) -> Product:
        return self.products[order.instruction.symbol]

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _touch(self, order: SimOrder) -> None:
        self._touched[order.order_id] = order

    def _commit(self) -> None:
        """Write everything that changed in one transaction, then let it be known."""
        if self._is_broken:
            message = "the journal failed before: start again from what it holds"
            raise RuntimeError(message)
        if self._touched or self._new_fills or self.ledger.dirty:
            # What is in memory and not on disk must never be told, now or by a later call.
            self._is_broken = True
            self._store.save(
                ledger=self.ledger, orders=self._touched.values(), fills=self._new_fills
            )
            self._is_broken = False
        self.news.orders.update(self._touched)
        self._touched.clear()
        self._new_fills.clear()
