from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.coinbase_advanced.products import FEES, PRODUCTS, STREETS
from venues.simulator.exchange import Exchange
from venues.simulator.market import SyntheticMarket
from venues.simulator.store import Store
from venues.simulator.terms import CancelRefusal, Instruction, Refusal, Refused, SimOrder, State

START = datetime(2026, 1, 1, tzinfo=UTC)
MONEY = {"USD": Decimal(1_000_000), "USDC": Decimal(1_000_000), "BTC": Decimal(10)}
D = Decimal


class World:
    def __init__(self, store: Store | None = None, seed: int = 1) -> None:
        self.now = START
        self.store = store or Store(":memory:")
        ids = itertools.count(1)
        self.exchange = Exchange(
            products=PRODUCTS,
            markets={street.symbol: SyntheticMarket(street, seed) for street in STREETS},
            fees=FEES,
            store=self.store,
            now=lambda: self.now,
            new_id=lambda: f"id-{next(ids)}",
        )
        self.numbers = itertools.count(1)
        for account in ("alice", "bob"):
            self.exchange.open_account(account, MONEY)

    def place(self, account: str = "alice", side: Side = Side.BUY, **terms: object) -> SimOrder:
        terms.setdefault("client_order_id", f"c{next(self.numbers)}")
        terms.setdefault("symbol", "BTC-USD")
        price = terms.get("limit_price")
        terms.setdefault("order_type", OrderType.LIMIT if price else OrderType.MARKET)
        return self.exchange.place(account, Instruction(side=side, **terms))  # type: ignore[arg-type]

    def wallet(self, currency: str, account: str = "alice") -> tuple[Decimal, Decimal]:
        wallet = self.exchange.ledger.wallets[account][currency]
        return wallet.available, wallet.held

    def best(self, side: int) -> Decimal:
        return self.exchange.book("BTC-USD")[side][0].price


@pytest.fixture
def world() -> World:
    return World()


def refusal(world: World, **terms: object) -> Refusal:
    before = world.wallet("USD"), world.wallet("BTC")
    with pytest.raises(Refused) as refused:
        world.place(**terms)  # type: ignore[arg-type]
    assert (world.wallet("USD"), world.wallet("BTC")) == before
    return refused.value.refusal


def test_a_market_order_eats_into_the_book_with_several_fills(world):
    order = world.place(quantity=D(3))

    assert order.state is State.FILLED
    assert order.fill_count > 1
    prices = [fill.price for fill in world.exchange.fills]
    assert prices == sorted(prices)
    assert sum(fill.quantity for fill in world.exchange.fills) == 3
    assert order.fees == order.filled_value * FEES.taker
    assert world.wallet("USD") == (D(1_000_000) - order.filled_value - order.fees, 0)
    assert world.wallet("BTC") == (D(13), 0)
    assert world.exchange.ledger.imbalance() == {}


def test_a_market_order_by_notional_spends_no_more_than_it_names(world):
    order = world.place(notional=D(50_000))

    assert order.state is State.FILLED
    spent = order.filled_value + order.fees
    assert D(49_999) < spent <= D(50_000)
    assert world.wallet("USD") == (D(1_000_000) - spent, 0)


def test_a_market_order_larger_than_the_book_is_filled_in_part_and_ended(world):
    world.exchange.open_account("whale", {"USD": D(10**12)})
    order = world.place("whale", quantity=D(3400))

    assert order.state is State.CANCELLED
    assert 0 < order.filled_quantity < 3400
    assert world.wallet("USD", "whale")[1] == 0


def test_a_resting_order_holds_its_price_and_the_largest_fee(world):
    order = world.place(quantity=D(2), limit_price=D("60000.00"))

    assert order.state is State.OPEN
    assert world.wallet("USD") == (D(1_000_000) - D(2) * 60_000 * D("1.006"), D("120720.000"))
    assert world.exchange.cancel("alice", order.order_id) is None
    assert world.wallet("USD") == (D(1_000_000), 0)


def test_a_resting_order_is_shown_in_everybodys_book(world):
    price = world.best(0) + D("0.01")
    world.exchange.drain_levels("BTC-USD")
    world.place(quantity=D("0.5"), limit_price=price, post_only=True)

    changes = {
        (one.side.value, one.price): one.quantity for one in world.exchange.drain_levels("BTC-USD")
    }
    assert changes == {("bid", price): D("0.5")}
    assert world.best(0) == price


def test_the_street_fills_a_resting_order_as_maker_when_it_comes_by(world):
    order = world.place(quantity=D(2), limit_price=D("60000.00"))
    world.exchange.jump("BTC-USD", D(59_000))

    assert order.state is State.FILLED
    assert order.filled_value == 120_000
    assert order.fees == 480
    assert all(fill.is_maker for fill in world.exchange.fills)
    assert len(world.exchange.fills) > 1, "in parts, as the street's levels come"
    assert world.wallet("USD") == (D(1_000_000) - 120_480, 0)


