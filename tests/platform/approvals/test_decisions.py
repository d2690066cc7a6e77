import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Decision, Group, Request, Rule, RuleNeed
from cqops.platform.approvals.services import (
    AlreadyDecided,
    BadReason,
    Changed,
    NotReleased,
    NotYours,
    State,
    TooLate,
    Verdict,
    confirm_released,
    decide,
    expire_due,
    progress,
    release,
    settle,
    settle_left,
    standing,
    void,
    withdraw,
)
from cqops.platform.audit.models import Entry
from tests import cast
from tests.platform.approvals import kinds
from tests.platform.approvals.conftest import KIND

pytestmark = pytest.mark.django_db


def say(request, by, verdict=Verdict.APPROVE, reason="", seen=None):
    return decide(
        request_id=request.pk,
        by=by,
        verdict=verdict,
        reason=reason,
        seen_hash=seen or request.instruction_hash,
    )


def state_of(request):
    return Request.objects.get(pk=request.pk).state


def content_of(request):
    return kinds.SUBJECTS[request.subject_id]


def carried_out():
    return kinds.CARRIED_OUT


def two_of_approvers():
    group, _ = Group.objects.get_or_create(name="Two", defaults={"role": Role.APPROVER})
    rule = Rule.objects.create(name="Two people", position=1, kind=KIND)
    RuleNeed.objects.create(rule=rule, group=group, quorum=2)


class TestTheUsualWay:
    def test_one_other_person_approves_and_it_is_carried_out_once(self, asked, approver):
        request = asked()
        assert (request.state, request.rule_name) == (State.PENDING, "No rule fits")
        say(request, approver)
        assert state_of(request) == State.APPROVED
        settle_left()
        assert carried_out() == [(str(request.pk), "approved")]
        assert release(request_id=request.pk, instruction=content_of(request))
        assert state_of(request) == State.EXECUTED
        with pytest.raises(NotReleased, match="carried out"):
            release(request_id=request.pk, instruction=content_of(request))
        settle_left()
        assert len(kinds.CARRIED_OUT) == 1

    def test_the_first_rule_that_fits_is_shown(self, asked, approver):
        two_of_approvers()
        request = asked()
        assert request.rule_name == "Two people"
        assert progress(request) == "0 of 2 Two"
        say(request, approver)
        assert state_of(request) == State.PENDING
        assert progress(request) == "1 of 2 Two"
        say(request, cast.person(Role.APPROVER))
        assert state_of(request) == State.APPROVED

    def test_one_refusal_ends_it_with_its_reason(self, asked, approver):
        two_of_approvers()
        request = asked()
        say(request, cast.person(Role.APPROVER))
        with pytest.raises(BadReason):
            say(request, approver, Verdict.REFUSE, "  ")
        say(request, approver, Verdict.REFUSE, "Too large for today.")
        assert state_of(request) == State.REFUSED
        assert "Too large for today." in Request.objects.get(pk=request.pk).reason
        with pytest.raises(AlreadyDecided, match="refused by alma"):
            say(request, cast.person(Role.APPROVER))
        with pytest.raises(NotReleased):
            release(request_id=request.pk, instruction=content_of(request))

    def test_the_sweep_settles_what_no_doorbell_reached_and_tries_again(
        self, asked, approver, monkeypatch
    ):
        request = asked()
        say(request, approver)
        broken = []

        def fail(found):
            broken.append(found.pk)
            raise RuntimeError

        whole = kinds.transfer
        monkeypatch.setattr(
            kinds,
            "transfer",
            type(whole)(label="x", asks=whole.asks, decides=whole.decides, settle=fail),
        )
        settle_left()
        monkeypatch.setattr(kinds, "transfer", whole)
        settle_left()
        settle(request.pk)
        assert broken == [request.pk]
        assert carried_out() == [(str(request.pk), "approved")]

    def test_withdrawing_is_for_whoever_asked(self, asked, trader, approver):
        request = asked()
        with pytest.raises(NotYours):
            withdraw(request_id=request.pk, by=approver)
        withdraw(request_id=request.pk, by=trader)
        assert state_of(request) == State.WITHDRAWN
        with pytest.raises(TooLate):
            withdraw(request_id=request.pk, by=trader)

    def test_a_void_request_is_over(self, asked, approver):
        request = asked()
        void(request_id=request.pk, reason="The wallet was closed.")
        with pytest.raises(TooLate, match="over"):
            say(request, approver)


