from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqops.platform.approvals.instruction import hash_of, matters_in, rows_of
from cqops.platform.approvals.states import ENDED, MOVES, OPEN, SENTENCES, IllegalMove, State, move

ABOUT = {"kind": "order", "subject_kind": "trading.order", "subject_id": "7"}
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=8)


class Side(StrEnum):
    BUY = "buy"


def digest(content, **changes):
    return hash_of(**{**ABOUT, **changes}, rows=rows_of(content))


class TestTheHash:
    @given(AMOUNTS, st.integers(0, 12))
    def test_zeros_that_a_column_pads_with_change_nothing(self, amount, zeros):
        padded = Decimal(f"{amount:f}" + "0" * zeros)
        assert digest({"Quantity": amount}) == digest({"Quantity": padded})

    @given(AMOUNTS, AMOUNTS)
    def test_every_other_digit_changes_it(self, one, other):
        same = digest({"Quantity": one}) == digest({"Quantity": other})
        assert same == (one == other)

    @given(
        st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4),
        st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4),
    )
    def test_it_is_the_same_only_for_the_same_lines(self, one, other):
        assert (digest(one) == digest(other)) == (list(one.items()) == list(other.items()))

    @pytest.mark.parametrize("name", list(ABOUT))
    def test_it_fits_no_other_subject(self, name):
        assert digest({"Quantity": "1"}) != digest({"Quantity": "1"}, **{name: "other"})

    def test_a_time_is_the_same_in_every_zone(self):
        noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
        there = noon.astimezone(timezone(timedelta(hours=9)))
        assert digest({"At": noon}) == digest({"At": there})

    def test_a_word_is_the_same_as_its_enum(self):
        assert digest({"Side": Side.BUY}) == digest({"Side": "buy"})

    @pytest.mark.parametrize(
        "value",
        [1.5, Decimal("NaN"), Decimal("Infinity"), datetime(2026, 3, 2, 12)],  # noqa: DTZ001
    )
    def test_what_is_not_exact_is_not_approved(self, value):
        with pytest.raises((TypeError, ValueError)):
            rows_of({"Value": value})


class TestStates:
    @given(st.sampled_from(list(State)), st.sampled_from(list(State)))
    def test_moves_are_exactly_the_table(self, here, there):
        if there in MOVES[here]:
            assert move(here, there) is there
        else:
            with pytest.raises(IllegalMove):
                move(here, there)

    def test_every_state_has_a_row_and_a_sentence_and_every_end_is_one(self):
        assert set(MOVES) == set(SENTENCES) == set(State)
        assert set(State) == OPEN | ENDED
        assert all(not MOVES[state] for state in ENDED)

    def test_only_what_was_approved_is_ever_carried_out(self):
        assert {state for state in State if State.EXECUTED in MOVES[state]} == {State.APPROVED}


class TestSeveralMatters:
    def test_each_is_taken_apart_with_how_it_stands_now(self):
        content = {"Because": "new", "a": "one", "a now": "none", "b": "two", "b now": "old"}
        lines, matters = matters_in(rows_of(content))
        assert [row.label for row in lines] == ["Because"]
        assert [(one.asked.text, one.now.text) for one in matters] == [
            ("one", "none"),
            ("two", "old"),
        ]

    def test_one_alone_stays_among_the_lines(self):
        rows = rows_of({"a": "one", "a now": "none", "Key in use now": "k"})
        assert matters_in(rows) == (rows, ())
