"""Quick ways of reading read what the slow ones do, and what a venue wrote is kept without being read."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.adapters.kit.reading import (
    Answer,
    Unreadable,
    amounts,
    check_levels,
    inside,
    number,
    reader,
    time_of,
)
from venues.interface.times import _ISO8601, BadTime, from_rfc3339
from venues.interface.types import BookSide, Level, LevelChange, Side, Trade

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "0", "-1", "1e5", "NaN", "1.2.3", "\u0661", " 1", "1_0", "9" * 61, ".", "+1"]
    ),
    st.decimals(allow_nan=False, allow_infinity=False, places=8).map(str),
    st.text(alphabet="0123456789.", max_size=70),
)


@given(st.lists(TEXTS, min_size=1, max_size=7))
def test_several_amounts_are_read_as_each_of_them(texts):
    try:
        one_by_one = [number(text) for text in texts]
    except Unreadable:
        with pytest.raises(Unreadable):
            amounts(*texts)
    else:
        assert [str(one) for one in amounts(*texts)] == [str(one) for one in one_by_one]


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
    st.text(alphabet="0123456789", max_size=12),
    st.sampled_from(["Z", "z", "+00:00", "-05:30", "", "UTC"]),
    st.sampled_from(["T", " ", "t"]),
)
def test_a_time_written_the_usual_way_is_read_as_by_the_pattern(moment, fraction, zone, between):
    text = f"{moment:%Y}".rjust(4, "0") + f"{moment:-%m-%d{between}%H:%M:%S}"
    text += f".{fraction}{zone}" if fraction else zone
    if _ISO8601.match(text) is None:
        with pytest.raises(BadTime):
            from_rfc3339(text)
        return
    read = from_rfc3339(text)
    assert read.year == 1 or time_of(text) == read
    assert read.tzinfo is UTC
    assert read.microsecond == int((fraction or "0").ljust(6, "0")[:6])
    if zone in {"Z", "z", "UTC", "+00:00"}:
        assert read.replace(microsecond=0, tzinfo=None) == moment.replace(microsecond=0)


def test_what_was_written_is_there_for_whoever_looks():
    body = json.dumps({"orders": [{"id": "1"}, {"id": "2", "deep": {"is": [1]}}]}).encode()
    written = Answer(body).part("orders", 1)

    assert written == {"id": "2", "deep": {"is": [1]}}
    assert dict(written) == {"id": "2", "deep": {"is": [1]}}
    assert (written["id"], written.get("none"), len(written)) == ("2", None, 2)
    assert "'id': '2'" in repr(written)


def test_what_cannot_be_read_whole_is_shown_as_it_came():
    assert Answer(b'{"id":"1","\xff":1}').part() == {"unreadable": '{"id":"1","\ufffd":1}'}


def test_a_message_of_one_member_is_opened():
    assert reader(inside("order", dict))(b'{"order":{"a":1}}').found == {"a": 1}
    with pytest.raises(Unreadable):
        reader(inside("order", dict))(b'{"orders":{"a":1}}')


@pytest.mark.parametrize("text", ["-1", "1e5", "NaN", "1,0", "\u0663", " 1"])
def test_a_level_holds_digits_and_points_alone(text):
    sound = LevelChange(BookSide.BID, "1.5", "2")
    assert check_levels([sound]) == (sound,)
    for level in (LevelChange(BookSide.BID, text, "1"), LevelChange(BookSide.BID, "1", text)):
        with pytest.raises(Unreadable):
            check_levels([sound, level])


def test_a_side_is_read_from_any_word_for_it_and_written_in_one():
    assert [BookSide(word) for word in ("bid", "buy")] == [BookSide.BID] * 2
    assert [BookSide(word) for word in ("ask", "offer", "sell")] == [BookSide.ASK] * 3
    assert [side.value for side in BookSide] == ["bid", "ask"]
    with pytest.raises(ValueError, match="up"):
        BookSide("up")


def test_what_is_read_by_the_thousand_is_frozen_and_copied_like_a_dataclass():
    trade = Trade(
        symbol="BTC-USD",
        venue_trade_id="1",
        price=Decimal(1),
        quantity=Decimal(2),
        side=Side.BUY,
        venue_time=datetime(2026, 1, 1, tzinfo=UTC),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(AttributeError):
        trade.price = Decimal(3)  # type: ignore[misc]
    assert is_dataclass(trade)
    assert [(one.name, one.type) for one in fields(Level)] == [
        ("price", "Decimal"),
        ("quantity", "Decimal"),
    ]
    assert replace(trade, price=Decimal(3)).price == 3
    assert replace(trade) == trade