class TestTheLog:
    def test_every_step_is_written_down_under_the_requests_id(self, asked, approver):
        request = asked()
        say(request, approver, reason="Seen and fine.")
        release(request_id=request.pk, instruction=content_of(request))
        entries = Entry.objects.filter(decision_id=request.pk).order_by("pk")
        assert [entry.action for entry in entries] == [
            "approval.requested",
            "approval.decided",
            "approval.approved",
            "approval.executed",
        ]
        assert [entry.who for entry in entries][:3] == ["tom", "alma", "alma"]
        assert entries[0].after["instruction"] == {"Amount": "10.50", "To": "cold wallet"}
        assert entries[1].reason == "Seen and fine."


class TestWhoMayDecide:
    def test_not_the_requester_not_a_bystander_not_a_former_approver(self, asked, approver):
        both = cast.person(Role.TRADER)
        cast.grant(both, Role.APPROVER)
        request = asked(by=both)
        with pytest.raises(NotYours, match="You asked for it"):
            say(request, both)
        for role in (Role.ADMIN, Role.TRADER, Role.AUDITOR, Role.RECON, None):
            with pytest.raises(NotYours, match="not among those"):
                say(request, cast.person(role))
        approver.is_active = False
        approver.save()
        with pytest.raises(NotYours):
            say(request, approver)
        assert state_of(request) == State.PENDING

    def test_nobody_asks_without_the_power_to(self, asked):
        with pytest.raises(NotYours, match="may not ask"):
            asked(by=cast.person(Role.VIEWER))

    def test_nobody_decides_twice(self, asked, approver):
        two_of_approvers()
        request = asked()
        say(request, approver)
        with pytest.raises(AlreadyDecided, match="You have decided"):
            say(request, approver)

    def test_a_request_nobody_is_left_for_says_so(self, asked, approver):
        two_of_approvers()
        request = asked()
        assert not standing(request, now=timezone.now()).can_be_met
        cast.person(Role.APPROVER)
        assert standing(request, now=timezone.now()).can_be_met


class TestTheInstruction:
    def test_what_was_seen_has_to_be_what_is_asked(self, asked, approver):
        request = asked()
        with pytest.raises(Changed, match="Read it again"):
            say(request, approver, seen="0" * 64)
        assert state_of(request) == State.PENDING

    def test_one_digit_changed_after_the_first_of_two_approvals_voids_it(self, asked, approver):
        two_of_approvers()
        request = asked("10.50")
        say(request, approver)
        kinds.SUBJECTS[request.subject_id] = {"Amount": "10.51", "To": "cold wallet"}
        with pytest.raises(Changed, match="void"):
            say(request, cast.person(Role.APPROVER))
        assert state_of(request) == State.VOIDED
        assert Decision.objects.filter(request=request).count() == 1

    def test_one_digit_changed_after_the_last_approval_is_not_released(self, asked, approver):
        request = asked("10.50")
        say(request, approver)
        with pytest.raises(NotReleased, match="changed"):
            release(request_id=request.pk, instruction={"Amount": "10.51", "To": "cold wallet"})

    def test_a_second_try_needs_the_same_instruction(self, asked, approver):
        request = asked()
        with pytest.raises(NotReleased):
            confirm_released(request_id=request.pk, instruction=content_of(request))
        say(request, approver)
        release(request_id=request.pk, instruction=content_of(request))
        confirm_released(request_id=request.pk, instruction=content_of(request))
        with pytest.raises(NotReleased):
            confirm_released(request_id=request.pk, instruction={"Amount": "11"})