def test_two_clients_meet_and_each_pays_their_own_fee(world):
    price = world.best(1) - D("0.01")
    resting = world.place("bob", Side.SELL, quantity=D(1), limit_price=price)
    taking = world.place("alice", Side.BUY, quantity=D(1), limit_price=price)

    assert (resting.state, taking.state) == (State.FILLED, State.FILLED)
    assert [fill.is_maker for fill in world.exchange.fills] == [True, False]
    assert world.exchange.fills[0].trade_id == world.exchange.fills[1].trade_id
    assert world.wallet("USD", "bob")[0] == D(1_000_000) + price - price * FEES.maker
    assert world.exchange.ledger.imbalance() == {}


def test_a_client_meets_another_through_the_usdc_name_of_the_same_book(world):
    price = world.best(1) - D("0.01")
    world.place("bob", Side.SELL, quantity=D(1), limit_price=price)
    world.place("alice", symbol="BTC-USDC", quantity=D(1), limit_price=price)

    assert world.wallet("USDC")[0] == D(1_000_000) - price - price * FEES.taker
    assert world.wallet("USD", "bob")[0] > D(1_000_000)
    assert world.exchange.ledger.imbalance() == {}


def test_an_account_never_trades_with_itself(world):
    price = world.best(1) - D("0.01")
    older = world.place(side=Side.SELL, quantity=D(1), limit_price=price)
    newer = world.place(quantity=D("0.1"), limit_price=price)

    assert (older.state, newer.state) == (State.CANCELLED, State.OPEN)
    assert world.exchange.fills == []


def test_a_market_order_leaves_own_orders_it_does_not_reach(world):
    resting = world.place(quantity=D(1), limit_price=D(60_000))
    sold = world.place(side=Side.SELL, quantity=D(1))

    assert (sold.state, resting.state) == (State.FILLED, State.OPEN)


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_be_filled_at_once_ends_unfilled(world, tif):
    order = world.place(quantity=D(1), limit_price=D("60000.00"), time_in_force=tif)

    assert (order.state, order.filled_quantity) == (State.CANCELLED, 0)
    assert world.wallet("USD") == (D(1_000_000), 0)


def test_immediate_or_cancel_takes_what_is_there(world):
    level = world.exchange.book("BTC-USD")[1][0]
    order = world.place(
        quantity=level.quantity + 1, limit_price=level.price, time_in_force=TimeInForce.IOC
    )

    assert (order.state, order.filled_quantity) == (State.CANCELLED, level.quantity)


def test_fill_or_kill_takes_all_or_nothing(world):
    level = world.exchange.book("BTC-USD")[1][0]
    much = world.place(
        quantity=level.quantity + 1, limit_price=level.price, time_in_force=TimeInForce.FOK
    )
    fitting = world.place(
        quantity=level.quantity, limit_price=level.price, time_in_force=TimeInForce.FOK
    )

    assert (much.state, much.filled_quantity) == (State.CANCELLED, 0)
    assert (fitting.state, fitting.filled_quantity) == (State.FILLED, level.quantity)


def test_a_dated_order_expires(world):
    order = world.place(
        quantity=D(1),
        limit_price=D("60000.00"),
        time_in_force=TimeInForce.GTD,
        expires_at=START + timedelta(seconds=10),
    )
    world.now = START + timedelta(seconds=10)
    world.exchange.step()

    assert order.state is State.EXPIRED
    assert world.wallet("USD") == (D(1_000_000), 0)


