"""The real adapter against a real simulator: what a reconciliation finds, keeps and lets go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import NotYours, Verdict, decide, settle
from portfolio.models import (
    Break,
    BreakNote,
    BreakState,
    OpeningBalance,
    Outcome,
    Reconciliation,
)
from portfolio.reconcile import Kind as What
from portfolio.services import breaks
from portfolio.services.closing import ask_to_close
from portfolio.services.reconciliation import (
    carry_out,
    request_all,
    request_reconciliation,
    run_reconciliation,
    sweep_reconciliations,
)
from tests import cast
from tests.portfolio.scripted import Desk
from trading.models import ExecutionReport, Order
from venues.interface.types import OrderRequest, OrderType, Side
from venues.services.clients import call
from venues.simulator.faults import Kind

D = Decimal
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(30)]


# Clean


def test_a_first_run_takes_the_opening_balances_and_finds_nothing(desk: Desk):
    desk.trade()
    run = desk.run()

    assert (run.outcome, run.words) == (Outcome.CLEAN, "nothing open")
    opening = dict(OpeningBalance.objects.values_list("currency", "amount"))
    # What the account held before our own trade, to the last digit.
    assert (opening["ETH"], opening["USD"]) == (400, 2_000_000)
    assert (run.balances_compared, run.fills_compared) == (5, 1)


def test_what_was_traded_since_with_its_fees_is_expected(desk: Desk):
    desk.run()
    for number in range(3):
        desk.trade(number)
    desk.trade(9, price="100.00")
    run = desk.run()

    assert run.outcome == Outcome.CLEAN
    assert (run.fills_compared, run.orders_compared) == (3, 1)


def test_a_fill_that_is_booked_between_the_looks_is_no_break(desk: Desk):
    desk.run()
    reported = _lose_the_fills_of(desk)

    run = run_reconciliation(account=desk.account, wait=lambda _: desk.hear_of(reported))

    assert (run.outcome, desk.found()) == (Outcome.CLEAN, {})


def _lose_the_fills_of(desk: Desk) -> Order:
    """Trade while nobody listens to reports."""
    hear_of, desk.hear_of = desk.hear_of, lambda order: None  # type: ignore[method-assign]
    try:
        return desk.trade(77)
    finally:
        desk.hear_of = hear_of  # type: ignore[method-assign]


# The faults of the venue


def test_a_hidden_fill_and_a_changed_balance_are_both_found(desk: Desk):
    desk.run()
    desk.fail(Kind.HIDE_FILL, symbol="ETH-USD")
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D("12.5"))
    hidden = desk.trade()

    run = desk.run()

    found = desk.found()
    assert (run.outcome, run.breaks_open) == (Outcome.BREAKS, 4)
    assert set(found) == {
        f"order:here:{hidden.client_order_id}",
        "balance:ETH",
        "balance:USD",
        "balance:SOL",
    }
    sol = found["balance:SOL"]
    assert (sol.amount, sol.unit, sol.theirs) == (D("12.5"), "SOL", {"Total": "5012.5 SOL"})
    order = found[f"order:here:{hidden.client_order_id}"]
    assert (order.amount, order.unit) == (D("0.05"), "ETH")
    assert (order.ours["Filled"], order.theirs["Filled"]) == ("0", "0.05")
    assert order.theirs["State"] == "filled"


def test_two_people_close_one_and_evidence_resolves_the_other(desk: Desk, rene, alma):
    desk.run()
    desk.fail(Kind.HIDE_FILL, symbol="ETH-USD")
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D("12.5"))
    hidden = desk.trade()
    desk.run()
    sol = desk.found()["balance:SOL"]

    request = ask_to_close(break_id=sol.pk, reason="A deposit not yet in our books.", by=rene)
    with pytest.raises(NotYours):
        decide(
            request_id=request.pk,
            by=rene,
            verdict=Verdict.APPROVE,
            seen_hash=request.instruction_hash,
        )
    decide(
        request_id=request.pk, by=alma, verdict=Verdict.APPROVE, seen_hash=request.instruction_hash
    )
    settle(request.pk)
    settle(request.pk)
    sol.refresh_from_db()
    assert (sol.state, sol.accepted_amount) == (BreakState.CLOSED, D("12.5"))
    assert desk.run().breaks_open == 3

    desk.app.faults.hidden.clear()
    desk.hear_of(hidden)
    run = desk.run()

    assert (run.outcome, run.words) == (Outcome.CLEAN, "nothing open")
    states = {key: row.state for key, row in desk.found().items()}
    assert states.pop("balance:SOL") == BreakState.CLOSED
    assert set(states.values()) == {BreakState.RESOLVED}


def test_a_closed_break_that_changes_opens_again(desk: Desk, rene, alma):
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    _close(desk.found()["balance:SOL"], rene, alma)
    assert desk.run().outcome == Outcome.CLEAN

    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(2))
    desk.run()

    again = desk.found()["balance:SOL"]
    assert (again.state, again.amount, again.accepted_amount) == (BreakState.OPEN, 3, None)
    assert "changed after it was closed" in again.notes.last().words


def _close(row: Break, first, second) -> Request:
    request = ask_to_close(break_id=row.pk, reason="Known.", by=first)
    decide(
        request_id=request.pk,
        by=second,
        verdict=Verdict.APPROVE,
        seen_hash=request.instruction_hash,
    )
    settle(request.pk)
    return request


def test_an_approval_is_void_once_the_difference_is_another_one(desk: Desk, rene, alma):
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    request = ask_to_close(break_id=desk.found()["balance:SOL"].pk, reason="Known.", by=rene)
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(2))
    desk.run()

    request.refresh_from_db()
    settle(request.pk)
    assert (request.state, desk.found()["balance:SOL"].state) == ("voided", BreakState.OPEN)


def test_a_refused_close_leaves_it_open_and_says_why(desk: Desk, rene, alma):
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    row = desk.found()["balance:SOL"]
    request = ask_to_close(break_id=row.pk, reason="Known.", by=rene)
    decide(
        request_id=request.pk,
        by=alma,
        verdict=Verdict.REFUSE,
        reason="Not before the venue answers.",
        seen_hash=request.instruction_hash,
    )
    settle(request.pk)

    row.refresh_from_db()
    assert row.state == BreakState.OPEN
    assert "Not before the venue answers." in row.notes.last().words


def test_a_rerun_updates_the_same_break_and_keeps_its_age(desk: Desk):
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    first = desk.found()["balance:SOL"]
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(2))
    desk.run()

    (again,) = desk.found().values()
    assert (again.pk, again.first_seen_at, again.amount) == (first.pk, first.first_seen_at, 3)
    assert again.last_seen_at > first.last_seen_at


def test_an_execution_we_missed_is_a_break_and_is_booked_all_the_same(desk: Desk):
    desk.run()
    missed = _lose_the_fills_of(desk)
    run = desk.run()

    found = desk.found()
    fill = next(row for row in found.values() if row.kind == What.FILL_MISSING_HERE)
    assert run.outcome == Outcome.BREAKS
    assert (fill.amount, fill.ours) == (D("0.05"), {})
    assert ExecutionReport.objects.filter(order=missed).count() == 1

    assert desk.run().outcome == Outcome.CLEAN
    assert {row.state for row in desk.found().values()} == {BreakState.RESOLVED}


def test_an_execution_the_venue_does_not_list_stays_a_break_when_it_grows_old(desk: Desk):
    desk.run()
    order = desk.trade()
    desk.app.venues["coinbase_advanced"].exchange.fills.clear()
    desk.run()
    row = next(r for r in desk.found().values() if r.kind == What.FILL_MISSING_THERE)

    Reconciliation.objects.update(started_at=timezone.now())
    monkey = timezone.now() - row.happened_at
    assert monkey.total_seconds() < 60
    run = desk.run()

    assert run.fills_since <= row.happened_at
    row.refresh_from_db()
    assert (row.state, row.theirs) == (BreakState.OPEN, {})
    assert row.ours["Order"] == order.venue_order_id


def test_an_order_at_the_venue_that_nobody_here_placed_is_a_break(desk: Desk):
    desk.run()
    request = OrderRequest(
        client_order_id="somebody-else",
        symbol="ETH-USD",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=D(1),
        limit_price=D(100),
    )
    placed = call(desk.account, lambda client: client.place_order(request))
    desk.run()

    (row,) = desk.found().values()
    assert (row.key, row.amount) == (f"order:there:{placed.venue_order_id}", 1)
    assert row.ours == {}


# A venue that is away


def test_an_account_whose_venue_is_away_is_not_checked_and_never_clean(desk: Desk):
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    desk.fail(Kind.STATUS_BEFORE, path="/", count=1000)
    run = desk.run()

    assert run.outcome == Outcome.NOT_CHECKED
    assert run.words
    assert desk.found()["balance:SOL"].state == BreakState.OPEN


def test_an_account_without_a_key_is_named_as_not_checked(desk: Desk):
    desk.account.credentials.filter(retired_at=None).update(retired_at=timezone.now())
    run = desk.run()

    assert run.outcome == Outcome.NOT_CHECKED
    assert "has no key" in run.words


# One at a time


def test_asking_twice_gives_the_one_that_waits(desk: Desk, rene):
    first = request_reconciliation(account=desk.account, by=rene)
    second = request_reconciliation(account=desk.account)

    assert first == second


def test_workers_that_come_together_run_it_once(desk: Desk):
    run = request_reconciliation(account=desk.account)
    looks: list[int] = []

    def work(number: int) -> None:
        try:
            carry_out(run.pk, wait=lambda _: looks.append(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    run.refresh_from_db()

    assert (run.outcome, run.attempts) == (Outcome.CLEAN, 1)


def test_what_a_dead_worker_left_is_run_again_and_not_for_ever(desk: Desk):
    run = request_reconciliation(account=desk.account)
    Reconciliation.objects.update(
        started_at=timezone.now(), attempts=1, requested_at=timezone.now() - timedelta(minutes=1)
    )
    sweep_reconciliations()
    run.refresh_from_db()
    assert (run.outcome, run.attempts) == (Outcome.CLEAN, 2)

    poison = request_reconciliation(account=desk.account)
    Reconciliation.objects.filter(pk=poison.pk).update(attempts=3)
    carry_out(poison.pk)
    poison.refresh_from_db()
    assert (poison.outcome, poison.words) == (Outcome.NOT_CHECKED, "It was interrupted 3 times.")


def test_the_schedule_asks_for_every_account_in_use(desk: Desk):
    idle = cast.account("Idle")
    idle.is_enabled = False
    idle.save()

    assert request_all() == 1
    assert [run.account for run in Reconciliation.objects.all()] == [desk.account]


# People


def test_who_may_not_cannot(desk: Desk):
    trader = cast.person(Role.TRADER)
    with pytest.raises(NotAllowed):
        request_reconciliation(account=desk.account, by=trader)
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    row = desk.found()["balance:SOL"]
    acts: list[Callable[[], object]] = [
        lambda: breaks.assign(break_id=row.pk, owner=trader, by=trader),
        lambda: breaks.explain(break_id=row.pk, words="x", by=trader),
        lambda: breaks.add_note(break_id=row.pk, words="x", by=trader),
        lambda: ask_to_close(break_id=row.pk, reason="x", by=trader),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act()


def test_notes_and_opening_balances_are_history(desk: Desk):
    desk.run()
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=D(1))
    desk.run()
    for rows in (BreakNote.objects.all(), OpeningBalance.objects.all()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        BreakNote.objects.update(words="nothing happened")
