"""Stopping takes one person; whatever loosens takes two, by every door."""

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.errors import AlreadyAsked, NothingChanges, NotYours, Refused
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Changed
from cqops.platform.audit.models import Entry
from tests import cast
from trading.models import SwitchScope, TradingSwitch
from trading.services.switches import NeedsSecond, set_mode
from trading.services.switching import ask_to_loosen

pytestmark = pytest.mark.django_db
DESK = {"scope": SwitchScope.DESK, "subject_id": None}
LOOSER = [("off", "reduce_only"), ("off", "on"), ("reduce_only", "on")]


def mode_of(switch):
    return TradingSwitch.objects.get(pk=switch.pk).mode


def ask(mode, by, reason="The venue is back."):
    return ask_to_loosen(**DESK, mode=cast.SwitchMode(mode), reason=reason, by=by)


@pytest.fixture
def asker(db):
    return cast.person(Role.TRADER, "tom")


@pytest.fixture
def approver(db):
    return cast.person(Role.APPROVER, "alma")


@pytest.mark.parametrize(("here", "there"), LOOSER)
def test_any_loosening_takes_two(asker, approver, here, there):
    switch = cast.desk_switch(here)
    with pytest.raises(NeedsSecond):
        set_mode(**DESK, mode=cast.SwitchMode(there), reason="", by=asker)
    asked = ask(there, asker)
    assert mode_of(switch) == here
    with pytest.raises(NotYours):
        cast.approve(asked, asker)

    cast.approve(asked, approver)

    assert mode_of(switch) == there
    entry = Entry.objects.filter(action="switch.set").latest("id")
    assert (entry.who, entry.decision_id) == ("tom", str(asked.pk))


@pytest.mark.parametrize(("there", "here"), LOOSER)
def test_stopping_takes_one(asker, here, there):
    switch = cast.desk_switch(here)
    set_mode(**DESK, mode=cast.SwitchMode(there), reason="Enough.", by=asker)
    assert mode_of(switch) == there


def test_a_switch_of_a_part_stops_at_once_where_there_was_none(asker):
    part = {"scope": SwitchScope.VENUE, "subject_id": uuid.uuid4()}
    assert set_mode(**part, mode=cast.SwitchMode.OFF, reason="", by=asker).mode == "off"
    with pytest.raises(NeedsSecond):
        set_mode(**part, mode=cast.SwitchMode.ON, reason="", by=asker)


def test_the_desk_begins_off_and_goes_on_with_two(asker, approver):
    with pytest.raises(NeedsSecond):
        set_mode(**DESK, mode=cast.SwitchMode.ON, reason="", by=asker)
    cast.approve(ask("on", asker), approver)
    assert TradingSwitch.objects.get().mode == "on"


def test_stopping_again_meanwhile_voids_it(asker, approver):
    switch = cast.desk_switch("off")
    asked = ask("on", asker)
    set_mode(**DESK, mode=cast.SwitchMode.OFF, reason="Still broken.", by=approver)
    with pytest.raises(Changed):
        cast.approve(asked, approver)
    assert mode_of(switch) == "off"


def test_it_is_asked_once_with_a_reason_and_only_where_it_loosens(asker, approver):
    cast.desk_switch("off")
    with pytest.raises(Refused, match="Say why"):
        ask("on", asker, reason=" ")
    with pytest.raises(NothingChanges):
        ask("off", asker)
    ask("on", asker)
    with pytest.raises(AlreadyAsked):
        ask("reduce_only", asker)


def test_whoever_may_not_stop_trading_neither_sets_nor_asks(approver):
    viewer = cast.person(Role.VIEWER)
    cast.desk_switch("off")
    with pytest.raises(NotAllowed):
        set_mode(**DESK, mode=cast.SwitchMode.OFF, reason="", by=viewer)
    with pytest.raises(NotYours):
        ask("on", viewer)


def test_the_database_loosens_nothing_by_itself(asker, approver):
    switch = cast.desk_switch("off")
    asked = ask("reduce_only", asker)
    cast.approve(asked, approver)
    rows = TradingSwitch.objects.filter(pk=switch.pk)
    elsewhere = uuid.uuid4()
    for refused in (
        lambda: rows.update(mode="on"),
        lambda: rows.update(scope="venue", subject_id=elsewhere),
        rows.delete,
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()
    # An approval that was used is worth nothing once somebody stopped trading again.
    rows.update(mode="off", changed_at=timezone.now())
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        rows.update(mode="reduce_only", approval_id=asked.pk)


def test_the_form_asks_to_loosen_and_stops_at_once(client, asker, approver):
    switch = cast.desk_switch("off")
    client.force_login(asker)
    address = reverse("admin:trading_tradingswitch_change", args=[switch.pk])

    page = client.post(address, {"mode": "on", "reason": "Repaired"}, follow=True).content.decode()
    assert "Nothing changes before another person agrees" in page
    assert mode_of(switch) == "off"
    cast.approve(Request.objects.get(), approver)
    assert mode_of(switch) == "on"

    client.post(address, {"mode": "off", "reason": "Broken"})
    assert mode_of(switch) == "off"
