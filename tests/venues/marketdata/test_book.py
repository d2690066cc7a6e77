from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venues.interface.numbers import BadNumber
from venues.interface.types import BookSide, Level, LevelChange
from venues.marketdata.book import OrderBook

BID, ASK = BookSide.BID, BookSide.ASK


def bid(price: str, quantity: str) -> LevelChange:
    return LevelChange(BID, price, quantity)


def ask(price: str, quantity: str) -> LevelChange:
    return LevelChange(ASK, price, quantity)


def level(price: str, quantity: str) -> Level:
    return Level(Decimal(price), Decimal(quantity))


def test_both_sides_read_best_first_in_the_wires_own_text():
    book = OrderBook()
    book.replace([bid("9.50", "1"), bid("10.00", "2.0"), ask("11", "3"), ask("10.5", "4")])

    assert book.top(5).bids == (bid("10.00", "2.0"), bid("9.50", "1"))
    assert book.top(1).asks == (ask("10.5", "4"),)
    assert book.levels(1) == ((level("10.00", "2.0"),), (level("10.5", "4"),))
    assert book.best_bid == level("10", "2")
    assert book.best_ask == level("10.5", "4")
    assert len(book) == 4


@pytest.mark.parametrize("zero", ["0", "0.0", "0.00000000", "0E-8", "000"])
def test_a_zero_removes_a_level_however_it_is_written(zero):
    book = OrderBook()
    book.replace([bid("10", "1"), bid("9", "1")])
    book.update([bid("10", zero)])

    assert book.top(5).bids == (bid("9", "1"),)


def test_a_tiny_quantity_is_not_zero():
    book = OrderBook()
    book.update([bid("10", "0.000000000000000001")])

    assert book.best_bid == level("10", "0.000000000000000001")


def test_one_price_written_twice_is_one_level():
    book = OrderBook()
    book.replace([bid("68900.00", "1")])
    book.update([bid("68900", "2"), bid("68900.0000000000000000000", "3")])

    assert book.levels(5).bids == (level("68900", "3"),)


def test_prices_a_float_cannot_tell_apart_stay_apart():
    book = OrderBook()
    book.replace([bid("1000000000.00000000001", "1"), bid("1000000000.00000000002", "2")])

    assert [one.price for one in book.top(5).bids] == [
        "1000000000.00000000002",
        "1000000000.00000000001",
    ]


def test_removing_a_level_that_is_not_there_changes_nothing():
    book = OrderBook()
    book.replace([bid("10", "1")])
    book.update([bid("11", "0"), ask("12", "0")])

    assert book.top(5) == ((bid("10", "1"),), ())


def test_a_snapshot_replaces_and_never_merges():
    book = OrderBook()
    book.replace([bid("10", "1"), ask("11", "1")])
    book.replace([bid("9", "1")])

    assert book.top(5) == ((bid("9", "1"),), ())


@pytest.mark.parametrize(
    ("bids", "asks", "is_crossed"),
    [(["10"], ["11"], False), (["10"], ["10.0"], True), (["11"], ["10"], True), ([], ["1"], False)],
)
def test_a_crossed_or_locked_book_is_told(bids, asks, is_crossed):
    book = OrderBook()
    book.replace([*(bid(price, "1") for price in bids), *(ask(price, "1") for price in asks)])

    assert book.is_crossed is is_crossed


@pytest.mark.parametrize(
    "change",
    [
        bid("NaN", "1"),
        bid("Infinity", "1"),
        bid("1e400", "1"),
        bid("-1", "1"),
        bid("0", "1"),
        bid("", "1"),
        bid("1", "NaN"),
        bid("1", "-1"),
        bid("1", "inf"),
        bid("1", ""),
        bid("1", "x"),
    ],
)
def test_what_is_no_level_is_refused(change):
    with pytest.raises(BadNumber):
        OrderBook().update([change])


def test_what_was_read_does_not_change_under_its_reader():
    book = OrderBook()
    book.replace([bid("10", "1")])
    before = book.levels(1)
    book.update([bid("10", "5")])

    assert before.bids == (level("10", "1"),)
    assert book.levels(1).bids == (level("10", "5"),)


changes = st.builds(
    LevelChange,
    st.sampled_from(BookSide),
    st.integers(1, 40).map(lambda tick: str(Decimal(tick) / 4)),
    st.sampled_from(["0", "0.00", "1", "2.5", "0.00000001"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(changes, max_size=8), st.integers(0, 12)), max_size=20))
def test_a_book_equals_a_plain_dict_after_every_update(batches):
    book = OrderBook()
    plain: dict[BookSide, dict[Decimal, Decimal]] = {BID: {}, ASK: {}}
    for batch, depth in batches:
        book.update(batch)
        for change in batch:
            plain[change.side][Decimal(change.price)] = Decimal(change.quantity)
            if not Decimal(change.quantity):
                del plain[change.side][Decimal(change.price)]
        bids = sorted(plain[BID].items(), reverse=True)
        asks = sorted(plain[ASK].items())

        assert [(one.price, one.quantity) for one in book.levels(depth).bids] == bids[:depth]
        assert [(one.price, one.quantity) for one in book.levels(depth).asks] == asks[:depth]
        assert book.best_bid == (Level(*bids[0]) if bids else None)
        assert book.is_crossed is bool(bids and asks and bids[0][0] >= asks[0][0])
