"""Rules and quorum as arithmetic: compared with every way people could sit."""

from decimal import Decimal
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqops.platform.approvals.rules import (
    DEFAULT,
    NO_FACT,
    Asked,
    Facts,
    Need,
    Quorum,
    Terms,
    filled,
    first_match,
    is_met,
    is_met_without_one,
    is_sound,
)

GROUPS = ["risk", "operations", "treasury"]
PEOPLE = ["a", "b", "c", "d", "e"]


@st.composite
def quorums(draw):
    groups = draw(st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True))
    needs = tuple(Need(name, name, draw(st.integers(1, 3))) for name in groups)
    required = draw(st.none() | st.integers(1, len(needs)))
    return Quorum(needs=needs, groups_required=required)


SEATS = st.dictionaries(
    st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(GROUPS)), max_size=len(PEOPLE)
)


def by_trying_everything(quorum, seats):
    """Place every person in each of their groups, or nowhere, in every possible way."""
    people = sorted(seats)
    for placing in product(*([*sorted(seats[one]), None] for one in people)):
        for chosen in combinations(quorum.needs, quorum.required):
            if all(placing.count(need.group) >= need.quorum for need in chosen):
                return True
    return False


class TestQuorum:
    @given(quorums(), SEATS)
    @settings(max_examples=300, deadline=None)
    def test_is_met_exactly_when_some_placing_of_people_meets_it(self, quorum, seats):
        assert is_met(quorum, seats) == by_trying_everything(quorum, seats)

    @given(quorums(), SEATS, st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(GROUPS)))
    @settings(deadline=None)
    def test_one_voice_more_never_takes_a_quorum_away(self, quorum, seats, person, groups):
        more = {**seats, person: seats.get(person, frozenset()) | groups}
        assert not is_met(quorum, seats) or is_met(quorum, more)

    @given(quorums(), SEATS)
    @settings(deadline=None)
    def test_nobody_is_counted_twice_or_outside_their_groups(self, quorum, seats):
        placed = filled(quorum, seats)
        people = [person for group in placed.values() for person in group]
        assert len(people) == len(set(people))
        for need in quorum.needs:
            assert len(placed[need.group]) <= need.quorum
            assert all(need.group in seats[person] for person in placed[need.group])

    @given(quorums(), SEATS, st.sets(st.sampled_from(PEOPLE)))
    @settings(deadline=None)
    def test_whoever_asks_the_others_have_to_be_enough(self, quorum, seats, askers):
        others = [{one: held for one, held in seats.items() if one != asker} for asker in askers]
        expected = is_met(quorum, seats) and all(is_met(quorum, left) for left in others)
        assert is_met_without_one(quorum, seats, askers) == expected

    @given(quorums())
    def test_nobody_meets_nothing(self, quorum):
        assert not is_met(quorum, {})

    def test_somebody_in_two_groups_is_one_voice(self):
        both = Quorum(needs=(Need("risk", "Risk", 1), Need("operations", "Operations", 1)))
        anna = {"anna": frozenset({"risk", "operations"})}
        assert not is_met(both, anna)
        assert is_met(both, {**anna, "carl": frozenset({"risk"})})

    @pytest.mark.parametrize(
        ("needs", "required"),
        [
            ((), None),
            ((Need("risk", "Risk", 0),), None),
            ((Need("risk", "Risk", 1), Need("risk", "Risk", 1)), None),
            ((Need("risk", "Risk", 1),), 2),
            ((Need("risk", "Risk", 1),), 0),
        ],
    )
    def test_numbers_that_make_no_sense_are_not_sound(self, needs, required):
        assert not is_sound(Quorum(needs=needs, groups_required=required))


class TestRules:
    QUORUM = Quorum(needs=(Need("risk", "Risk", 1),))

    def rule(self, name, **conditions):
        return Terms(key=name, name=name, quorum=self.QUORUM, **conditions)

    def asked(self, notional=None, kind="order", roles=(), **facts):
        found = Facts(notional=notional, currency="USD", **facts)
        return Asked(kind=kind, facts=found, roles=frozenset(roles))

    def test_the_first_that_fits_decides_and_says_why(self):
        rules = [
            self.rule("huge", notional_from=Decimal(1000)),
            self.rule("orders", kind="order"),
            self.rule("everything"),
        ]
        assert first_match(rules, self.asked(Decimal(2000))).name == "huge"
        assert "worth 2,000.00 USD" in first_match(rules, self.asked(Decimal(2000))).why
        assert first_match(rules, self.asked(Decimal(999))).name == "orders"
        assert first_match(rules, self.asked(Decimal(999), kind="other")).name == "everything"

    def test_no_match_means_one_other_person(self):
        match = first_match([self.rule("orders", kind="order")], self.asked(kind="other"))
        assert match is DEFAULT
        assert [need.quorum for need in match.quorum.needs] == [1]

    def test_a_value_that_is_not_known_counts_as_large(self):
        rules = [self.rule("huge", notional_from=Decimal(10**9)), self.rule("rest")]
        assert first_match(rules, self.asked(None)).name == "huge"

    def test_what_has_no_value_is_not_large(self):
        rules = [self.rule("huge", notional_from=Decimal(1)), self.rule("rest")]
        role = Asked(kind="role", facts=Facts(), tells=NO_FACT)
        assert first_match(rules, role).name == "rest"

    @pytest.mark.parametrize("condition", [{"venue": "x"}, {"account": "x"}, {"asset_group": "x"}])
    def test_each_condition_is_asked(self, condition):
        rules = [self.rule("narrow", **condition)]
        assert first_match(rules, self.asked(**condition)).name == "narrow"
        assert first_match(rules, self.asked()) is DEFAULT

    def test_the_role_is_that_of_whoever_asks(self):
        rules = [self.rule("juniors", role="trader")]
        assert first_match(rules, self.asked(roles=["trader", "viewer"])).name == "juniors"
        assert first_match(rules, self.asked(roles=["viewer"])) is DEFAULT

    @given(st.lists(st.booleans(), max_size=8))
    def test_order_alone_decides_between_rules_that_fit(self, fits):
        rules = [self.rule(str(n), kind="order" if fit else "other") for n, fit in enumerate(fits)]
        match = first_match(rules, self.asked())
        assert match.name == (str(fits.index(True)) if True in fits else DEFAULT.name)
