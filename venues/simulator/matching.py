"""How orders meet: the sweep of an incoming order, and what the street does to resting ones.

The book everybody sees is the street's levels with the clients' resting orders on top. An account
never trades with itself: its older resting order is cancelled instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from venues.interface.types import BookSide, OrderType, Side, TimeInForce
from venues.simulator.settlement import Settlement
from venues.simulator.terms import ZERO, Product, PublicTrade, Refusal, Refused, SimOrder, State


@dataclass(frozen=True, slots=True)
class Match:
    """One piece of a sweep: against a client's order, or against the street."""

    ticks: int
    quantity: Decimal
    resting: SimOrder | None


class Matching(Settlement):
    """What happens when an order and a book meet."""

    # Taking an order

    def _accept(self, order: SimOrder, product: Product) -> None:
        asked = order.instruction
        matches = self._sweep(order, product) if order.is_working else []
        if asked.post_only and (matches or self._own_crossed(order, product, ())):
            raise Refused(Refusal.POST_ONLY_WOULD_CROSS)
        if asked.order_type is OrderType.MARKET and not matches:
            raise Refused(Refusal.NO_LIQUIDITY)
        if asked.time_in_force is TimeInForce.FOK and (
            sum(match.quantity for match in matches) != asked.quantity
        ):
            matches = []
        order.held = self._needed(order, product, matches)
        self.ledger.hold(order.account, self._hold_currency(order, product), order.held)
        self.orders[order.order_id] = order
        self._by_client_id[order.account, asked.client_order_id] = order
        self._open[order.order_id] = order
        self._touch(order)
        if order.is_working:
            self._execute(order, matches, product)

    def _execute(self, order: SimOrder, matches: Sequence[Match], product: Product) -> None:
        if matches or order.instruction.time_in_force is not TimeInForce.FOK:
            for own in self._own_crossed(order, product, matches):
                self._finish(own, State.CANCELLED, "self trade prevention")
        for match in self._in_pieces(order, matches, product):
            self._trade(order, match, product)
        if not order.is_open:
            return
        if order.instruction.notional is not None and matches:
            is_spent = self._affordable(order, product, matches[-1].ticks) < product.quantity_step
            self._finish(order, State.FILLED if is_spent else State.CANCELLED, "")
        elif order.instruction.order_type is OrderType.MARKET or (
            order.instruction.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
        ):
            self._finish(order, State.CANCELLED, "not filled at once")
        else:
            self._step_back(product.market, order)
            self._book_of(order).show(order)

    def _in_pieces(
        self, order: SimOrder, matches: Sequence[Match], product: Product
    ) -> Sequence[Match]:
        """Under that trouble, give what can rest a part now, and anything else several fills."""
        if not matches or not self.trouble.fills_in_pieces(product.symbol):
            return matches
        step = product.quantity_step
        rests = order.instruction.order_type is not OrderType.MARKET and (
            order.instruction.time_in_force in {TimeInForce.GTC, TimeInForce.GTD}
        )
        if not rests or any(match.resting is not None for match in matches):
            return [piece for match in matches for piece in _thirds(match, step)]
        first = matches[0]
        return [Match(first.ticks, min(first.quantity, _piece(order, step)), None)]

    def _step_back(self, market: str, order: SimOrder) -> None:
        """Let the street withdraw what still faces an order that was filled in part only."""
        street = self.markets[market]
        side = BookSide.ASK if order.is_buy else BookSide.BID
        if any(self._accepts(order, street.price(ticks)) for ticks in street.side(side)):
            street.withdraw(side, street.ticks(order.limit_price))

    def _sweep(self, order: SimOrder, product: Product, most: Decimal | None = None) -> list[Match]:
        """Plan what an incoming order meets, best price first."""
        side = BookSide.ASK if order.is_buy else BookSide.BID
        street = self.markets[product.market]
        left = order.remaining if most is None else most
        budget = order.instruction.notional
        matches: list[Match] = []
        for ticks in self._books[product.market].prices(side):
            price = street.price(ticks)
            if not self._accepts(order, price):
                break
            for resting, size in self._books[product.market].at(side, ticks, without=order.account):
                if budget is not None:
                    left = _floor(budget / (price * (1 + self.fees.taker)), product.quantity_step)
                quantity = min(left, size)
                if quantity <= 0:
                    return matches
                matches.append(Match(ticks, quantity, resting))
                left -= quantity
                if budget is not None:
                    budget -= quantity * price * (1 + self.fees.taker)
        return matches

    @staticmethod
    def _accepts(order: SimOrder, price: Decimal) -> bool:
        if order.instruction.limit_price is None:
            return True
        limit = order.limit_price
        return price <= limit if order.is_buy else price >= limit

    def _own_crossed(
        self, order: SimOrder, product: Product, matches: Sequence[Match]
    ) -> list[SimOrder]:
        """Find the account's own resting orders an incoming one would have traded with.

        An order that is filled before it gets there leaves them alone.
        """
        side = BookSide.ASK if order.is_buy else BookSide.BID
        sign = 1 if order.is_buy else -1
        matched = sum((match.quantity for match in matches), ZERO)
        is_filled = bool(matches) and (
            order.instruction.notional is not None or matched == order.remaining
        )
        return [
            own
            for ticks, queue in self._books[product.market].queues(side).items()
            if not is_filled or sign * ticks < sign * matches[-1].ticks
            for own in queue
            if own.account == order.account and self._accepts(order, own.limit_price)
        ]

    def _affordable(self, order: SimOrder, product: Product, ticks: int) -> Decimal:
        price = self.markets[product.market].price(ticks)
        return _floor(order.held / (price * (1 + self.fees.taker)), product.quantity_step)

    def _needed(self, order: SimOrder, product: Product, matches: Sequence[Match]) -> Decimal:
        """Say how much an order must hold before it begins."""
        asked = order.instruction
        if asked.notional is not None:
            return asked.notional
        if asked.limit_price is not None or not order.is_buy:
            return self._limit_hold(order)
        street = self.markets[product.market]
        rate = 1 + self.fees.taker
        return sum((match.quantity * street.price(match.ticks) * rate for match in matches), ZERO)

    # Meeting

    def _trade(self, order: SimOrder, match: Match, product: Product) -> None:
        """Let an incoming order and what it meets trade, at the price of what was there."""
        side = BookSide.ASK if order.is_buy else BookSide.BID
        trade_id = self._print(product.market, match.ticks, match.quantity, side)
        price = self.markets[product.market].price(match.ticks)
        self._take(product.market, side, match, trade_id)
        self._fill(order, trade_id, price, match.quantity)

    def _take(self, market: str, side: BookSide, match: Match, trade_id: str) -> None:
        """Take one piece out of the book, from the client or the street that offered it."""
        street = self.markets[market]
        if match.resting is None:
            street.take(side, match.ticks, match.quantity)
        else:
            street.changed.add((side, match.ticks))
            self._fill(match.resting, trade_id, street.price(match.ticks), match.quantity)

    def _print(self, market: str, ticks: int, quantity: Decimal, maker: BookSide) -> str:
        street = self.markets[market]
        street.last = ticks
        self._trade_numbers[market] += 1
        trade = PublicTrade(
            trade_id=str(self._trade_numbers[market]),
            market=market,
            price=street.price(ticks),
            quantity=quantity,
            maker_side=Side.BUY if maker is BookSide.BID else Side.SELL,
            at=self._now(),
        )
        self.news.trades.append(trade)
        return trade.trade_id

    def _street_order(self, market: str, side: Side, quantity: Decimal) -> None:
        """Let the street hit the best price there is."""
        book_side = BookSide.ASK if side is Side.BUY else BookSide.BID
        levels = self._books[market].prices(book_side)
        left = quantity
        for resting, size in list(self._books[market].at(book_side, levels[0])) if levels else []:
            if left <= 0:
                return
            match = Match(levels[0], min(left, size), resting)
            trade_id = self._print(market, match.ticks, match.quantity, book_side)
            self._take(market, book_side, match, trade_id)
            left -= match.quantity

    def _after_move(self, market: str) -> None:
        self._street_crosses(market)
        self._trigger(market)

    def _street_crosses(self, market: str) -> None:
        """Fill what rests where the street has come to, at the client's price."""
        street = self.markets[market]
        for side, other, sign in (
            (BookSide.BID, BookSide.ASK, 1),
            (BookSide.ASK, BookSide.BID, -1),
        ):
            queues = self._books[market].queues(side)
            for ticks in sorted(queues, key=lambda ticks: -sign * ticks):
                for order in list(queues[ticks]):
                    facing = street.side(other)
                    piece = self._most_at_once(order)
                    while order.is_open and facing:
                        best = min(facing, key=lambda ticks: sign * ticks)
                        if sign * best > sign * ticks:
                            break
                        quantity = min(order.remaining, street.quantity(facing[best]), piece)
                        street.take(other, best, quantity)
                        street.changed.add((side, ticks))
                        trade_id = self._print(market, ticks, quantity, side)
                        self._fill(order, trade_id, street.price(ticks), quantity)
                        piece -= quantity
                        if not piece and order.is_open:
                            self._step_back(market, order)

    def _most_at_once(self, order: SimOrder) -> Decimal:
        """Say how much of a resting order the street takes in one move."""
        if not self.trouble.fills_in_pieces(order.instruction.symbol):
            return order.remaining
        return _piece(order, self._product(order).quantity_step)

    def _fill_where_it_rests(self, order: SimOrder) -> None:
        """Fill all that is left of a resting order at its own price."""
        market = self._product(order).market
        street = self.markets[market]
        side = BookSide.BID if order.is_buy else BookSide.ASK
        ticks = street.ticks(order.limit_price)
        trade_id = self._print(market, ticks, order.remaining, side)
        self._fill(order, trade_id, order.limit_price, order.remaining)

    def _trigger(self, market: str) -> None:
        """Wake the stop orders the last trade has reached."""
        last = self.markets[market].last_price
        for order in list(self._open.values()):
            stop = order.instruction.stop_price
            product = self._product(order)
            if order.is_triggered or stop is None or product.market != market:
                continue
            if (last >= stop) if order.is_buy else (last <= stop):
                self._book_of(order).hide(order)
                order.is_triggered = True
                self._touch(order)
                self._execute(order, self._sweep(order, product), product)


def _floor(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_DOWN) * step


def _piece(order: SimOrder, step: Decimal) -> Decimal:
    """Say how much an order gets at once when it fills in pieces: about a quarter of it."""
    return max(step, _floor((order.instruction.quantity or ZERO) / 4, step))


def _thirds(match: Match, step: Decimal) -> list[Match]:
    third = _floor(match.quantity / 3, step)
    if not third:
        return [match]
    sizes = (third, third, match.quantity - 2 * third)
    return [Match(match.ticks, size, match.resting) for size in sizes]
