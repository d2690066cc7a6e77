"""The engine's door: accounts, orders, cancels, books, and the passing of time.

Each public method ends in one commit to the journal before it returns: what a caller was told is
on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from venues.interface.types import BookSide, OrderType
from venues.simulator.intake import check
from venues.simulator.settlement import News
from venues.simulator.terms import (
    CancelRefusal,
    Instruction,
    LevelNow,
    Refusal,
    Refused,
    SimOrder,
    State,
)
from venues.simulator.working import Working


class Exchange(Working):
    """One venue's accounts and markets."""

    def open_account(self, account: str, balances: Mapping[str, Decimal]) -> None:
        """Give a new account its first money; one that is known keeps what it has."""
        if account in self.ledger.wallets:
            return
        for currency, amount in balances.items():
            self.ledger.deposit(account, currency, amount)
        self._commit()

    def place(self, account: str, instruction: Instruction) -> SimOrder:
        """Take an order, or return the first one under a client id that is used."""
        first = self._by_client_id.get((account, instruction.client_order_id))
        if first is not None:
            self._commit()
            return first
        if self.is_halted:
            raise Refused(Refusal.HALTED)
        product = self.products.get(instruction.symbol)
        if product is None:
            raise Refused(Refusal.UNKNOWN_PRODUCT)
        market = self.markets[product.market]
        check(instruction, product, last=market.last_price, now=self._now())
        order = SimOrder(
            order_id=self._new_id(),
            account=account,
            instruction=instruction,
            sequence=self._next(),
            created_at=self._now(),
            is_triggered=instruction.order_type not in {OrderType.STOP_LIMIT, OrderType.BRACKET},
            stop_leg_price=self._stop_leg_price(instruction, product),
        )
        self._accept(order, product)
        self._commit()
        return order

    def cancel(self, account: str, order_id: str) -> CancelRefusal | None:
        order = self.orders.get(order_id)
        if order is None or order.account != account:
            return CancelRefusal.UNKNOWN
        if order.state is State.FILLED:
            return CancelRefusal.FILLED
        if not order.is_open:
            return CancelRefusal.DONE
        is_resting = self._book_of(order).is_resting(order)
        if is_resting and self.trouble.fills_during_cancel(order.instruction.symbol):
            self._fill_where_it_rests(order)
        else:
            self._finish(order, State.CANCELLED, "user requested cancel")
        self._commit()
        return None

    def book(self, market: str) -> tuple[list[LevelNow], list[LevelNow]]:
        """Return the whole book as everybody sees it, best first."""
        shown = self._books[market]
        bids, asks = (
            [shown.level(side, ticks) for ticks in shown.prices(side)]
            for side in (BookSide.BID, BookSide.ASK)
        )
        return bids, asks

    def drain_levels(self, market: str) -> list[LevelNow]:
        """Return the levels that changed since this was last asked."""
        street = self.markets[market]
        changed, street.changed = street.changed, set()
        shown = self._books[market]
        return [shown.level(side, ticks) for side, ticks in sorted(changed)]

    def drain_news(self) -> News:
        news, self.news = self.news, News()
        return news

    def step(self) -> None:
        """Let the street move: it may fill, trigger or run past what rests."""
        for name, street in self.markets.items():
            for side, quantity in street.step():
                self._street_order(name, side, quantity)
            self._after_move(name)
        self._run_slices()
        self._expire()
        self._commit()

    def jump(self, market: str, price: Decimal) -> None:
        """Put a market elsewhere at once, with all that follows for what rests there."""
        self.markets[market].move_to(price)
        self._after_move(market)
        self._commit()

    def open_orders(self, account: str) -> list[SimOrder]:
        return [order for order in self._open.values() if order.account == account]

    def close(self) -> None:
        self._store.close()

    def mark(self) -> None:
        """Write down where the markets are, so that a restart goes on from there."""
        marks = [(name, street.last_price) for name, street in self.markets.items()]
        self._store.save(ledger=self.ledger, orders=(), fills=(), marks=marks)