class TestTheDeadline:
    def test_a_decision_after_it_is_refused_before_the_sweep_ran(self, asked, approver):
        request = asked()
        cast.pass_deadline(request)
        with pytest.raises(TooLate, match="deadline"):
            say(request, approver)
        assert state_of(request) == State.EXPIRED
        assert not Decision.objects.filter(request=request).exists()

    def test_the_sweep_ends_it_unsent(self, asked):
        late, early = asked(), asked()
        cast.pass_deadline(late)
        assert expire_due() == 1
        assert (state_of(late), state_of(early)) == (State.EXPIRED, State.PENDING)
        assert expire_due() == 0

    def test_an_approval_not_used_in_time_releases_nothing(self, asked, approver):
        request = asked()
        say(request, approver)
        cast.pass_deadline(request)
        with pytest.raises(NotReleased, match="deadline"):
            release(request_id=request.pk, instruction=content_of(request))


class TestTheDatabaseItself:
    def insert(self, request, by, *, seen=None, verdict="approve"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO approvals_decision"
                " (id, request_id, by_id, verdict, reason, at, instruction_hash, seats)"
                " VALUES (gen_random_uuid(), %s, %s, %s, 'x', now(), %s, '[]')",
                [request.pk, by.pk, verdict, seen or request.instruction_hash],
            )

    def run(self, statement, *values):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)

    def test_the_requester_never_decides(self, asked, trader):
        request = asked()
        with pytest.raises(IntegrityError, match="whoever asked never decides"):
            self.insert(request, trader)

    def test_the_hash_has_to_be_the_requests(self, asked, approver):
        request = asked()
        with pytest.raises(IntegrityError, match="another instruction"):
            self.insert(request, approver, seen="0" * 64)

    def test_one_decision_a_person(self, asked, approver):
        request = asked()
        self.insert(request, approver)
        with pytest.raises(IntegrityError, match="one_decision_a_person"):
            self.insert(request, approver, verdict="refuse")

    def test_nothing_is_decided_after_the_deadline_or_the_end(self, asked, trader, approver):
        late, over = asked(), asked()
        cast.pass_deadline(late)
        withdraw(request_id=over.pk, by=trader)
        for request, words in ((late, "deadline"), (over, "already withdrawn")):
            with pytest.raises(IntegrityError, match=words):
                self.insert(request, approver)

    def test_decisions_and_requests_are_history(self, asked, approver):
        request = asked()
        say(request, approver)
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in (
            "UPDATE approvals_decision SET verdict = 'refuse'",
            "DELETE FROM approvals_decision",
            "DELETE FROM approvals_request",
            "TRUNCATE approvals_decision CASCADE",
            "TRUNCATE approvals_request CASCADE",
            "UPDATE approvals_request SET instruction = '[]'",
            "UPDATE approvals_request SET instruction_hash = 'x'",
            "UPDATE approvals_request SET deadline = deadline + interval '1 day'",
            "UPDATE approvals_request SET requested_by_id = gen_random_uuid()",
        ):
            with pytest.raises((IntegrityError, InternalError)):
                self.run(statement)

    def test_no_state_is_reached_past_the_table_or_without_a_decision(self, asked, trader):
        request = asked()
        with pytest.raises(IntegrityError, match="nobody decided"):
            self.run("UPDATE approvals_request SET state = 'approved'")
        with pytest.raises(IntegrityError, match="cannot become"):
            self.run("UPDATE approvals_request SET state = 'executed', executed_at = now()")
        withdraw(request_id=request.pk, by=trader)
        with pytest.raises(IntegrityError, match="cannot become"):
            self.run("UPDATE approvals_request SET state = 'pending'")
