"""What happens again and again is a number, and nothing is lost or invented by counting."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cqops.platform.telemetry.folding import WINDOW, Folding
from cqops.platform.telemetry.notes import Note
from tests.cast import NOON


def note(seconds=0.0, words="it broke", **changes):
    at = NOON + timedelta(seconds=seconds)
    made = Note(at=at, since=at, process="feeds", severity="info", kind="stream.reset", words=words)
    return replace(made, **changes)


def test_the_first_is_let_through_at_once_and_its_repeats_become_one_note():
    folding = Folding()

    assert folding.take(note()) == [note()]
    assert folding.take(note(1)) == []
    assert folding.take(note(30)) == []
    assert folding.due(NOON + timedelta(seconds=59)) == []
    assert folding.due(NOON + WINDOW) == [note(30, since=note(1).at, count=2)]


def test_what_goes_on_is_one_note_a_window():
    folding = Folding()

    written = [one for second in range(600) for one in folding.take(note(second))]
    written += folding.rest()

    assert sum(one.count for one in written) == 600
    assert len(written) == 11


def test_after_a_quiet_window_the_next_one_is_told_at_once_again():
    folding = Folding()
    folding.take(note())

    assert folding.take(note(61)) == [note(61)]


def test_what_differs_in_words_or_in_what_it_is_about_is_not_the_same():
    folding = Folding()

    for one in (
        note(),
        note(words="it broke otherwise"),
        note(labels=(("venue", "a"),)),
        note(severity="urgent"),
        note(process="reports"),
    ):
        assert folding.take(one) == [one]


def test_only_the_numbers_in_the_words_may_differ_and_the_last_ones_are_shown():
    folding = Folding()
    folding.take(note(words="gap: 7 after 5"))

    assert folding.take(note(1, words="gap: 19 after 12")) == []
    assert [one.words for one in folding.rest()] == ["gap: 19 after 12"]


def test_memory_is_bounded_and_what_makes_room_is_written():
    folding = Folding(room=2)
    folding.take(note(words="a"))
    folding.take(note(words="a"))
    folding.take(note(words="b"))

    assert folding.take(note(words="c")) == [note(words="a"), note(words="c")]


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 90)), max_size=60),
    st.integers(1, 4),
)
def test_every_note_is_counted_exactly_once(steps, room):
    folding, seconds, written = Folding(room=room), 0.0, []
    for words, pause in steps:
        seconds += pause
        written += folding.take(note(seconds, words=words))
        written += folding.due(NOON + timedelta(seconds=seconds))
    written += folding.rest()

    for words in "abcd":
        told = sum(one.count for one in written if one.words == words)
        assert told == sum(1 for said, _ in steps if said == words)
    assert all(one.since <= one.at for one in written)