def test_a_stop_waits_until_the_last_trade_reaches_it(world):
    order = world.place(
        quantity=D("0.01"),
        order_type=OrderType.STOP_LIMIT,
        stop_price=D("66000.00"),
        limit_price=D("67000.00"),
    )
    world.exchange.step()
    assert (order.state, order.is_triggered) == (State.OPEN, False)

    world.exchange.jump("BTC-USD", D(66_500))
    world.place("bob", quantity=D("0.01"))
    world.exchange.step()
    assert (order.state, order.is_triggered) == (State.FILLED, True)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"symbol": "XXX-USD", "quantity": D(1)}, Refusal.UNKNOWN_PRODUCT),
        ({"quantity": D(1000), "limit_price": D(60_000)}, Refusal.INSUFFICIENT_FUNDS),
        ({"side": Side.SELL, "quantity": D(11)}, Refusal.INSUFFICIENT_FUNDS),
        ({"quantity": D("0.000000001")}, Refusal.QUANTITY_TOO_SMALL),
        ({"quantity": D("1.000000001")}, Refusal.QUANTITY_PRECISION),
        ({"quantity": D(3401)}, Refusal.QUANTITY_TOO_LARGE),
        ({"quantity": D(1), "limit_price": D("60000.001")}, Refusal.PRICE_PRECISION),
        ({"quantity": D("0.00000001"), "limit_price": D(60_000)}, Refusal.NOTIONAL_TOO_SMALL),
        ({"notional": D("0.5")}, Refusal.NOTIONAL_TOO_SMALL),
        ({"notional": D("10.001")}, Refusal.QUANTITY_PRECISION),
        ({"quantity": D(-1)}, Refusal.BAD_INSTRUCTION),
        ({"side": Side.SELL, "notional": D(10)}, Refusal.BAD_INSTRUCTION),
        (
            {"quantity": D(1), "limit_price": D(70_000), "post_only": True},
            Refusal.POST_ONLY_WOULD_CROSS,
        ),
        (
            {
                "quantity": D(1),
                "order_type": OrderType.STOP_LIMIT,
                "stop_price": D(60_000),
                "limit_price": D(60_000),
            },
            Refusal.STOP_BELOW_LAST,
        ),
        (
            {
                "quantity": D(1),
                "limit_price": D(60_000),
                "time_in_force": TimeInForce.GTD,
                "expires_at": START,
            },
            Refusal.END_IN_THE_PAST,
        ),
    ],
)
def test_what_the_exchange_does_not_take_moves_no_money(world, terms, expected):
    assert refusal(world, **terms) is expected


def test_a_halted_exchange_takes_no_order_but_cancels(world):
    order = world.place(quantity=D(1), limit_price=D(60_000))
    world.exchange.is_halted = True

    assert refusal(world, quantity=D(1)) is Refusal.HALTED
    assert world.exchange.cancel("alice", order.order_id) is None


def test_a_client_id_brings_back_the_first_order(world):
    first = world.place(client_order_id="once", quantity=D(1), limit_price=D(60_000))
    again = world.place(client_order_id="once", quantity=D(2), limit_price=D(61_000))
    other = world.place("bob", client_order_id="once", quantity=D(1), limit_price=D(60_000))

    assert again is first
    assert other is not first
    assert len(world.exchange.orders) == 2


def test_cancels_say_why_they_do_nothing(world):
    filled = world.place(quantity=D(1))
    resting = world.place(quantity=D(1), limit_price=D(60_000))

    assert world.exchange.cancel("alice", "nothing") is CancelRefusal.UNKNOWN
    assert world.exchange.cancel("bob", resting.order_id) is CancelRefusal.UNKNOWN
    assert world.exchange.cancel("alice", filled.order_id) is CancelRefusal.FILLED
    assert world.exchange.cancel("alice", resting.order_id) is None
    assert world.exchange.cancel("alice", resting.order_id) is CancelRefusal.DONE


def test_the_same_seed_and_clock_make_the_same_market():
    one, two, other = World(), World(), World(seed=2)
    for world in (one, two, other):
        for _ in range(50):
            world.exchange.step()

    assert one.exchange.book("BTC-USD") == two.exchange.book("BTC-USD")
    assert one.exchange.book("BTC-USD") != other.exchange.book("BTC-USD")


def test_the_street_is_never_crossed_and_always_deep():
    world = World()
    for _ in range(500):
        world.exchange.step()
        for market in world.exchange.markets:
            bids, asks = world.exchange.book(market)
            assert bids[0].price < asks[0].price
            assert min(len(bids), len(asks)) >= 35


def test_levels_told_one_by_one_add_up_to_the_book():
    world = World()
    world.exchange.drain_levels("BTC-USD")
    bids, asks = world.exchange.book("BTC-USD")
    known = {(one.side, one.price): one.quantity for one in bids + asks}
    for number in range(100):
        world.exchange.step()
        if number % 10 == 0:
            world.place(quantity=D("0.1"), limit_price=world.best(0), post_only=True)
            world.place("bob", quantity=D("0.2"))
        for one in world.exchange.drain_levels("BTC-USD"):
            known[one.side, one.price] = one.quantity
            if not one.quantity:
                del known[one.side, one.price]
        bids, asks = world.exchange.book("BTC-USD")
        assert known == {(one.side, one.price): one.quantity for one in bids + asks}


