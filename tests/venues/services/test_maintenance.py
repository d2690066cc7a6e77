"""Planned maintenance: who may enter it, what it may not be, and whom it warns."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from tests import cast
from trading.services.checks import Outcome
from trading.services.tickets import preview
from venues.overview import rows
from venues.services.maintenance import call_off, next_of, plan_maintenance

pytestmark = pytest.mark.django_db
NAME = "Planned maintenance"


@pytest.fixture
def now():
    return timezone.now()


def plan(now, *, start=timedelta(minutes=30), hours=1, note="New engine", role=Role.STEWARD):
    return plan_maintenance(
        venue=cast.venue(),
        starts_at=now + start,
        ends_at=now + start + timedelta(hours=hours),
        note=note,
        by=cast.person(role),
    )


@pytest.mark.parametrize("role", [Role.STEWARD, Role.ADMIN])
def test_it_is_entered_and_called_off_and_both_stand_in_the_log(now, role):
    planned = plan(now, role=role)
    assert next_of(cast.venue().pk, now=now) == planned

    call_off(planned=planned, by=cast.person(role))
    call_off(planned=planned, by=cast.person(role))

    assert next_of(cast.venue().pk, now=now) is None
    actions = Entry.objects.filter(action__startswith="maintenance").order_by("pk")
    assert [entry.action for entry in actions] == [
        "maintenance.planned",
        "maintenance.called_off",
    ]


@pytest.mark.parametrize("role", [Role.TRADER, Role.AUDITOR, Role.RECON])
def test_nobody_else_may_enter_it_or_call_it_off(now, role):
    with pytest.raises(PermissionDenied):
        plan(now, role=role)
    planned = plan(now)
    with pytest.raises(PermissionDenied):
        call_off(planned=planned, by=cast.person(role))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hours": 0}, "end after it starts"),
        ({"start": timedelta(days=-2)}, "over already"),
        ({"hours": 24 * 15}, "at most 14 days"),
        ({"note": "  "}, "what it is for"),
    ],
)
def test_what_cannot_be_a_plan_is_refused_in_words(now, changes, words):
    with pytest.raises(ValidationError, match=words):
        plan(now, **changes)


def verdict():
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    ticket = cast.ticket(cast.person(Role.TRADER))
    return next(one for one in preview(ticket) if one.check == NAME)


@pytest.mark.parametrize("start", [timedelta(minutes=-10), timedelta(minutes=59)])
def test_a_ticket_of_that_venue_is_warned_and_not_blocked(now, start):
    plan(now, start=start)

    said = verdict()

    assert said.outcome is Outcome.WARN
    assert "New engine" in said.words


def test_one_that_is_far_off_or_called_off_warns_nobody(now):
    plan(now, start=timedelta(hours=2))
    call_off(planned=plan(now), by=cast.person(Role.ADMIN))

    assert verdict().outcome is Outcome.ALLOW


def test_the_overview_names_what_goes_on_and_what_begins_within_a_day(now):
    plan(now, start=timedelta(minutes=-5))
    plan(now, start=timedelta(hours=5), note="Second")
    plan(now, start=timedelta(hours=50), note="Far off")

    found = [row for row in rows(cast.person(Role.TRADER)) if "rest" in row.title]

    assert [row.title.partition(" ")[2] for row in found] == ["rests", "is about to rest"]
