"""Money, times and states as templates write them."""

import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from cqops.platform.access.templatetags import desk

NOON = datetime(2026, 3, 2, 12, 30, 15, 123_456, tzinfo=UTC)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


class TestAmounts:
    @pytest.mark.parametrize(
        ("value", "step", "expected"),
        [
            (Decimal("1E+3"), 0, "1000"),
            (Decimal("0.000000000000000001"), 0, "0.000000000000000001"),
            (Decimal("1234567.5"), Decimal("0.01"), "1234567.50"),
            (Decimal("1.23456789"), Decimal("0.01"), "1.23456789"),
            (Decimal("-42.10"), 0, "-42.1"),
            (Decimal(0), Decimal("0.01"), "0.00"),
            (None, 0, desk.ABSENT),
        ],
    )
    def test_they_are_exact_and_padded_to_their_step(self, value, step, expected):
        assert text_of(desk.amount(value, step)) == expected

    def test_thousands_are_set_apart_without_a_character_that_a_copy_would_carry(self):
        assert str(desk.amount(Decimal(1234567))).count("<i>") == 3

    @given(
        st.decimals(
            allow_nan=False, allow_infinity=False, places=12, min_value=-(10**15), max_value=10**15
        )
    )
    def test_a_copy_gives_the_same_number_back(self, value):
        assert Decimal(text_of(desk.amount(value))) == value

    def test_an_amount_with_its_unit_is_grouped_and_any_other_text_is_left(self):
        assert str(desk.figures("1000250.75 USDC")).count("<i>") == 3
        assert text_of(desk.figures("1000250.75 USDC")) == "1000250.75 USDC"
        assert "<b>" not in str(desk.figures("1234567 <b>"))
        for text in ("nothing", "1234567", "filled 1234 BTC"):
            assert desk.figures(text) == text

    def test_a_rounded_figure_keeps_the_exact_one_in_its_title(self):
        shown = desk.rounded(Decimal("1234.5678"), Decimal("0.01"))

        assert text_of(shown) == "1234.57"
        assert 'title="1234.5678"' in shown

    def test_what_is_absent_is_a_dash(self):
        assert desk.rounded(None, 2) == desk.plain("") == desk.ABSENT


class TestTimes:
    def test_they_show_the_persons_zone_and_hover_gives_utc_and_the_venues_own(self):
        with timezone.override(zoneinfo.ZoneInfo("Asia/Tokyo")):
            shown = desk.moment(NOON, venue_zone="America/New_York")

        assert ">2026-03-02 21:30:15</time>" in shown
        assert 'datetime="2026-03-02T12:30:15.123+00:00"' in shown
        assert "2026-03-02 12:30:15.123 UTC" in shown
        assert "venue 07:30:15 EST" in shown

    def test_a_short_time_has_its_day_unless_it_is_today(self):
        assert ">02 Mar 12:30</time>" in desk.moment(NOON, style="short")
        assert re.search(r">\d\d:\d\d:\d\d</time>", desk.moment(timezone.now(), style="short"))


class TestWords:
    def test_sides_are_told_by_word_and_by_class(self):
        assert desk.side("buy") == '<span class="side side-buy">Buy</span>'

    def test_states_are_words_with_a_tone(self):
        assert desk.state_badge("in_doubt") == '<span class="badge badge-warn">In doubt</span>'
        assert desk.state_badge("something new") == (
            '<span class="badge badge-calm">Something new</span>'
        )

    def test_text_from_elsewhere_is_escaped(self):
        assert "<script>" not in desk.state_badge("<script>")
        assert "<script>" not in desk.short("<script>")

    @pytest.mark.parametrize(
        ("value", "expected"), [("1", "up"), ("-1", "down"), ("0", "flat"), (None, "flat")]
    )
    def test_gains_and_losses_have_a_direction(self, value, expected):
        assert desk.signed(value) == expected


def test_ids_in_brackets_stand_back_by_their_first_piece_and_nothing_is_run():
    ids = "7f8a9b1c-0000-4000-8000-000000000001/7f8a9b1d-0000-4000-8000-000000000002/spot/1"
    shown = desk.bracketed(f"<b>BTC</b> paid with USD [{ids}]")
    assert shown.startswith("&lt;b&gt;BTC&lt;/b&gt; paid with USD <span")
    assert shown.endswith(">[7f8a9b1c/7f8a9b1d/spot/1]</span>")
    assert f'title="[{ids}]"' in shown
    assert desk.bracketed("none & all") == "none &amp; all"


def test_a_link_keeps_the_filter_and_changes_one_part(rf):
    request = rf.get("/orders/?state=open&side=buy&before=x")
    template = Template("{% query side='sell' before=None %}")

    assert template.render(Context({"request": request})) == "?state=open&amp;side=sell"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_600, "1 h 0 min"),
        (7_290, "2 h 1 min"),
        (48 * 3_600, "2 d"),
    ],
)
def test_an_age_is_told_in_the_largest_units_that_matter(seconds, words):
    assert text_of(desk.age(NOON, NOON + timedelta(seconds=seconds))) == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1.5", "+1.5"), ("-64323.675", "-64323.675"), ("0", "0"), (None, desk.ABSENT)],
)
def test_a_change_carries_its_sign(value, shown):
    assert text_of(desk.change(None if value is None else Decimal(value))) == shown
