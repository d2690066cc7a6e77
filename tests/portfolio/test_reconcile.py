"""The comparison itself, without a database: what is found, what is not, and under which name."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portfolio.reconcile import (
    Booked,
    Kind,
    Working,
    added,
    compare_balances,
    compare_fills,
    compare_orders,
    seen_twice,
    total_of,
)

D = Decimal
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
AMOUNTS = st.decimals(min_value="-1e12", max_value="1e12", places=12)
POSITIVE = st.decimals(min_value="0.000001", max_value="1e9", places=8)
CURRENCIES = st.sampled_from(["BTC", "ETH", "SOL", "USD", "USDC"])
BALANCES = st.dictionaries(CURRENCIES, AMOUNTS)
FILLS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.builds(
        Booked,
        execution_id=st.just(""),
        order_id=st.just("V-1"),
        symbol=st.just("BTC-USD"),
        base=st.just("BTC"),
        quote=st.just("USD"),
        is_buy=st.booleans(),
        quantity=POSITIVE,
        price=POSITIVE,
        fee=AMOUNTS,
        fee_currency=CURRENCIES,
        at=st.just(AT),
    ),
    max_size=8,
).map(lambda found: {key: replace(one, execution_id=key) for key, one in found.items()})


def fill(**changes):
    made = Booked(
        execution_id="E-1",
        order_id="V-1",
        symbol="BTC-USD",
        base="BTC",
        quote="USD",
        is_buy=True,
        quantity=D("0.5"),
        price=D(60000),
        fee=D("18.5"),
        fee_currency="USD",
        at=AT,
    )
    return replace(made, **changes)


def order(**changes):
    made = Working(
        client_order_id="c1",
        venue_order_id="V-1",
        symbol="BTC-USD",
        base="BTC",
        quantity=D(2),
        filled=D(0),
        is_open=True,
    )
    return replace(made, **changes)


# Balances


@given(BALANCES, BALANCES)
def test_what_the_balances_differ_by_is_exactly_what_makes_them_equal(ours, theirs):
    found = compare_balances(ours, theirs)

    mended = added(ours, {one.unit: one.amount for one in found})
    assert compare_balances(mended, theirs) == []
    assert all(one.amount for one in found)


@given(BALANCES)
def test_a_side_agrees_with_itself_and_with_itself_written_with_more_zeros(ours):
    longer = {name: D(f"{amount:f}00000000") for name, amount in ours.items()}

    assert compare_balances(ours, longer) == []


@given(FILLS)
def test_buying_and_selling_the_same_leaves_the_fees(fills):
    back = [replace(one, is_buy=not one.is_buy, fee=D(0)) for one in fills.values()]
    there_and_back = total_of([*fills.values(), *back])

    fees = added(*({one.fee_currency: -one.fee} for one in fills.values()))
    assert compare_balances(there_and_back, fees) == []


@given(FILLS, BALANCES)
def test_a_missed_fill_is_missing_in_the_balances_by_what_it_moved(fills, opening):
    theirs = added(opening, total_of(fills.values()))
    for key in fills:
        kept = total_of(one for other, one in fills.items() if other != key)
        found = compare_balances(added(opening, kept), theirs)
        moved = {name: amount for name, amount in total_of([fills[key]]).items() if amount}
        assert {one.unit: one.amount for one in found} == moved


def test_a_fill_of_a_symbol_that_is_not_mapped_moves_only_its_fee():
    assert total_of([fill(base="", quote="")]) == {"USD": D("-18.5")}


# Fills


@given(FILLS, FILLS)
def test_every_execution_that_differs_is_named_once_and_no_other(ours, theirs):
    found = compare_fills(ours, theirs)

    kinds = {one.key.removeprefix("fill:"): one.kind for one in found}
    assert len(kinds) == len(found)
    for key in {*ours, *theirs}:
        expected = (
            Kind.FILL_MISSING_HERE
            if key not in ours
            else Kind.FILL_MISSING_THERE
            if key not in theirs
            else Kind.FILL_DIFFERS
            if ours[key] != theirs[key]
            else None
        )
        assert kinds.get(key) == expected


@given(FILLS, FILLS)
def test_swapping_the_sides_turns_every_amount_around_and_keeps_the_keys(ours, theirs):
    here = {one.key: one.amount for one in compare_fills(ours, theirs)}
    there = {one.key: -one.amount for one in compare_fills(theirs, ours)}

    assert here == there


def test_another_fee_alone_is_a_difference_with_both_records():
    (found,) = compare_fills({"E-1": fill()}, {"E-1": fill(fee=D(20))})

    assert found.kind is Kind.FILL_DIFFERS
    assert (found.ours["Fee"], found.theirs["Fee"]) == ("18.5 USD", "20 USD")


def test_no_digit_is_lost_where_amounts_are_long():
    long = D("123456789012345678.123456789012345678901234")
    (missing,) = compare_fills({"E-1": fill(quantity=long)}, {})

    assert missing.amount == long.copy_negate()
    assert total_of([fill(quantity=long, price=D(1), fee=D(0))])["BTC"] == long


# Orders


def test_orders_both_sides_believe_in_are_no_difference():
    assert compare_orders([order()], [order(quantity=D("2.00"))]) == []


def test_an_order_that_works_here_only_counts_what_was_left_of_it():
    (found,) = compare_orders([order(filled=D("0.5"))], [])

    assert (found.key, found.amount, found.unit) == ("order:here:c1", D("-1.5"), "BTC")


def test_an_order_nobody_here_knows_is_named_by_the_venues_id():
    (found,) = compare_orders([], [order(client_order_id="", venue_order_id="V-9")])

    assert (found.key, found.amount) == ("order:there:V-9", D(2))
    assert "not here" in found.title


def test_an_order_over_on_both_sides_says_nothing():
    over = order(is_open=False, filled=D(2))

    assert compare_orders([over], [over]) == []
    assert compare_orders([], [over]) == []


def test_an_order_filled_there_and_working_here_differs_by_the_fill():
    (found,) = compare_orders([order()], [order(is_open=False, filled=D(2))])

    assert found.amount == D(2)
    assert "here and not at the venue" in found.title


def test_an_order_is_found_by_our_id_before_the_venues_is_known():
    assert compare_orders([order(venue_order_id="")], [order()]) == []


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_each_open_order_of_one_side_alone_is_named_once(ours, theirs):
    def orders(keys):
        return [order(client_order_id=f"c{key}", venue_order_id=f"V-{key}") for key in keys]

    found = compare_orders(orders(ours), orders(theirs))

    assert len({one.key for one in found}) == len(found) == len(ours ^ theirs)


# Twice


@given(BALANCES, BALANCES, BALANCES)
def test_only_what_both_looks_found_is_kept_with_its_latest_amount(first, second, theirs):
    one, two = compare_balances(first, theirs), compare_balances(second, theirs)
    kept = seen_twice(one, two)

    assert {found.key for found in kept} == {a.key for a in one} & {b.key for b in two}
    assert all(found in two for found in kept)