actions = st.lists(
    st.one_of(
        st.tuples(
            st.just("place"),
            st.sampled_from(["alice", "bob"]),
            st.sampled_from(Side),
            st.sampled_from(["BTC-USD", "BTC-USDC"]),
            st.integers(1, 300).map(lambda n: D(n) / 100),
            st.one_of(st.none(), st.integers(-300, 300)),
            st.sampled_from(TimeInForce),
            st.booleans(),
        ),
        st.tuples(st.just("notional"), st.integers(1, 100_000).map(D)),
        st.tuples(st.just("stop"), st.sampled_from(Side), st.integers(1, 500)),
        st.tuples(st.just("bracket"), st.sampled_from(Side), st.integers(1, 500)),
        st.tuples(st.just("twap"), st.sampled_from(Side), st.integers(1, 7)),
        st.tuples(
            st.just("amend"),
            st.integers(0, 20),
            st.integers(1, 300).map(lambda n: D(n) / 100),
            st.integers(-300, 300).map(lambda n: D(65_000 + n)),
        ),
        st.tuples(st.just("later"), st.integers(1, 2_000)),
        st.tuples(st.just("trouble"), st.booleans(), st.booleans()),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("jump"), st.integers(-900, 900)),
        st.just(("step",)),
    ),
    max_size=25,
)


@dataclass(frozen=True)
class Trouble:
    is_piecemeal: bool
    is_racing: bool

    def fills_in_pieces(self, symbol: str) -> bool:
        return bool(symbol) and self.is_piecemeal

    def fills_during_cancel(self, symbol: str) -> bool:
        return bool(symbol) and self.is_racing


def go_on_working(world: World, action: tuple) -> None:  # type: ignore[type-arg]
    match action:
        case ("bracket", side, offset):
            sign = 1 if side is Side.BUY else -1
            world.place(
                side=side,
                quantity=D("0.3"),
                order_type=OrderType.BRACKET,
                stop_price=D(65_000 + sign * offset),
                limit_price=D(65_000 - sign * offset),
            )
        case ("twap", side, slices):
            world.place(
                side=side,
                quantity=D("0.7"),
                order_type=OrderType.TWAP,
                time_in_force=TimeInForce.GTD,
                limit_price=D(66_000 if side is Side.BUY else 64_000),
                slices=slices,
                expires_at=world.now + timedelta(hours=1),
            )
        case ("amend", number, quantity, price):
            orders = list(world.exchange.orders.values())
            if number < len(orders):
                order = orders[number]
                world.exchange.amend(
                    order.account, order.order_id, quantity=quantity, limit_price=price
                )
        case ("trouble", is_piecemeal, is_racing):
            world.exchange.trouble = Trouble(is_piecemeal, is_racing)
        case ("later", seconds):
            world.now += timedelta(seconds=seconds)


def act(world: World, action: tuple) -> None:  # type: ignore[type-arg]
    match action:
        case ("bracket" | "twap" | "amend" | "trouble" | "later", *_):
            go_on_working(world, action)
        case ("place", account, side, symbol, quantity, offset, tif, post_only):
            price = None if offset is None else D(65_000) + offset
            world.place(
                account,
                side,
                symbol=symbol,
                quantity=quantity,
                limit_price=price,
                time_in_force=tif,
                post_only=post_only and tif in {TimeInForce.GTC, TimeInForce.GTD},
                expires_at=START + timedelta(hours=1),
            )
        case ("notional", amount):
            world.place(notional=amount)
        case ("stop", side, offset):
            sign = 1 if side is Side.BUY else -1
            world.place(
                side=side,
                quantity=D("0.3"),
                order_type=OrderType.STOP_LIMIT,
                stop_price=D(65_000 + sign * offset),
                limit_price=D(65_000 + sign * (offset + 20)),
            )
        case ("cancel", number):
            orders = list(world.exchange.orders.values())
            if number < len(orders):
                world.exchange.cancel(orders[number].account, orders[number].order_id)
        case ("jump", offset):
            world.exchange.jump("BTC-USD", D(65_000 + offset))
        case _:
            world.exchange.step()


@settings(max_examples=80, deadline=None)
@given(actions)
def test_whatever_happens_the_money_adds_up(happenings):
    world = World()
    for action in happenings:
        with contextlib.suppress(Refused):
            act(world, action)
        exchange = world.exchange
        assert exchange.ledger.imbalance() == {}
        held: dict[tuple[str, str], Decimal] = {}
        for order in exchange.orders.values():
            product = exchange.products[order.instruction.symbol]
            key = (order.account, product.quote if order.is_buy else product.base)
            held[key] = held.get(key, D(0)) + order.held
            assert order.is_open or order.held == 0
            assert order.held >= 0
        for account, wallets in exchange.ledger.wallets.items():
            for currency, wallet in wallets.items():
                assert wallet.available >= 0
                assert wallet.held == held.get((account, currency), 0)
        for order in exchange.orders.values():
            mine = [fill for fill in exchange.fills if fill.order_id == order.order_id]
            assert sum(fill.quantity for fill in mine) == order.filled_quantity
            assert sum(fill.price * fill.quantity for fill in mine) == order.filled_value
            assert sum(fill.fee for fill in mine) == order.fees
