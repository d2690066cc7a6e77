"""What is done to carry out a decision says which decision that was: in the log and in the audit."""

import logging

import pytest
from django.urls import reverse

from cqops.platform.access.policy import Role
from cqops.platform.access.scopes import Grant, Scope
from cqops.platform.approvals import doorbell
from cqops.platform.approvals.services import settle_left
from cqops.platform.approvals.services.roles import propose_roles
from cqops.platform.approvals.tasks import settle_request
from cqops.platform.audit.models import Entry
from cqops.platform.background import doorbells
from cqops.platform.telemetry import signals
from cqops.platform.telemetry.logs import Lines, decision_id
from cqops.platform.telemetry.trace import begin
from tests import cast
from tests.platform.approvals import kinds

REDACT = "venues.transport.redact.redact_text"


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setattr(caplog.handler, "formatter", Lines(REDACT))
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def rung(monkeypatch):
    """Catch the messages that would wake a worker, with the headers they carry."""
    caught = []

    def send(task, *, args, **_):
        headers = {}
        signals._pack(headers=headers)
        caught.append((args, headers))

    monkeypatch.setattr(doorbell.current_app, "send_task", send, raising=False)
    return caught


def approve_on_the_page(client, request, by):
    client.force_login(by)
    body = {"verdict": "approve", "reason": "", "seen_hash": request.instruction_hash}
    client.post(reverse("approval-decide", args=[request.pk]), body)
    doorbells.wait()


def carry_out(rung):
    """Be the worker, which knows of the decision only by the message."""
    ((args, headers),) = rung
    begin()
    settle_request.push_request(id="1", **headers)
    signals._begin(task_id="1", task=settle_request)
    try:
        logging.getLogger("cqops.test").info("before settling")
        settle_request.run(*args)
    finally:
        signals._end(task_id="1", task=settle_request, state="SUCCESS")
        settle_request.pop_request()


@pytest.mark.django_db(transaction=True)
def test_a_role_given_by_a_decision_names_it_from_the_page_to_the_worker(
    client, approver, lines, rung
):
    person = cast.person(Role.VIEWER, "vera")
    wanted = [Grant(Role.STEWARD.value, Scope.DESK, None)]
    request = propose_roles(person=person, grants=wanted, by=cast.person(Role.ADMIN, "adam"))
    approve_on_the_page(client, request, approver)
    carry_out(rung)

    granted = Entry.objects.get(action="role.granted", subject_id=str(person.pk))
    pressed = Entry.objects.get(action="approval.decided")
    assert granted.decision_id == str(request.pk)
    assert (granted.trace_id, granted.request_id) == (pressed.trace_id, pressed.request_id)
    assert f"before settling request={pressed.request_id}" in lines.text
    assert f"decision={request.pk}" in lines.text.split("before settling")[1].splitlines()[0]


@pytest.mark.django_db
def test_the_sweep_names_each_decision_it_carries_out_or_fails_at(
    asked, approver, client, lines, monkeypatch
):
    request = asked()
    approve_on_the_page(client, request, approver)

    def broken(settled):
        logging.getLogger("cqops.test").info("carrying it out")
        message = "the vault is locked"
        raise RuntimeError(message)

    kind = kinds.transfer
    monkeypatch.setattr(kinds, "transfer", type(kind)(**{**vars_of(kind), "settle": broken}))
    settle_left()

    for words in ("carrying it out", "not settled, the sweep tries again"):
        assert f"decision={request.pk}" in after(lines.text, words)
    assert decision_id.get() == ""


def vars_of(kind):
    return {name: getattr(kind, name) for name in kind.__dataclass_fields__}


def after(text, words):
    return text.split(words)[1].split(" INFO ")[0]
