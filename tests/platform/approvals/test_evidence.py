"""What lies beside a request: findings, forecast, context, the running deadline, and the exact text."""

import csv
import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.exhibits import (
    Clock,
    Effect,
    Finding,
    Forecast,
    Severity,
    Step,
    findings_from,
)
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.services import (
    BadReason,
    Facts,
    NotConfirmed,
    State,
    Verdict,
    decide,
    withdraw,
)
from cqops.platform.approvals.services.evidence import (
    clock_of,
    context_of,
    forecast_of,
    similar,
    timeline_of,
)
from cqops.platform.audit.models import Entry
from tests import cast
from tests.platform.approvals import kinds

pytestmark = pytest.mark.django_db
GRAVE = Finding(Severity.HIGH, "New address", "Nothing was ever sent there.")
APART = Finding(Severity.MEDIUM, "Not simulated", "Nobody tried it.", is_confirmed_apart=True)
PLAIN = Finding(Severity.LOW, "First time", "It is the first.")


def say(request, by, verdict=Verdict.APPROVE, **more):
    return decide(
        request_id=request.pk,
        by=by,
        verdict=verdict,
        seen_hash=request.instruction_hash,
        **more,
    )


def page_of(client, request):
    return client.get(reverse("approval", args=[request.pk])).content.decode()


@pytest.fixture
def offered(monkeypatch):
    """Offer the test's kind with more evidence."""

    def offer(**parts):
        monkeypatch.setattr(kinds, "transfer", replace(kinds.transfer, **parts))

    return offer


class TestFindings:
    def test_the_gravest_stand_first_and_before_the_buttons(self, client, asked, approver):
        request = asked(findings=[PLAIN, APART, GRAVE])
        assert [one.severity for one in request.findings_shown] == ["high", "medium", "low"]
        client.force_login(approver)
        page = page_of(client, request)
        assert page.index("New address") < page.index("First time") < page.index('id="approve"')

    def test_what_is_grave_is_confirmed_by_itself_before_approving(self, asked, approver):
        request = asked(findings=[PLAIN, APART, GRAVE])
        with pytest.raises(NotConfirmed, match="New address, Not simulated"):
            say(request, approver)
        assert not Decision.objects.exists()
        say(request, approver, is_confirmed=True)
        entry = Entry.objects.get(action="approval.decided")
        assert entry.after["confirmed"] == ["New address", "Not simulated"]

    def test_refusing_and_what_is_not_grave_ask_for_no_confirmation(self, asked, approver):
        say(asked(findings=[GRAVE]), approver, Verdict.REFUSE, reason="No.")
        say(asked(findings=[PLAIN]), approver)

    def test_every_door_asks_for_it(self, client, asked, approver):
        request = asked(findings=[GRAVE])
        client.force_login(approver)
        body = {"verdict": "approve", "seen_hash": request.instruction_hash}
        address = reverse("approval-decide", args=[request.pk])
        page = client.post(address, body, follow=True).content.decode()
        assert "confirm on the request" in page
        action = {"action": "approve", "_selected_action": [str(request.pk)]}
        client.post(reverse("admin:approvals_request_changelist"), action)
        assert Request.objects.get(pk=request.pk).state == State.PENDING
        client.post(address, {**body, "is_confirmed": "1"})
        assert Request.objects.get(pk=request.pk).state == State.APPROVED
        other = asked(findings=[GRAVE])
        again = {**action, "_selected_action": [str(other.pk)], "is_confirmed": "on"}
        client.post(reverse("admin:approvals_request_changelist"), again)
        assert Request.objects.get(pk=other.pk).state == State.APPROVED

    def test_what_was_found_is_never_changed_afterwards(self, asked):
        request = asked(findings=[GRAVE])
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            Request.objects.filter(pk=request.pk).update(findings=[])

    def test_they_survive_being_stored(self):
        made = [GRAVE, APART, PLAIN]
        assert list(findings_from(one.as_json() for one in made)) == made


