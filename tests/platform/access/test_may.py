"""Grants for a part of the desk: what they give, what they do not, and the same answer as a query."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from cqops.platform.access.models import RoleGrant
from cqops.platform.access.policy import ALLOWED, Action, Role, may
from cqops.platform.access.rows import allowed_rows, eligible_rows
from tests import cast
from trading.models import Order, Portfolio
from trading.services.tickets import place
from venues.models import Account

pytestmark = pytest.mark.django_db


def _of(account="Main", portfolio="Alpha"):
    return cast.ticket(
        cast.person(Role.TRADER), account=cast.account(account), portfolio=cast.portfolio(portfolio)
    )


@pytest.fixture
def orders():
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    made = {}
    for account in ("Main", "Other"):
        for portfolio in ("Alpha", "Beta"):
            trader = cast.person(Role.TRADER)
            made[account, portfolio] = place(
                ticket=_of(account, portfolio), client_order_id=uuid.uuid4().hex, by=trader
            )
    return made


def _ground():
    main, beta = cast.account("Main"), cast.portfolio("Beta")
    return {
        "desk": {},
        "venue": {"scope": "venue", "scope_id": main.venue_id},
        "account": {"scope": "account", "scope_id": main.pk},
        "portfolio": {"scope": "portfolio", "scope_id": beta.pk},
        "elsewhere": {"scope": "venue", "scope_id": uuid.uuid4()},
    }


@pytest.mark.parametrize(
    ("kind", "covered"),
    [
        ("desk", {"Main Alpha", "Main Beta", "Other Alpha", "Other Beta"}),
        ("venue", {"Main Alpha", "Main Beta", "Other Alpha", "Other Beta"}),
        ("account", {"Main Alpha", "Main Beta"}),
        ("portfolio", {"Main Beta", "Other Beta"}),
        ("elsewhere", set()),
    ],
)
def test_a_grant_reaches_as_far_as_it_says_for_one_row_and_for_a_list(orders, kind, covered):
    trader = cast.person(Role.TRADER, **_ground()[kind])

    one_by_one = {
        " ".join(names) for names, row in orders.items() if may(trader, Action.ORDER_CANCEL, row)
    }
    listed = {
        f"{row.account.name} {row.portfolio.name}"
        for row in allowed_rows(trader, Action.ORDER_VIEW, Order.objects.all())
    }

    assert one_by_one == listed == covered


def test_a_grant_for_a_part_opens_the_pages_everybody_has(orders):
    trader = cast.person(Role.TRADER, **_ground()["account"])

    assert may(trader, Action.DESK_VIEW)
    assert may(trader, Action.MARKET_VIEW)
    assert may(trader, Action.ORDER_VIEW)


@pytest.mark.parametrize("action", [Action.SWITCH_STOP, Action.PEOPLE_EDIT, Action.VENUE_EDIT])
def test_what_concerns_the_whole_desk_needs_a_grant_for_the_whole_desk(orders, action):
    for role in Role:
        if action in ALLOWED[role]:
            assert may(cast.person(role), action)
            assert not may(cast.person(role, **_ground()["account"]), action)


def test_a_subject_that_names_no_part_needs_a_grant_for_the_whole_desk():
    assert may(cast.person(Role.TRADER), Action.ORDER_PLACE, {})
    assert not may(cast.person(Role.TRADER, **_ground()["account"]), Action.ORDER_PLACE, {})


def test_a_ticket_is_asked_about_before_it_is_an_order():
    trader = cast.person(Role.TRADER, **_ground()["account"])

    assert may(trader, Action.ORDER_PLACE, _of("Main", "Beta"))
    assert not may(trader, Action.ORDER_PLACE, _of("Other", "Beta"))


def test_a_form_offers_what_can_be_part_of_an_allowed_ticket():
    _of("Main", "Alpha"), _of("Other", "Beta")
    trader = cast.person(Role.TRADER, **_ground()["account"])

    accounts = eligible_rows(trader, Action.ORDER_PLACE, Account.objects.all())
    portfolios = eligible_rows(trader, Action.ORDER_PLACE, Portfolio.objects.all())

    assert {row.name for row in accounts} == {"Main"}
    assert {row.name for row in portfolios} == {"Alpha", "Beta"}


def test_two_grants_of_one_role_add_up(orders):
    trader = cast.person(Role.TRADER, **_ground()["account"])
    cast.grant(trader, Role.TRADER, **_ground()["portfolio"])

    seen = allowed_rows(trader, Action.ORDER_VIEW, Order.objects.all())

    assert seen.count() == 3


def test_somebody_without_a_role_or_who_is_disabled_sees_no_row(orders):
    gone = cast.person(Role.TRADER)
    gone.is_active = False

    for person in (cast.person(None), gone):
        assert not allowed_rows(person, Action.ORDER_VIEW, Order.objects.all()).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "account", "scope_id": None},
        {"scope": "desk", "scope_id": uuid.uuid4()},
        {"scope": "galaxy", "scope_id": uuid.uuid4()},
    ],
)
def test_the_database_refuses_a_grant_for_a_part_it_does_not_name(change):
    with pytest.raises(IntegrityError), transaction.atomic():
        cast.grant(cast.person(None), Role.TRADER, **change)


def test_the_database_grants_the_same_thing_once():
    trader = cast.person(Role.TRADER)

    with pytest.raises(IntegrityError), transaction.atomic():
        cast.grant(trader, Role.TRADER)
    assert RoleGrant.objects.filter(user=trader).count() == 1
