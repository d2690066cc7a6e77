"""Everybody at once, each on a connection of their own: whatever the order, there is one outcome."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.services import (
    AlreadyDecided,
    NotReleased,
    State,
    TooLate,
    Verdict,
    expire_due,
    release,
    requests,
    settle_left,
    withdraw,
)
from cqops.platform.audit.models import Entry
from tests import cast
from tests.platform.approvals import kinds
from tests.platform.approvals.test_decisions import say, state_of, two_of_approvers

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CONNECTIONS = 80  # the server of the tests takes a hundred, and others are connected too


@pytest.fixture(autouse=True)
def _wide_pool():
    """Let a crowd stand at the row's lock rather than at the pool of this process."""
    pool = connection.pool
    before = pool.min_size, pool.max_size
    pool.resize(1, CONNECTIONS)
    yield
    pool.resize(*before)


def all_at_once(*jobs):
    """Run every job in a thread of its own, from one starting signal."""
    gate = threading.Barrier(len(jobs))
    problems = []

    def run(job):
        try:
            gate.wait()
            job()
        except Exception as error:  # noqa: BLE001 -- told to the main thread
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_hundred_decisions_at_once_give_one_outcome(asked):
    two_of_approvers()
    request = asked()
    outcomes = []

    def decision(number):
        person = cast.person(Role.APPROVER)
        verdict = Verdict.REFUSE if number % 10 == 9 else Verdict.APPROVE

        def decides():
            try:
                say(request, person, verdict, "no" if verdict is Verdict.REFUSE else "")
                outcomes.append(verdict)
            except AlreadyDecided:
                outcomes.append(None)

        return decides

    all_at_once(*[decision(number) for number in range(100)])

    assert len(outcomes) == 100
    taken = [one for one in outcomes if one]
    assert Decision.objects.filter(request=request).count() == len(taken) <= 2
    expected = State.REFUSED if Verdict.REFUSE in taken else State.APPROVED
    assert state_of(request) == expected
    if expected == State.APPROVED:
        assert len(taken) == 2


class Clocks(threading.local):
    """Shows each thread a time of its own: for one the deadline has passed, for another not yet."""

    ahead = timedelta()

    def now(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clocks(monkeypatch):
    made = Clocks()
    monkeypatch.setattr(requests, "timezone", made)
    return made


def test_release_withdrawal_and_deadline_at_once_give_one_end(asked, trader, approver, clocks):
    ends = Counter(_race_to_the_end(asked, trader, approver, clocks) for _ in range(10))

    assert set(ends) <= {State.EXECUTED, State.WITHDRAWN, State.EXPIRED}
    # Whatever became of a request, the app hears of one end, and of a release in its own answer.
    kinds.CARRIED_OUT.clear()
    settle_left()
    heard = Counter(state for _, state in kinds.CARRIED_OUT)
    assert heard == ends - Counter({State.EXECUTED: ends[State.EXECUTED]})


def _race_to_the_end(asked, trader, approver, clocks):
    """Let thirty come at once to a request that was approved, and return how it ended."""
    request = asked(minutes=1)
    say(request, approver)
    done, refused = [], []

    def released():
        try:
            with transaction.atomic():
                release(request_id=request.pk, instruction=kinds.SUBJECTS[request.subject_id])
            done.append(State.EXECUTED)
        except NotReleased as error:
            refused.append(error)

    def withdrawn():
        try:
            withdraw(request_id=request.pk, by=trader)
            done.append(State.WITHDRAWN)
        except TooLate as error:
            refused.append(error)

    def expired():
        clocks.ahead = timedelta(minutes=2)
        done.extend([State.EXPIRED] * expire_due())

    all_at_once(*[released, withdrawn, expired] * 10)

    assert len(done) == 1
    assert state_of(request) == done[0]
    kept = Request.objects.get(pk=request.pk)
    assert (kept.executed_at is not None) is (done[0] == State.EXECUTED)
    assert kept.executed_at is None or kept.executed_at < kept.deadline
    ends = [f"approval.{state}" for state in State if state not in {State.PENDING, State.APPROVED}]
    written = Entry.objects.filter(subject_id=str(request.pk), action__in=ends)
    assert [entry.action for entry in written] == [f"approval.{done[0]}"]
    return State(done[0])


def test_the_clocks_of_a_race_are_each_threads_own(clocks):
    clocks.ahead = timedelta(days=1)
    told = []
    all_at_once(lambda: told.append(clocks.now()))

    assert told[0] < timezone.now() + timedelta(hours=1)
