from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.pnl import Holding, apply

AMOUNTS = st.decimals("0.0001", "1000", places=4)
FILLS = st.lists(
    st.tuples(st.sampled_from([1, -1]), AMOUNTS, st.decimals("0.01", "90000", places=2)),
    max_size=25,
)


def book(fills):
    holding = Holding()
    for sign, quantity, price in fills:
        holding = apply(holding, signed_quantity=sign * quantity, price=price, fee=Decimal("0.01"))
    return holding


@given(FILLS, st.decimals("0.01", "90000", places=2))
def test_cash_plus_marked_value_equals_realised_plus_unrealised(fills, mark):
    holding = book(fills)
    cash = sum((-sign * quantity * price for sign, quantity, price in fills), Decimal(0))
    profit = cash + holding.quantity * mark
    assert abs(profit - (holding.realised + holding.unrealised(mark))) < Decimal("1e-9")


@given(FILLS)
def test_the_quantity_is_the_sum_of_the_fills_and_fees_add_up(fills):
    holding = book(fills)
    assert holding.quantity == sum((s * q for s, q, _ in fills), Decimal(0))
    assert holding.fees == Decimal("0.01") * len(fills)


@given(FILLS)
def test_a_flat_position_has_no_cost_left(fills):
    holding = book(fills)
    if holding.quantity:
        sign = -1 if holding.quantity > 0 else 1
        holding = apply(
            holding,
            signed_quantity=sign * abs(holding.quantity),
            price=Decimal(7),
            fee=Decimal(0),
        )
    assert holding.cost == 0
    assert holding.average_price is None


def test_selling_part_realises_against_the_average_cost():
    holding = book([(1, Decimal(1), Decimal(100)), (1, Decimal(1), Decimal(200))])
    assert holding.average_price == Decimal(150)
    after = apply(holding, signed_quantity=Decimal(-1), price=Decimal(180), fee=Decimal(0))
    assert (after.quantity, after.cost, after.realised) == (1, 150, 30)


def test_crossing_zero_closes_at_a_profit_and_opens_the_rest_at_its_price():
    short = book([(-1, Decimal(2), Decimal(100))])
    after = apply(short, signed_quantity=Decimal(3), price=Decimal(90), fee=Decimal(0))
    assert (after.quantity, after.cost, after.realised) == (1, 90, 20)