class TestRefusalCodes:
    def test_a_chosen_reason_is_stored_as_a_code_and_needs_no_words(self, asked, approver):
        request = asked()
        say(request, approver, Verdict.REFUSE, code="too_large")
        made = Decision.objects.get()
        assert (made.code, made.reason) == ("too_large", "Too large.")
        assert Entry.objects.get(action="approval.decided").after["code"] == "too_large"

    def test_the_export_says_it_beside_where_and_who(self, client, asked, approver):
        request = asked(facts=Facts(venue="here", account="Main", portfolio="Alpha"))
        say(request, approver, Verdict.REFUSE, code="too_large")
        client.force_login(approver)
        answer = client.get(reverse("approvals"), {"tab": "all", "format": "csv"})
        (line,) = csv.DictReader(io.StringIO(answer.content.decode()))
        named = ("venue", "account", "portfolio", "state", "decisions", "refusal_code")
        assert [line[name] for name in named] == [
            *("here", "Main", "Alpha", "refused"),
            *("alma refuse", "too_large"),
        ]
        assert line["instruction_hash"] == request.instruction_hash

    def test_words_alone_are_another_reason_and_another_reason_needs_words(self, asked, approver):
        say(asked(), approver, Verdict.REFUSE, reason="Ask me tomorrow.")
        assert Decision.objects.get().code == "other"
        for more in ({"code": "other"}, {"code": "nonsense", "reason": "x"}, {}):
            with pytest.raises(BadReason):
                say(asked(), approver, Verdict.REFUSE, **more)

    def test_an_approval_has_none(self, asked, approver):
        request = asked()
        say(request, approver, code="too_large")
        assert Decision.objects.get().code == ""
        other = asked()
        with pytest.raises(IntegrityError, match="only_a_refusal"), transaction.atomic():
            Decision.objects.create(
                request=other,
                by=approver,
                verdict=Verdict.APPROVE,
                code="other",
                at=timezone.now(),
                instruction_hash=other.instruction_hash,
            )

    def test_over_rest_too(self, client, asked, approver):
        request = asked()
        token = cast.agreed_token(approver, ["approval.view", "approval.decide", "order.approve"])
        body = {"verdict": "refuse", "code": "price_moved", "seen_hash": request.instruction_hash}
        answer = client.post(
            f"/api/v1/approvals/{request.pk}/decide",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.json()["decisions"][0]["code"] == "price_moved"


class TestTheExactText:
    def test_the_whole_hash_is_of_the_text_shown(self, client, asked, approver):
        request = asked("10.50")
        text = request.canonical_text
        assert hashlib.sha256(text.encode()).hexdigest() == request.instruction_hash
        assert '"Amount","10.50"' in text
        client.force_login(approver)
        page = page_of(client, request)
        assert f'id="full-hash">{request.instruction_hash}<' in page
        assert 'data-copies="canonical"' in page


class TestWhatTheKindTells:
    def test_the_forecast_is_signed_and_says_what_is_not_known(
        self, client, offered, asked, approver
    ):
        effects = (
            Effect(what="BTC", amount=Decimal("1.5"), before=Decimal(1), after=Decimal("2.5")),
            Effect(what="USD", amount=Decimal(-60000)),
            Effect(what="Fee", amount=None, words="no execution to tell by"),
        )
        offered(forecast=lambda _: Forecast(effects, "Reckoned by the desk."))
        request = asked()
        client.force_login(approver)
        page = page_of(client, request)
        for words in ('class="up">+', 'class="down">', "not known", "Reckoned by the desk."):
            assert words in page
        say(request, approver, Verdict.REFUSE, reason="No.")
        assert forecast_of(Request.objects.get(pk=request.pk)) is None

    def test_a_part_that_cannot_be_read_hides_nothing_else(self, client, offered, asked, approver):
        def fails(_):
            raise RuntimeError

        offered(forecast=fails, context=fails, timeline=fails, clock=fails, now=fails)
        request = asked("10.50")
        client.force_login(approver)
        page = page_of(client, request)
        assert "10.50" in page
        assert 'id="approve"' in page
        assert (forecast_of(request), context_of(request), timeline_of(request)) == (None, (), ())

    def test_steps_after_the_decision_are_told_with_their_times(
        self, client, offered, asked, approver
    ):
        offered(timeline=lambda _: [Step(cast.NOON, "filled", "2 of 2")])
        request = asked()
        say(request, approver)
        client.force_login(approver)
        page = page_of(client, request)
        assert 'id="timeline"' in page
        assert "2 of 2" in page

    def test_similar_requests_are_of_this_kind_and_account_and_visible(self, asked, approver):
        here, there = cast.account(), cast.account("Other")
        first = asked("1", about=here)
        asked("2", about=there)
        request = asked("3", about=here)
        later = asked("4", about=here)
        assert similar(request, by=approver) == [first]
        far = cast.person(Role.APPROVER, scope="account", scope_id=there.pk)
        assert similar(later, by=far) == []


class TestTheRunningDeadline:
    def test_it_is_the_decision_s_until_somebody_decided(self, client, asked, approver):
        request = asked()
        found = clock_of(request)
        assert (found.label, found.until) == ("Decide within", request.deadline)
        client.force_login(approver)
        assert "Then it ends, and nothing is carried out." in page_of(client, request)

    def test_after_the_approval_it_is_the_sooner_of_the_kind_s_and_its_own(
        self, client, offered, asked, approver
    ):
        request = asked()
        say(request, approver)
        request.refresh_from_db()
        assert clock_of(request).label == "Carry out within"
        now = timezone.now()
        soon, late = now + timedelta(seconds=80), request.deadline + timedelta(hours=1)
        for until, label in ((soon, "Send within"), (late, "Carry out within")):
            own = Clock(label="Send within", since=now, until=until, at_zero="Then it ends unsent.")
            offered(clock=lambda _, own=own: own)
            assert clock_of(request).label == label
        offered(
            clock=lambda _: Clock(label="Send within", since=now, until=soon, at_zero="Unsent.")
        )
        client.force_login(approver)
        page = page_of(client, request)
        assert "Send within:" in page
        assert "Unsent." in page

    def test_what_is_over_has_none(self, asked, trader):
        request = withdraw(request_id=asked().pk, by=trader)
        assert clock_of(request) is None


def test_a_row_of_the_inbox_says_where_how_old_and_how_much(client, asked, approver):
    facts = Facts(
        notional=Decimal(60_000),
        currency="USD",
        venue="coinbase_advanced",
        account="Main",
        portfolio="Alpha",
    )
    asked(facts=facts)
    client.force_login(approver)
    page = client.get(reverse("approvals")).content.decode()
    for words in ("Coinbase advanced", "Main, Alpha", '<th scope="col">Age</th>', "tom"):
        assert words in page
