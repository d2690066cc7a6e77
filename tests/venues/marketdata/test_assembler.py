from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from venues.interface.types import BookEvent, BookEventKind, BookSide, LevelChange
from venues.marketdata.assembler import Assembler, BookState

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: BookEventKind, *levels: tuple[BookSide, str, str], at: float = 0) -> BookEvent:
    return BookEvent(
        symbol="BTC-USD",
        kind=kind,
        changes=tuple(LevelChange(*one) for one in levels),
        sequence=None,
        venue_time=None,
        received_at=START + timedelta(seconds=at),
    )


def snapshot(*levels: tuple[BookSide, str, str], at: float = 0) -> BookEvent:
    return event(BookEventKind.SNAPSHOT, *levels, at=at)


def update(*levels: tuple[BookSide, str, str], at: float = 0) -> BookEvent:
    return event(BookEventKind.UPDATE, *levels, at=at)


BID = (BookSide.BID, "10", "1")
ASK = (BookSide.ASK, "11", "1")


def live() -> Assembler:
    assembler = Assembler("BTC-USD")
    assembler.apply(snapshot(BID, ASK))
    return assembler


def test_an_update_before_a_snapshot_never_makes_a_book_live():
    assembler = Assembler("BTC-USD")

    assert not assembler.apply(update(BID, ASK))
    assert assembler.state is BookState.SYNCING
    assert assembler.snapshot(5) is None
    assert len(assembler.book) == 0


def test_a_snapshot_makes_it_live_and_updates_keep_it_so():
    assembler = live()

    assert assembler.apply(update((BookSide.BID, "10.5", "2")))
    taken = assembler.snapshot(1)
    assert taken is not None
    assert str(taken.bids[0].price) == "10.5"
    assert assembler.updates == 2


def test_a_reset_forgets_the_book_until_the_next_snapshot():
    assembler = live()
    assembler.reset("gap")

    assert assembler.state is BookState.SYNCING
    assert assembler.reason == "gap"
    assert not assembler.apply(update(BID, ASK))
    assert assembler.apply(snapshot((BookSide.BID, "9", "1")))
    assert len(assembler.book) == 1
    assert assembler.resyncs == 1


def test_silence_makes_it_stale_and_a_sign_of_life_brings_it_back():
    assembler = live()

    assert not assembler.mark_stale(START + timedelta(seconds=3))
    assert assembler.mark_stale(START + timedelta(seconds=3.1))
    assert not assembler.mark_stale(START + timedelta(seconds=4)), "told once"
    assert assembler.state is BookState.STALE
    assert assembler.snapshot(1) is None
    assert assembler.apply(update(at=5))
    assert assembler.is_live
    assert assembler.age(START + timedelta(seconds=6)) == timedelta(seconds=1)


def test_a_crossed_book_is_not_live_until_it_uncrosses():
    assembler = live()

    assert not assembler.apply(update((BookSide.BID, "11", "1")))
    assert (assembler.state, assembler.reason) == (BookState.STALE, "crossed")
    assert assembler.snapshot(1) is None
    assert assembler.apply(update((BookSide.BID, "11", "0")))


def test_a_venue_whose_books_cross_may_say_so():
    assembler = Assembler("BTC-USD", allows_crossed=True)

    assert assembler.apply(snapshot((BookSide.BID, "11", "1"), (BookSide.ASK, "10", "1")))


def test_a_level_that_is_no_number_ends_the_book():
    assembler = live()

    assert not assembler.apply(update((BookSide.BID, "NaN", "1")))
    assert assembler.state is BookState.SYNCING


def test_a_book_never_heard_of_has_no_age():
    assembler = Assembler("BTC-USD")

    assert assembler.age(START) is None
    assert not assembler.mark_stale(START)


steps = st.lists(
    st.one_of(
        st.just(snapshot(BID, ASK)),
        st.just(update((BookSide.BID, "10.5", "1"))),
        st.just(update((BookSide.BID, "12", "1"))),
        st.just(update((BookSide.BID, "12", "0"))),
        st.just("reset"),
        st.just("silence"),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_a_live_book_always_had_a_snapshot_since_the_last_reset_and_never_crosses(happenings):
    assembler = Assembler("BTC-USD")
    has_snapshot = False
    for one in happenings:
        if one == "reset":
            assembler.reset()
            has_snapshot = False
        elif one == "silence":
            assembler.mark_stale(START + timedelta(hours=1))
        elif isinstance(one, BookEvent):
            assembler.apply(one)
            has_snapshot = has_snapshot or one.kind is BookEventKind.SNAPSHOT
        if assembler.is_live:
            assert has_snapshot
            assert not assembler.book.is_crossed
